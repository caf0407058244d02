from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.remote import wire
from dexgrasp_envs.remote.sockets import MAX_FRAMES, bind, open_socket, receive


@pytest.fixture
def context() -> Iterator[zmq.Context]:
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.mark.parametrize("endpoint", ["tcp://0.0.0.0:*", "tcp://*:*", "tcp://192.168.1.5:5555", "tcp://[::]:*"])
def test_an_address_that_others_can_reach_is_refused(context: zmq.Context, endpoint: str) -> None:
    with pytest.raises(ConfigError, match="other machines"):
        bind(open_socket(context, zmq.ROUTER), endpoint)


def test_an_address_that_others_can_reach_is_bound_if_that_is_said(context: zmq.Context) -> None:
    assert bind(open_socket(context, zmq.ROUTER), "tcp://0.0.0.0:*", anywhere=True).startswith("tcp://0.0.0.0:")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_free_port_of_this_machine_is_bound(context: zmq.Context, host: str) -> None:
    endpoint = bind(open_socket(context, zmq.ROUTER), f"tcp://{host}:*")
    assert int(endpoint.rpartition(":")[2]) > 0


def test_a_folder_that_others_may_enter_is_refused(context: zmq.Context, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(ConfigError, match="closed to others"):
        bind(open_socket(context, zmq.ROUTER), f"ipc://{tmp_path}/socket")


def test_a_folder_of_ones_own_is_fine(context: zmq.Context, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert bind(open_socket(context, zmq.ROUTER), f"ipc://{tmp_path}/s") == f"ipc://{tmp_path}/s"


def test_a_folder_that_is_not_there_is_named(context: zmq.Context, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must exist"):
        bind(open_socket(context, zmq.ROUTER), f"ipc://{tmp_path}/none/socket")


@pytest.mark.parametrize("endpoint", ["5555", "udp://127.0.0.1:5555", "inproc://x"])
def test_other_kinds_of_address_are_refused(context: zmq.Context, endpoint: str) -> None:
    with pytest.raises(ConfigError, match="tcp://HOST:PORT"):
        bind(open_socket(context, zmq.ROUTER), endpoint)


def test_an_address_in_use_is_named(context: zmq.Context) -> None:
    first = open_socket(context, zmq.ROUTER)
    endpoint = bind(first, "tcp://127.0.0.1:*")
    with pytest.raises(ConfigError, match=f"cannot bind {endpoint}"):
        bind(open_socket(context, zmq.ROUTER), endpoint)


@pytest.fixture
def pair(context: zmq.Context) -> tuple[zmq.Socket, zmq.Socket]:
    server, client = open_socket(context, zmq.DEALER), open_socket(context, zmq.DEALER)
    client.connect(bind(server, "tcp://127.0.0.1:*"))
    return server, client


def test_a_message_of_too_many_frames_is_dropped_and_the_next_one_is_not(pair: tuple[zmq.Socket, zmq.Socket]) -> None:
    server, client = pair
    client.send_multipart([b"x"] * (MAX_FRAMES + 1))
    client.send_multipart([b"y"] * MAX_FRAMES)
    assert server.poll(5000)
    assert receive(server) == []
    assert server.poll(5000)
    assert [bytes(frame) for frame in receive(server)] == [b"y"] * MAX_FRAMES


def test_a_frame_over_the_bound_is_never_received(pair: tuple[zmq.Socket, zmq.Socket]) -> None:
    server, client = pair
    client.send(bytes(wire.CHUNK_BYTES + 1))
    assert not server.poll(300)


def test_receiving_does_not_wait(pair: tuple[zmq.Socket, zmq.Socket]) -> None:
    with pytest.raises(zmq.Again):
        receive(pair[0])
