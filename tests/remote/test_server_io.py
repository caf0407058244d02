"""The end of the I/O thread, which nobody must wait for in vain."""

from dexgrasp_envs.remote.server import SimServer
from tests.remote.envs import cartpole


def test_closing_a_server_whose_thread_has_ended_does_not_wait() -> None:
    server = SimServer(cartpole(), {}, "tcp://127.0.0.1:*")
    server._io._ending = True
    server._io.join(5)
    assert not server._io.is_alive()
    server.close()
