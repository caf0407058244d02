"""The server's I/O thread: it answers heartbeats while the environment steps."""

import queue
import secrets
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import zmq

from ..errors import HandshakeError, ProtocolError, RemoteError, ServerBusy, ServerLost
from . import wire
from .counters import Counters, size_of
from .data_plane import ChunkedPlane, DataPlane, Frame
from .failures import failure_to_data
from .gate import Gate
from .lease import Lease, Messages, Progress
from .segment import Segment, host
from .shared_plane import SharingPlane
from .sockets import MAX_FRAMES, open_socket, receive, send
from .wire import Header, Kind

_TICK_MS = 200
"""Most milliseconds until an end is noticed."""
_BURST = 16
"""Messages that are sent, or received, before the other direction is looked at."""
_FLUSH = 2.0
"""Most seconds to finish sending when the server ends."""


@dataclass(frozen=True)
class Request:
    """A call for the thread that steps."""

    lease: int
    call: int
    data: Any
    plane: DataPlane
    """How the reply's arrays are to travel."""


@dataclass(frozen=True)
class Reply:
    """What came of a request; sent only if its client is still there."""

    request: Request
    messages: Messages
    header: Header
    data: Any


class ServerIO(threading.Thread):
    """Owns the socket and the lease.

    Args:
        context: ZeroMQ context.
        socket: A bound ROUTER socket, which this thread takes over.
        plane: How arrays travel.
        identity: What a client is told in its welcome.
        shared_bytes: Memory that is shared with a client that can, for arrays of replies.
        counters: Where what travels is counted.
        window: A client that is silent for so long loses its lease to another one, s.
        gate: Judges who may connect; this thread takes it over.
    """

    def __init__(
        self,
        context: "zmq.Context[zmq.Socket[bytes]]",
        socket: "zmq.Socket[bytes]",
        plane: ChunkedPlane,
        identity: dict[str, Any],
        shared_bytes: int,
        counters: Counters,
        window: float,
        gate: Gate | None = None,
    ):
        super().__init__(name="dexgrasp-server-io", daemon=True)
        self.requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        """Calls to be done; None when the server is to end."""
        self.failure: Exception | None = None
        """Why this thread ended, if it was not asked to."""
        self._socket = socket
        self._plane = plane
        self._identity = identity
        self._shared_bytes = shared_bytes
        self._counters = counters
        self._window = window
        self._gate = gate
        self._lease: Lease | None = None
        self._replies: deque[Reply] = deque()
        self._ending = False
        wake = f"inproc://wake-{secrets.token_hex(8)}"
        self._woken, self._wake = open_socket(context, zmq.PAIR), open_socket(context, zmq.PAIR)
        self._woken.bind(wake)
        self._wake.connect(wake)

    def reply(self, reply: Reply) -> None:
        """Send a reply; called by the thread that steps."""
        self._replies.append(reply)
        self._wake.send(b"")

    def end(self) -> None:
        """Finish sending, say goodbye and close the socket; called by the thread that steps."""
        self._ending = True
        self._wake.send(b"")
        self.join(_FLUSH + 5.0)
        self._wake.close()

    def run(self) -> None:
        """Handle messages until `end`."""
        try:
            while not self._ending:
                self._turn()
            deadline = time.monotonic() + _FLUSH
            while self._sending() and time.monotonic() < deadline:
                self._turn()
            if self._lease is not None:
                self._send(self._lease.route, Header(Kind.GOODBYE, self._lease.id))
        except Exception as error:
            self.failure = error
            self.requests.put(None)
        finally:
            # What is in the queue, the goodbye too, has a moment to leave.
            self._socket.close(linger=500)
            self._woken.close()
            if self._gate is not None:
                self._gate.socket.close()

    def _turn(self) -> None:
        """Wait for something to happen, a moment only while the queue to the client is full."""
        sockets = [self._socket, self._woken] + ([] if self._gate is None else [self._gate.socket])
        events = zmq.zmq_poll([(socket, zmq.POLLIN) for socket in sockets], 1 if self._sending() else _TICK_MS)
        ready = {socket for socket, _ in events}
        if self._gate is not None and self._gate.socket in ready:
            self._gate.judge()
        if self._woken in ready:
            self._woken.recv()
        if self._socket in ready:
            self._receive()
        while self._replies:
            self._take(self._replies.popleft())
        self._pump()

    def _receive(self) -> None:
        for _ in range(_BURST):
            try:
                frames = receive(self._socket, 1 + MAX_FRAMES)
            except zmq.Again:
                return
            self._counters.received += size_of(frames)
            if len(frames) < 2:
                continue
            route = bytes(frames[0])
            try:
                header = Header.unpack(bytes(frames[1]))
            except wire.VersionSkew as error:
                self._refuse(route, Header(Kind.ERROR), HandshakeError(f"{error}: install the same dexgrasp_envs"))
                continue
            except wire.WireError:
                # Not one of ours: no answer would be understood.
                continue
            try:
                self._handle(route, header, frames[2:])
            except RemoteError as error:
                self._refuse(route, Header(Kind.ERROR, header.lease, header.call), error)

    def _handle(self, route: bytes, header: Header, frames: Sequence[memoryview]) -> None:
        """Act on a message; a RemoteError is told to its sender."""
        if header.kind == Kind.HELLO:
            self._hello(route, header, frames)
            return
        if header.kind == Kind.STATS:
            for message in self._plane.outgoing(Header(Kind.STATS, call=header.call), self._stats()):
                self._send_frames(route, message)
            return
        lease = self._lease
        if lease is None or header.lease != lease.id:
            if header.kind in (Kind.CALL, Kind.PING):
                raise ServerLost(
                    "this client has no lease: the server was restarted, or another client took over after this one "
                    f"had been silent for {self._window:g} s"
                )
            return
        lease.heard = time.monotonic()
        if header.kind == Kind.PING:
            self._send(route, Header(Kind.PONG, lease.id, lease.call, lease.progress, header.call))
        elif header.kind == Kind.GOODBYE:
            self._lease = None
        elif header.kind == Kind.CALL:
            self._call(lease, route, header, frames)
        elif header.kind == Kind.CHUNK:
            self._chunk(lease, header, frames)

    def _hello(self, route: bytes, header: Header, frames: Sequence[memoryview]) -> None:
        # A stranger's word: it has no arrays for which memory would be asked.
        said = ChunkedPlane(0).incoming(header, frames).data()
        now = time.monotonic()
        another = self._lease is not None and self._lease.hello != header.call
        if self._lease is not None and another and now - self._lease.heard > self._window:
            # Only now: a silent client may have been paused, and can go on while nobody else wants the lease.
            self._lease, another = None, False
        if another:
            raise ServerBusy(
                "the server has a client already: wait until that one closes its environment (or has been silent for "
                f"{self._window:g} s), or start another server"
            )
        if self._lease is None:
            self._lease = Lease(secrets.randbits(63) | 1, header.call, route, now, self._plane)
        welcome = {"identity": self._identity, "segment": self._share(self._lease, said)}
        for message in self._plane.outgoing(Header(Kind.WELCOME, self._lease.id, header.call), welcome):
            self._send_frames(route, message)

    def _stats(self) -> dict[str, Any]:
        lease = self._lease
        return {
            "env_id": self._identity.get("env_id"),
            "num_envs": self._identity["num_envs"],
            "silent": None if lease is None else time.monotonic() - lease.heard,
            "memory": lease is not None and isinstance(lease.plane, SharingPlane),
            **self._counters.as_data(),
        }

    def _share(self, lease: Lease, said: Any) -> dict[str, Any] | None:
        """Offer memory to a client that says it is on this host; use it with one that proves to read it."""
        said = said if isinstance(said, dict) else {}
        if lease.segment is None:
            if not self._shared_bytes or said.get("host") is None or said["host"] != host():
                return None
            try:
                lease.segment = Segment(self._shared_bytes)
            except OSError as error:
                return {"failure": f"{self._shared_bytes} bytes: {error.strerror}"}
        elif said.get("nonce") == lease.segment.nonce.hex():
            lease.plane = SharingPlane(self._plane, lease.segment.bytes, self._counters)
            lease.segment.close()
        return lease.segment.address

    def _call(self, lease: Lease, route: bytes, header: Header, frames: Sequence[memoryview]) -> None:
        if header.call == lease.call and lease.progress is not Progress.RECEIVING:
            # A replay: the call is done once, its reply is sent again.
            lease.route = route
            if lease.progress is not Progress.RUNNING and lease.reply is not None:
                lease.send(lease.reply())
            return
        again = header.call == lease.call and lease.progress is Progress.RECEIVING
        if not again and (header.call != lease.call + 1 or lease.progress is not Progress.SENT):
            raise ProtocolError(f"call {header.call} after call {lease.call}, which is {lease.progress.name}")
        lease.route, lease.call, lease.progress = route, header.call, Progress.RECEIVING
        try:
            lease.arriving = lease.plane.incoming(header, frames)
        except ProtocolError as error:
            self._give_up(lease, error)
        else:
            self._run_if_complete(lease)

    def _chunk(self, lease: Lease, header: Header, frames: Sequence[memoryview]) -> None:
        if lease.arriving is None or header.call != lease.call:
            return
        try:
            lease.arriving.add(header, frames)
        except ProtocolError as error:
            self._give_up(lease, error)
        else:
            self._run_if_complete(lease)

    def _run_if_complete(self, lease: Lease) -> None:
        assert lease.arriving is not None
        if lease.arriving.complete:
            lease.progress = Progress.RUNNING
            self.requests.put(Request(lease.id, lease.call, lease.arriving.data(), lease.plane))
            lease.arriving = None

    def _give_up(self, lease: Lease, error: ProtocolError) -> None:
        """Answer a call that is malformed, as one that was done and failed."""
        header, data = Header(Kind.ERROR, lease.id, lease.call), failure_to_data(error)
        lease.arriving = None
        lease.reply = lambda: self._plane.outgoing(header, data)
        lease.send(lease.reply())

    def _take(self, reply: Reply) -> None:
        """Begin to send a reply, unless its client has gone."""
        lease = self._lease
        if lease is not None and (lease.id, lease.call) == (reply.request.lease, reply.request.call):
            plane = reply.request.plane
            lease.reply = lambda: plane.outgoing(reply.header, reply.data)
            lease.send(reply.messages)

    def _sending(self) -> bool:
        return bool(self._replies) or (self._lease is not None and self._lease.progress is Progress.SENDING)

    def _pump(self) -> None:
        """Send some of the reply, as far as there is room in the queue."""
        lease = self._lease
        if lease is None or lease.progress is not Progress.SENDING:
            return
        for _ in range(_BURST):
            frames = lease.unsent or next(lease.outgoing, None)
            if frames is None:
                lease.progress = Progress.SENT
                return
            lease.unsent = frames
            if not self._send_frames(lease.route, frames):
                return
            lease.unsent = None

    def _refuse(self, route: bytes, header: Header, error: RemoteError) -> None:
        for message in self._plane.outgoing(header, failure_to_data(error)):
            self._send_frames(route, message)

    def _send(self, route: bytes, header: Header) -> None:
        self._send_frames(route, [header.pack()])

    def _send_frames(self, route: bytes, frames: Sequence[Frame]) -> bool:
        """Send a message if there is room for it; one to a connection that is gone counts as sent."""
        try:
            send(self._socket, [route, *frames])
            self._counters.sent += size_of(frames)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
        return True
