"""Replies through shared memory: by hand, between server and client, and when either is killed."""

import os
import resource
import signal
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from dexgrasp_envs.errors import ProtocolError, RemoteError
from dexgrasp_envs.remote import connection
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.counters import Counters
from dexgrasp_envs.remote.data_plane import ChunkedPlane
from dexgrasp_envs.remote.limits import Deadlines
from dexgrasp_envs.remote.obs_layout import ObsLayout
from dexgrasp_envs.remote.segment import host
from dexgrasp_envs.remote.shared_plane import SharedPlane, SharingPlane
from dexgrasp_envs.remote.wire import Header, Kind, Via
from tests.remote.conftest import Connect, Raw, Serve, eventually
from tests.remote.envs import cartpole, image_env, wide_env
from tests.remote.test_client import MODES, assert_same_run
from tests.vector_envs import same

pytestmark = pytest.mark.skipif(host() is None, reason="this system has no memfd")
HEADER = Header(Kind.REPLY, 5, 6)
DATA = {
    "small": np.arange(5.0),
    "big": np.random.default_rng(0).integers(0, 256, (3, 1 << 19, 1), np.uint8),
    "odd": np.random.default_rng(1).random(33_333),
}
LARGE = DATA["big"].nbytes + DATA["odd"].nbytes
CHUNKED = ChunkedPlane(1 << 30)
ROOT = Path(__file__).parents[2]
NO_LAYOUT = ObsLayout(spaces.Discrete(2), draws=False)


def frames(message: Sequence[Any]) -> tuple[Header, list[memoryview]]:
    return Header.unpack(bytes(message[0])), [memoryview(bytes(frame)) for frame in message[1:]]


def shares(remote: RemoteVectorEnv) -> bool:
    """Whether replies come through shared memory."""
    return isinstance(remote._parts[0].connection._plane, SharedPlane)


def mapped(pid: int | str = "self") -> int:
    """Mappings of shared memory that a process has."""
    return Path(f"/proc/{pid}/maps").read_text().count("memfd:dexgrasp")


def test_only_a_token_travels() -> None:
    segment = np.zeros(LARGE, np.uint8)
    (message,) = SharingPlane(CHUNKED, segment, Counters(), NO_LAYOUT).outgoing(HEADER, DATA)
    assert sum(map(len, message)) < 1000
    arriving = SharedPlane(CHUNKED, segment).incoming(*frames(message))
    assert arriving.complete and same(arriving.data(), DATA)
    segment[:] = 0
    assert same(arriving.data(), DATA)


def test_arrays_are_copied_where_they_belong() -> None:
    segment, whole = np.zeros(LARGE, np.uint8), np.zeros((6, 1 << 19, 1), np.uint8)
    (message,) = SharingPlane(CHUNKED, segment, Counters(), NO_LAYOUT).outgoing(HEADER, DATA)
    header, rest = frames(message)
    place = {("big",): whole[3:]}
    back = SharedPlane(CHUNKED, segment).incoming(header, rest, lambda slot: place.get(slot.path)).data()
    assert back["big"].base is whole
    np.testing.assert_array_equal(whole[3:], DATA["big"])


def test_what_does_not_fit_travels_in_chunks() -> None:
    segment = np.zeros(LARGE - 1, np.uint8)
    first, *chunks = SharingPlane(CHUNKED, segment, Counters(), NO_LAYOUT).outgoing(HEADER, DATA)
    arriving = SharedPlane(CHUNKED, segment).incoming(*frames(first))
    assert not arriving.complete and not segment.any()
    for chunk in chunks:
        arriving.add(*frames(chunk))
    assert same(arriving.data(), DATA)


def test_more_than_the_segment_holds_is_refused() -> None:
    (message,) = SharingPlane(CHUNKED, np.zeros(LARGE, np.uint8), Counters(), NO_LAYOUT).outgoing(HEADER, DATA)
    with pytest.raises(ProtocolError, match="more bytes than the segment"):
        SharedPlane(CHUNKED, np.zeros(LARGE - 1, np.uint8)).incoming(*frames(message))


def test_without_a_segment_a_token_is_refused() -> None:
    (message,) = SharingPlane(CHUNKED, np.zeros(LARGE, np.uint8), Counters(), NO_LAYOUT).outgoing(HEADER, DATA)
    with pytest.raises(ProtocolError, match="do not share"):
        CHUNKED.incoming(*frames(message))


@MODES
def test_images_through_memory_are_the_bits_of_a_local_environment(
    serve: Serve, connect: Connect, mode: AutoresetMode
) -> None:
    remote = connect(serve(image_env(2, mode)), serve(image_env(1, mode)))
    assert shares(remote)
    assert_same_run(image_env(3, mode), remote, 12)


def test_each_step_gives_fresh_arrays(serve: Serve, connect: Connect) -> None:
    remote = connect(serve(image_env(2)))
    first = remote.reset(seed=0)[0]["image"]
    copy = first.copy()
    second = remote.step(remote.action_space.sample())[0]["image"]
    assert not np.shares_memory(first, second) and second.flags.writeable
    np.testing.assert_array_equal(first, copy)


@MODES
def test_views_of_the_memory_have_the_bits_of_a_local_environment(
    serve: Serve, connect: Connect, mode: AutoresetMode
) -> None:
    remote = connect(serve(image_env(3, mode)), copy=False)
    assert shares(remote)
    assert_same_run(image_env(3, mode), remote, 12)


def test_a_view_stays_until_the_next_call_but_one(serve: Serve, connect: Connect) -> None:
    remote = connect(serve(wide_env(2)), copy=False)
    actions = remote.action_space.sample()
    first = remote.reset(seed=0)[0]
    copy = first.copy()
    second = remote.step(actions)[0]
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, copy)
    third = remote.step(actions)[0]
    assert third.ctypes.data == first.ctypes.data
    np.testing.assert_array_equal(first, third)


def test_a_view_is_for_reading_only_and_aligned(serve: Serve, connect: Connect) -> None:
    image = connect(serve(image_env(2)), copy=False).reset(seed=0)[0]["image"]
    assert not image.flags.writeable and image.ctypes.data % 64 == 0
    with pytest.raises(ValueError, match="read-only"):
        image[0] = 0


def test_a_view_outlives_its_environment_and_the_memory_goes_with_it(serve: Serve, connect: Connect) -> None:
    before = mapped()
    remote = connect(serve(image_env(2)), copy=False)
    image = remote.reset(seed=0)[0]["image"]
    copy = image.copy()
    assert mapped() == before + 2
    remote.close()
    # The server, which is in this process too, frees its mapping; this one's is held by the view.
    assert eventually(lambda: mapped() == before + 1)
    np.testing.assert_array_equal(image, copy)
    del image
    assert eventually(lambda: mapped() == before)


def test_rows_of_two_servers_are_fresh_arrays_also_without_copies(serve: Serve, connect: Connect) -> None:
    remote = connect(serve(image_env(1)), serve(image_env(1)), copy=False)
    assert remote.reset(seed=0)[0]["image"].flags.writeable


def test_a_reply_that_is_made_again_lies_where_it_lay() -> None:
    plane = SharingPlane(CHUNKED, np.zeros(2 * LARGE + 256, np.uint8), Counters(), NO_LAYOUT, halves=2)
    offsets = [frames(next(plane.outgoing(HEADER._replace(call=call), DATA)))[0].offset for call in (6, 7, 7, 6, 8)]
    assert offsets == [0, offsets[1], offsets[1], 0, 0] and LARGE <= offsets[1] < LARGE + 192


def test_what_does_not_fit_into_half_of_the_memory_travels_in_chunks() -> None:
    plane = SharingPlane(CHUNKED, np.zeros(2 * LARGE - 64, np.uint8), Counters(), NO_LAYOUT, 2)
    messages = list(plane.outgoing(HEADER, DATA))
    assert len(messages) > 1 and frames(messages[0])[0].item == Via.CHUNKS


def test_an_array_without_an_offset_is_refused() -> None:
    first, *_ = CHUNKED.outgoing(HEADER._replace(item=Via.SEGMENT), DATA)
    with pytest.raises(ProtocolError, match="no offset"):
        SharedPlane(CHUNKED, np.zeros(LARGE, np.uint8)).incoming(*frames(first))


def test_no_memory_is_shared_for_small_observations(serve: Serve, connect: Connect) -> None:
    assert not shares(connect(serve(cartpole())))


@pytest.mark.parametrize("elsewhere", ["another host", None])
def test_a_client_elsewhere_is_served_through_the_socket(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, elsewhere: str | None
) -> None:
    monkeypatch.setattr(connection, "host", lambda: elsewhere)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        remote = connect(serve(image_env(1)))
    assert not shares(remote)
    remote.reset(seed=0)


def test_a_server_without_the_memory_says_so_and_serves_through_the_socket(serve: Serve, connect: Connect) -> None:
    server = serve(image_env(2))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.warns(RuntimeWarning, match="slower"):
            remote = connect(server)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not shares(remote)
    assert same(remote.reset(seed=0)[0], image_env(2).reset(seed=0)[0])


def test_a_client_that_cannot_read_the_memory_says_so_and_reads_the_socket(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_: Any) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(connection, "attach", denied)
    with pytest.warns(RuntimeWarning, match="not yours"):
        remote = connect(serve(image_env(1)))
    assert same(remote.reset(seed=0)[0], image_env(1).reset(seed=0)[0])


def test_who_does_not_know_the_nonce_is_not_believed(serve: Serve, raw: Raw) -> None:
    client = raw(serve(image_env(1)))
    for data in ({"host": host()}, {"host": host(), "nonce": "00" * 32}):
        client.send(Header(Kind.HELLO, call=7), data)
        header = Header.unpack(client.socket.recv_multipart()[0])
        while client.socket.poll(200):
            client.socket.recv_multipart()
        assert header.kind == Kind.WELCOME
    client.lease = header.lease
    client.call(1, "reset", seed=0, options=None)
    assert Header.unpack(client.socket.recv_multipart()[0]).item == Via.CHUNKS


def test_a_hello_with_arrays_is_refused(serve: Serve, raw: Raw) -> None:
    client = raw(serve(cartpole()))
    client.send(Header(Kind.HELLO, call=7), {"host": np.zeros(5)})
    assert client.receive()[1]["type"] == "ProtocolError"


def test_each_lease_has_memory_of_its_own(serve: Serve) -> None:
    server = serve(image_env(1))
    segments = []
    for _ in range(2):
        remote = RemoteVectorEnv([server.endpoint])
        remote.reset(seed=0)
        lease = server._io.sessions[0].lease
        assert lease is not None and lease.segment is not None
        segments.append(lease.segment.bytes)
        remote.close()
    assert not np.shares_memory(*segments)


SERVER = """
from dexgrasp_envs.remote.server import SimServer
from tests.remote.envs import image_env
with SimServer(image_env(1), {}, "tcp://127.0.0.1:*") as server:
    print(server.endpoint, flush=True)
    server.serve()
"""
CLIENT = """
import sys, time
from dexgrasp_envs.remote.counters import Counters
from dexgrasp_envs.remote.client import RemoteVectorEnv
remote = RemoteVectorEnv([sys.argv[1]])
remote.reset(seed=0)
print("stepping", flush=True)
while True:
    remote.step(remote.action_space.sample())
"""


def run(code: str, *arguments: str) -> "tuple[subprocess.Popen[str], str]":
    """A process, and the first line that it prints."""
    command = [sys.executable, "-c", code, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def kill(process: "subprocess.Popen[str]") -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def test_nothing_is_left_of_a_server_that_is_killed() -> None:
    before = mapped()
    process, endpoint = run(SERVER)
    remote = RemoteVectorEnv([endpoint], deadlines=Deadlines(heartbeat=0.1, window=1.0))
    remote.reset(seed=0)
    assert shares(remote) and mapped() == before + 1
    kill(process)
    with pytest.raises(RemoteError):
        remote.step(remote.action_space.sample())
    remote.close()
    assert mapped() == before


def test_a_server_goes_on_when_its_client_is_killed() -> None:
    server, endpoint = run(SERVER.replace('"tcp://127.0.0.1:*"', '"tcp://127.0.0.1:*", window=0.5'))
    for _ in range(2):
        client, word = run(CLIENT, endpoint)
        assert word == "stepping" and mapped(server.pid) == 1
        kill(client)
        assert eventually(lambda: _free(endpoint))
    remote = RemoteVectorEnv([endpoint])
    assert same(remote.reset(seed=0)[0], image_env(1).reset(seed=0)[0])
    assert shares(remote) and mapped(server.pid) == 1
    remote.close()
    kill(server)


def _free(endpoint: str) -> bool:
    try:
        RemoteVectorEnv([endpoint]).close()
    except RemoteError:
        return False
    return True
