"""A client's patience, and what it does about lost messages, beside a server that does as the test says."""

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from dexgrasp_envs.errors import ClosedError, DeadlineExceeded, HandshakeError, ProtocolError, ServerLost
from dexgrasp_envs.remote import wire
from dexgrasp_envs.remote.connection import Connection, wait_for
from dexgrasp_envs.remote.data_plane import ChunkedPlane
from dexgrasp_envs.remote.lease import Progress
from dexgrasp_envs.remote.limits import Deadlines
from dexgrasp_envs.remote.segment import Segment, host
from dexgrasp_envs.remote.sockets import open_socket
from dexgrasp_envs.remote.wire import Header, Kind, Via

DEADLINES = Deadlines(connect=1.0, call=3.0, heartbeat=0.05, window=1.0)
LEASE = 77


class Puppet:
    """A server in a thread that answers each message by a function of (header, messages so far of its kind)."""

    def __init__(self, context: zmq.Context, answer: Callable[[Header, int], list[list[bytes]]]):
        self._socket = open_socket(context, zmq.ROUTER)
        self._socket.bind("tcp://127.0.0.1:*")
        self.endpoint = self._socket.get_string(zmq.LAST_ENDPOINT)
        self._answer = answer
        self._stop = threading.Event()
        self.seen: list[Header] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def count(self, kind: Kind) -> int:
        return sum(header.kind == kind for header in self.seen)

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._socket.poll(20):
                route, first, *_ = self._socket.recv_multipart()
                self.seen.append(Header.unpack(first))
                for message in self._answer(self.seen[-1], self.count(self.seen[-1].kind)):
                    # The client may have given up.
                    with contextlib.suppress(zmq.ZMQError):
                        self._socket.send_multipart([route, *message])

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()


def message(kind: Kind, call: int, data: Any) -> list[list[bytes]]:
    return [
        [bytes(frame) for frame in frames] for frames in ChunkedPlane(1 << 30).outgoing(Header(kind, LEASE, call), data)
    ]


def pong(ping: Header, call: int, progress: Progress) -> list[list[bytes]]:
    return [[Header(Kind.PONG, LEASE, call, progress, ping.call).pack()]]


@pytest.fixture
def context() -> Iterator[zmq.Context]:
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def meet(context: zmq.Context) -> Iterator[Callable[..., tuple[Puppet, Connection]]]:
    """A puppet, and a connection that has its lease."""
    puppets = []

    def meet_one(answer: Callable[[Header, int], list[list[bytes]]], **options: Any) -> tuple[Puppet, Connection]:
        def welcome_or_answer(header: Header, count: int) -> list[list[bytes]]:
            welcome = {"identity": {"a": 1}, "segment": None}
            return message(Kind.WELCOME, header.call, welcome) if header.kind == Kind.HELLO else answer(header, count)

        puppets.append(Puppet(context, welcome_or_answer))
        connection = Connection(context, puppets[-1].endpoint, DEADLINES, **options)
        assert connection.hello() == {"a": 1}
        return puppets[-1], connection

    yield meet_one
    for puppet in puppets:
        puppet.close()


def do(connection: Connection, **arguments: Any) -> Any:
    connection.call("step", arguments)
    wait_for([connection], DEADLINES.call)
    return connection.result()


def test_calls_are_counted_and_answered(meet: Any) -> None:
    puppet, connection = meet(lambda header, _: message(Kind.REPLY, header.call, header.call))
    assert [do(connection), do(connection)] == [1, 2]
    assert [header.lease for header in puppet.seen if header.kind == Kind.CALL] == [LEASE, LEASE]


def test_a_lost_call_is_sent_again(meet: Any) -> None:
    def answer(header: Header, count: int) -> list[list[bytes]]:
        if header.kind == Kind.PING:
            return pong(header, 0, Progress.SENT)
        return message(Kind.REPLY, 1, "done") if count > 1 else []

    puppet, connection = meet(answer)
    assert do(connection) == "done"
    assert puppet.count(Kind.CALL) == 2


def test_a_lost_reply_is_asked_for_again(meet: Any) -> None:
    def answer(header: Header, count: int) -> list[list[bytes]]:
        if header.kind == Kind.PING:
            return pong(header, 1, Progress.SENT)
        return message(Kind.REPLY, 1, "done") if count > 1 else []

    assert do(meet(answer)[1]) == "done"


def test_a_reply_of_which_a_part_was_lost_is_received_whole(meet: Any) -> None:
    big = np.random.default_rng(0).integers(0, 256, 5 * wire.CHUNK_BYTES, np.uint8)

    def answer(header: Header, count: int) -> list[list[bytes]]:
        if header.kind == Kind.PING:
            return pong(header, 1, Progress.SENT)
        whole = message(Kind.REPLY, 1, big)
        return whole if count > 1 else whole[:3]

    np.testing.assert_array_equal(do(meet(answer)[1]), big)


def test_a_call_that_runs_is_waited_for_and_not_repeated(meet: Any) -> None:
    def answer(header: Header, count: int) -> list[list[bytes]]:
        if header.kind == Kind.PING:
            return pong(header, 1, Progress.RUNNING) + (message(Kind.REPLY, 1, "done") if count == 4 else [])
        return []

    puppet, connection = meet(answer)
    assert do(connection) == "done"
    assert puppet.count(Kind.CALL) == 1


def test_an_old_pong_repeats_nothing(meet: Any) -> None:
    def answer(header: Header, count: int) -> list[list[bytes]]:
        if header.kind == Kind.CALL:
            return pong(Header(Kind.PING, LEASE, header.call - 1), header.call - 1, Progress.SENT)
        return message(Kind.REPLY, header.call, "done")

    puppet, connection = meet(answer)
    do(connection)
    do(connection)
    assert puppet.count(Kind.CALL) == 2


def test_replies_to_other_calls_are_passed_over(meet: Any) -> None:
    _, connection = meet(lambda header, _: message(Kind.REPLY, 99, "old") + message(Kind.REPLY, header.call, "new"))
    assert do(connection) == "new"


def test_a_call_that_takes_too_long_is_given_up(meet: Any) -> None:
    def answer(header: Header, count: int) -> list[list[bytes]]:
        return pong(header, 1, Progress.RUNNING) if header.kind == Kind.PING else []

    puppet, connection = meet(answer)
    connection.call("step", {})
    with pytest.raises(DeadlineExceeded, match=rf"within 0\.3 s from {puppet.endpoint} \(call 1\)"):
        wait_for([connection], 0.3)
    with pytest.raises(ClosedError, match="never answered"):
        do(connection)


def test_a_server_that_falls_silent_is_lost(meet: Any) -> None:
    _, connection = meet(lambda header, _: [])
    before = time.monotonic()
    with pytest.raises(ServerLost, match="silent for 1 s"):
        do(connection)
    assert time.monotonic() - before < 2.5
    with pytest.raises(ServerLost):
        do(connection)


def test_a_pause_of_its_own_is_not_the_servers_silence(meet: Any) -> None:
    _, connection = meet(lambda header, _: [])
    connection.call("step", {})
    now = time.monotonic() + 100 * DEADLINES.window
    connection.tick(now)
    assert connection.pending
    for i in range(12):
        connection.tick(now + i * DEADLINES.window / 10)
    assert not connection.pending


def test_what_came_during_a_pause_of_its_own_is_in_time(meet: Any) -> None:
    _, connection = meet(lambda header, _: message(Kind.REPLY, 1, "done"))
    connection.call("step", {})
    assert connection.socket.poll(5000)
    wait_for([connection], -1.0)
    assert connection.result() == "done"


def test_a_process_that_ended_is_noticed_at_once(meet: Any) -> None:
    dead: list[str] = []
    _, connection = meet(lambda header, _: [], check=lambda: dead[0] if dead else None)
    dead.append("it was killed")
    before = time.monotonic()
    with pytest.raises(ServerLost, match="it was killed"):
        do(connection)
    assert time.monotonic() - before < 0.9


@pytest.mark.parametrize(("last", "words"), [(0, "nothing was stepped"), (1, "it was stopped$")])
def test_goodbye_is_a_loss_and_tells_whether_the_call_was_begun(meet: Any, last: int, words: str) -> None:
    _, connection = meet(lambda header, _: [[Header(Kind.GOODBYE, LEASE, last).pack()]])
    with pytest.raises(ServerLost, match=f"said goodbye.*{words}"):
        do(connection)


@pytest.mark.parametrize(
    "reply",
    [
        [b"garbage"],
        [Header(Kind.REPLY, LEASE, 1).pack(), b"garbage", b""],
        [Header(Kind.REPLY, LEASE, 1).pack()],
        [Header(Kind.WELCOME, LEASE, 1).pack(), *wire.encode(None)[:1], b""],
        [Header(Kind.REPLY, LEASE, 1, Via.SEGMENT).pack(), *wire.encode(None)[:1], b""],
        [Header(Kind.ERROR, LEASE, 1).pack(), b"garbage", b""],
    ],
    ids=["no header", "no data", "no frames", "a welcome", "no segment", "no error"],
)
def test_a_malformed_reply_is_an_error(meet: Any, reply: list[bytes]) -> None:
    _, connection = meet(lambda header, _: [reply])
    with pytest.raises(ProtocolError):
        do(connection)


def test_a_reply_over_the_bounds_is_refused(meet: Any) -> None:
    _, connection = meet(lambda header, _: message(Kind.REPLY, 1, np.zeros(5000)), max_bytes=1000)
    with pytest.raises(ProtocolError, match="at most 1000"):
        do(connection)


def test_another_version_is_named(meet: Any) -> None:
    _, connection = meet(lambda header, _: [[wire.MAGIC + (3).to_bytes(2, "little"), b"x"]])
    with pytest.raises(HandshakeError, match="version 3, expected 1"):
        do(connection)


def test_nobody_there_is_noticed_in_time(context: zmq.Context) -> None:
    before = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"tcp://127\.0\.0\.1:9"):
        Connection(context, "tcp://127.0.0.1:9", DEADLINES).hello()
    assert 0.9 < time.monotonic() - before < 3.0


@pytest.mark.parametrize("endpoint", ["", "localhost", "tcp://nowhere", "smoke://signal"])
def test_what_is_no_address_is_refused(context: zmq.Context, endpoint: str) -> None:
    with pytest.raises(HandshakeError, match="no address"):
        Connection(context, endpoint, DEADLINES)


@pytest.mark.skipif(host() is None, reason="this system has no memfd")
def test_an_error_after_shared_memory_was_found_does_not_keep_it(context: zmq.Context) -> None:
    memory = Segment(1 << 16)
    answers = iter([message(Kind.WELCOME, 0, {"identity": {}, "segment": memory.address}), []])

    def welcome_then_nothing(header: Header, _: int) -> list[list[bytes]]:
        return [[header._replace(kind=Kind.WELCOME, lease=LEASE).pack(), *rest] for _, *rest in next(answers, [])]

    with contextlib.closing(Puppet(context, welcome_then_nothing)) as puppet:
        connection = Connection(context, puppet.endpoint, Deadlines(connect=0.2))
        mapped = mappings()
        with pytest.raises(DeadlineExceeded) as caught:
            connection.hello()
        assert mappings() == mapped + 1
        connection.close()
        # `caught` has the frames in which the memory was attached.
        assert mappings() == mapped and caught.tb is not None


def test_a_closed_connection_is_gone_with_the_error_by_which_its_server_was_lost(
    meet: Any, without_collections: None
) -> None:
    connection = meet(lambda header, _: [[Header(Kind.GOODBYE, LEASE).pack()]])[1]
    alive = weakref.ref(connection)
    try:
        do(connection)
    except ServerLost:
        connection.close()
    del connection
    assert alive() is None


def mappings() -> int:
    """Segments that this process has mapped."""
    return Path("/proc/self/maps").read_text().count("memfd:dexgrasp")
