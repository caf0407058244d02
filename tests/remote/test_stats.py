import threading
import time
from pathlib import Path

import numpy as np
import pytest
import zmq

from dexgrasp_envs.errors import ConfigError, DeadlineExceeded, HandshakeError, ProtocolError
from dexgrasp_envs.remote.keys import ClientKeys, ServerKeys, write_keys
from dexgrasp_envs.remote.segment import host
from dexgrasp_envs.remote.stats import read_stats
from tests.remote.conftest import Connect, Serve
from tests.remote.envs import StatefulEnv, cartpole, image_env


def test_steps_and_calls_are_counted(serve: Serve, connect: Connect) -> None:
    server = serve(cartpole(3), {"env_id": "CartPole-v1"})
    remote = connect(server)
    remote.reset(seed=0)
    for _ in range(4):
        remote.step(np.zeros(3, int))
    stats = read_stats(server.endpoint)
    assert (stats["env_id"], stats["num_envs"], stats["steps"], stats["calls"]) == ("CartPole-v1", 3, 12, 5)


def test_a_failed_step_is_a_call_but_no_step(serve: Serve, connect: Connect) -> None:
    env = StatefulEnv()
    server = serve(env)
    remote = connect(server)
    remote.reset(seed=0)
    env.failure = ConfigError("no")
    with pytest.raises(ConfigError):
        remote.step(np.zeros(2, int))
    stats = read_stats(server.endpoint)
    assert (stats["steps"], stats["calls"]) == (0, 2)


def test_time_is_split(serve: Serve, connect: Connect) -> None:
    class Slow(StatefulEnv):
        def step(self, actions: np.ndarray) -> tuple:
            time.sleep(0.3)
            return super().step(actions)

    server = serve(Slow())
    remote = connect(server)
    remote.reset(seed=0)
    remote.step(np.zeros(2, int))
    stats = read_stats(server.endpoint)
    assert stats["env"] >= 0.3 and 0 < stats["serialise"] < 0.3
    assert stats["env"] + stats["serialise"] + stats["idle"] <= stats["uptime"]


@pytest.mark.parametrize("shared", [True, False])
def test_bytes_are_counted_where_they_go(serve: Serve, connect: Connect, shared: bool) -> None:
    if shared and host() is None:
        pytest.skip("this system has no memfd")
    server = serve(image_env(2))
    remote = connect(server, shared_memory=shared)
    before = read_stats(server.endpoint)
    size = remote.reset(seed=0)[0]["image"].nbytes
    after = read_stats(server.endpoint)
    assert after["memory"] is shared
    assert after["received"] > before["received"]
    assert after["shared"] == (size if shared else 0)
    assert (after["sent"] - before["sent"] > size) is not shared


def test_the_lease_is_told_and_not_disturbed(serve: Serve, connect: Connect) -> None:
    server = serve(cartpole())
    assert read_stats(server.endpoint)["silent"] is None
    remote = connect(server)
    remote.reset(seed=0)
    assert 0 <= read_stats(server.endpoint)["silent"] < 5
    remote.step(np.zeros(2, int))


def test_a_server_in_a_step_answers(serve: Serve, connect: Connect) -> None:
    env = StatefulEnv()
    server = serve(env)
    env.go_on.clear()
    remote = connect(server)
    remote._parts[0].started = True
    remote._parts[0].connection.call("step", {"actions": np.zeros(2, int)})
    assert env.stepping.wait(5)
    assert read_stats(server.endpoint)["steps"] == 0
    env.go_on.set()


def test_with_keys_only_clients_are_answered(serve: Serve, tmp_path: Path) -> None:
    write_keys(tmp_path / "keys")
    server = serve(cartpole(), keys=ServerKeys.load(tmp_path / "keys"))
    assert read_stats(server.endpoint, ClientKeys.load(tmp_path / "keys"))["calls"] == 0
    with pytest.raises(HandshakeError, match="keys"):
        read_stats(server.endpoint)


def test_nobody_there_is_noticed_in_time() -> None:
    with pytest.raises(DeadlineExceeded, match="is it running"):
        read_stats("tcp://127.0.0.1:9", deadline=0.3)


def test_what_is_no_address_is_named() -> None:
    with pytest.raises(ConfigError, match="tcp://HOST:PORT"):
        read_stats("nowhere")


def test_another_kind_of_answer_is_an_error() -> None:
    context: zmq.Context = zmq.Context()
    stranger = context.socket(zmq.DEALER)
    stranger.bind("tcp://127.0.0.1:*")
    stranger.setsockopt(zmq.RCVTIMEO, 5000)
    answering = threading.Thread(target=lambda: stranger.recv() and stranger.send(b"what?"))
    answering.start()
    try:
        with pytest.raises(ProtocolError, match="not a message of this protocol"):
            read_stats(stranger.get_string(zmq.LAST_ENDPOINT))
    finally:
        answering.join()
        context.destroy(linger=0)
