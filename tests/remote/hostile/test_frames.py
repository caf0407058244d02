"""What both ends make of frames that nobody should send: typed errors, within bounds of memory, and life goes on."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from dexgrasp_envs.errors import ClosedError, DexGraspError, ProtocolError
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.identity import describe
from dexgrasp_envs.remote.limits import Deadlines
from dexgrasp_envs.remote.operations import Operations
from dexgrasp_envs.remote.wire import CHUNK_BYTES, Header, Kind
from tests.remote.conftest import Raw, Serve, eventually
from tests.remote.envs import cartpole, wide_env
from tests.remote.hostile.frames import at_a_server, damaged, mangled, messages, random_message

COUNTS = pytest.mark.parametrize("count", [1000, pytest.param(200_000, marks=pytest.mark.slow)])
RESET_PEAK = Path("/proc/self/clear_refs")
"""Linux only: writing 5 makes the peak of resident memory begin anew."""
CEILING = 256 << 20
"""Bytes by which the peak of resident memory may grow, of both ends together: this process holds them."""


@contextlib.contextmanager
def under_the_ceiling(more: int = 0) -> Iterator[None]:
    if not RESET_PEAK.exists():
        yield
        return
    RESET_PEAK.write_text("5")
    before = _resident("VmRSS")
    yield
    grown = _resident("VmHWM") - before
    assert grown < CEILING + more, f"memory grew by {grown >> 20} MiB"


def _resident(which: str) -> int:
    """Resident memory of this process now (VmRSS) or at most (VmHWM), in bytes."""
    (found,) = re.findall(rf"{which}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found) << 10


@COUNTS
def test_a_server_survives_frames(serve: Serve, raw: Raw, count: int) -> None:
    # Some of the frames are hellos of others, who are never heard of again.
    server = serve(wide_env(2), window=0.2)
    random = np.random.default_rng(count)
    sent = 0
    with under_the_ceiling():
        while sent < count:
            client = raw(server)
            client.socket.setsockopt(zmq.SNDTIMEO, 10_000)
            assert eventually(
                lambda client=client: client.hello(int(random.integers(10, 2**60)))[0].kind == Kind.WELCOME
            )
            number = 0
            for _ in range(50):
                for _ in range(10):
                    for frames in at_a_server(random, client.lease, number + 1):
                        client.socket.send_multipart(frames)
                        sent += 1
                client.socket.send(Header(Kind.STATS, call=(1 << 62) + sent).pack())
                header = _answer(client.socket, Kind.STATS, (1 << 62) + sent)
                client.socket.send(Header(Kind.PING, client.lease, (1 << 62) + sent).pack())
                header = _answer(client.socket, Kind.PONG, (1 << 62) + sent)
                if header is None:
                    break
                number = header.call
            client.socket.send(Header(Kind.GOODBYE, client.lease).pack())
            client.close()
    last = raw(server)
    assert eventually(lambda: last.hello(5)[0].kind == Kind.WELCOME)
    last.call(1, "reset", seed=0, options=None)
    assert Header.unpack(last.socket.recv_multipart()[0]).kind == Kind.REPLY


def _answer(socket: "zmq.Socket[bytes]", kind: Kind, number: int) -> Header | None:
    """The header of the answer, behind whatever else comes; None if the lease is gone."""
    while True:
        assert socket.poll(10_000), "the server does not answer"
        header = Header.unpack(socket.recv_multipart()[0])
        if header.kind == kind and number in (header.call, header.offset):
            return header
        if header.kind == Kind.ERROR and header.call == number:
            return None


@pytest.mark.parametrize("megabytes", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_a_server_survives_a_message_of_many_frames(serve: Serve, raw: Raw, megabytes: int) -> None:
    server = serve(cartpole())
    stranger, client = raw(server), raw(server)
    client.hello()
    frame = bytes(CHUNK_BYTES)
    with under_the_ceiling(more=megabytes * 10**6):
        stranger.socket.send_multipart([Header(Kind.HELLO).pack(), *[frame] * (megabytes * 10**6 // CHUNK_BYTES)])
        assert stranger.silent(1.0)
    assert client.ping()[0].kind == Kind.PONG
    client.call(1, "reset", seed=0, options=None)
    assert client.receive()[0].kind == Kind.REPLY


@pytest.mark.parametrize("size", [CHUNK_BYTES + 1, 8 * CHUNK_BYTES])
def test_a_frame_that_is_too_large_ends_only_its_connection(serve: Serve, raw: Raw, size: int) -> None:
    server = serve(cartpole())
    stranger, client = raw(server), raw(server)
    client.hello()
    stranger.socket.send_multipart([Header(Kind.HELLO).pack(), bytes(size), b""])
    assert stranger.silent(1.0)
    assert client.ping()[0].kind == Kind.PONG


class FalseServer(threading.Thread):
    """Welcomes, and answers calls with what nobody should send, until it is stopped; the last answer is an error."""

    def __init__(self, seed: int, spoil_welcome: bool = False):
        super().__init__(daemon=True)
        self._random = np.random.default_rng(seed)
        self._spoil_welcome = spoil_welcome
        env = cartpole(2)
        self._identity = describe(env, {"env_id": "CartPole-v1"})
        operations = Operations(env)
        self._replies = {
            "reset": operations.run("reset", {"seed": 0, "options": None}),
            "step": operations.run("step", {"actions": np.zeros(2, int)}),
        }
        self._replies["step"]["final_obs"] = {"index": np.array([1]), "obs": np.zeros((1, 4), np.float32)}
        env.close()
        self._context: zmq.Context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self.endpoint = f"tcp://127.0.0.1:{self._socket.bind_to_random_port('tcp://127.0.0.1')}"
        self.sent = 0
        self._stop_now = threading.Event()
        self._asked = "reset"

    def run(self) -> None:
        while not self._stop_now.is_set():
            if self._socket.poll(20):
                route, first, *rest = self._socket.recv_multipart()
                for frames in self._answers(Header.unpack(first), rest):
                    self._socket.send_multipart([route, *frames])
        self._context.destroy(linger=0)

    def stop(self) -> None:
        self._stop_now.set()
        self.join(10)

    def _answers(self, asked: Header, rest: list[bytes]) -> Iterator[list[bytes]]:
        if asked.kind == Kind.PING:
            yield [Header(Kind.PONG, asked.lease, asked.call, 3, asked.call).pack()]
        elif asked.kind == Kind.HELLO:
            welcome = {"identity": self._identity, "segment": None}
            header = Header(Kind.WELCOME, 9, asked.call)
            if self._spoil_welcome:
                yield from self._spoilt(welcome, header)
            else:
                yield from messages(welcome, header)
        elif asked.kind == Kind.CALL:
            for _ in range(int(self._random.integers(1, 4))):
                reply = self._replies["step" if b"step" in rest[0] else "reset"]
                yield from self._spoilt(reply, Header(Kind.REPLY, asked.lease, asked.call))
        if asked.kind in (Kind.HELLO, Kind.CALL):
            data = {"type": "ConfigError", "message": "the last word", "ours": True}
            yield from messages(data, Header(Kind.ERROR, asked.lease, asked.call))

    def _spoilt(self, data: Any, header: Header) -> Iterator[list[bytes]]:
        which = self._random.random()
        if which < 0.2:
            many = [random_message(self._random)]
        elif which < 0.7:
            try:
                many = messages(mangled(self._random, data), header)
            except ProtocolError:
                many = [random_message(self._random)]
        else:
            many = [damaged(self._random, frames) for frames in messages(data, header)]
        self.sent += len(many)
        yield from many


@pytest.fixture
def false_server(request: pytest.FixtureRequest) -> Iterator[FalseServer]:
    server = FalseServer(1, **request.param)
    server.start()
    yield server
    server.stop()


PATIENCE = Deadlines(connect=10.0, call=10.0, heartbeat=1.0, window=10.0)


@pytest.mark.parametrize("false_server", [{}], indirect=True, ids=["calls"])
@COUNTS
def test_a_client_meets_frames_with_typed_errors(false_server: FalseServer, count: int) -> None:
    with under_the_ceiling():
        outcomes = {"good": 0, "refused": 0}
        while false_server.sent < count:
            envs = RemoteVectorEnv([false_server.endpoint], deadlines=PATIENCE, shared_memory=False)
            while false_server.sent < count:
                try:
                    envs.reset(seed=0)
                    envs.step(np.zeros(2, int))
                    outcomes["good"] += 1
                except ClosedError:
                    break
                except DexGraspError:
                    outcomes["refused"] += 1
            envs.close()
    assert outcomes["refused"] > outcomes["good"]


@pytest.mark.parametrize("false_server", [{"spoil_welcome": True}], indirect=True, ids=["welcomes"])
@pytest.mark.filterwarnings("ignore:.*shares no memory:RuntimeWarning")
@pytest.mark.parametrize("count", [50, pytest.param(5000, marks=pytest.mark.slow)])
def test_a_client_meets_welcomes_with_typed_errors(false_server: FalseServer, count: int) -> None:
    refused = 0
    end = time.monotonic() + 600
    with under_the_ceiling():
        while false_server.sent < count:
            assert time.monotonic() < end
            try:
                RemoteVectorEnv([false_server.endpoint], deadlines=PATIENCE, shared_memory=False).close()
            except DexGraspError:
                refused += 1
    assert refused > count // 4
