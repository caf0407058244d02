"""The server's I/O thread: it answers heartbeats while the environment steps."""

import contextlib
import queue
import secrets
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import zmq

from ..errors import HandshakeError, RemoteError, ServerLost
from . import wire
from .counters import Counters, size_of
from .data_plane import ChunkedPlane, Frame
from .events import Log
from .failures import failure_to_data
from .gate import Gate
from .obs_layout import ObsLayout
from .session import Gone, Reply, Request, Session
from .sockets import MAX_FRAMES, open_socket, receive, send
from .wire import Header, Kind

_TICK_MS = 200
"""Most milliseconds until an end is noticed."""
_BURST = 16
"""Messages that are received before something else is looked at."""
_FLUSH = 2.0
"""Most seconds to finish sending when the server ends."""


class ServerIO(threading.Thread):
    """Owns the socket and the sessions.

    Args:
        context: ZeroMQ context.
        socket: A bound ROUTER socket, which this thread takes over.
        plane: How arrays travel.
        identities: For each group what its client is told in its welcome.
        layouts: For each group where observations lie in memory that is shared with a client that can.
        counters: Where what travels is counted.
        window: A client that is silent for so long loses its lease to another one, s.
        log: Takes events.
        gate: Judges who may connect; this thread takes it over.
    """

    def __init__(
        self,
        context: "zmq.Context[zmq.Socket[bytes]]",
        socket: "zmq.Socket[bytes]",
        plane: ChunkedPlane,
        identities: Sequence[dict[str, Any]],
        layouts: Sequence[ObsLayout],
        counters: Counters,
        window: float,
        log: Log,
        gate: Gate | None = None,
    ):
        super().__init__(name="dexgrasp-server-io", daemon=True)
        self.requests: queue.SimpleQueue[Request | Gone | None] = queue.SimpleQueue()
        """Calls to be done, clients that have gone, and None when the server is to end."""
        self.failure: Exception | None = None
        """Why this thread ended, if it was not asked to."""
        self._socket = socket
        self._plane = plane
        self._counters = counters
        self._window = window
        self._gate = gate
        self.sessions = [
            Session(identity, plane, layout, counters, window, self._send_frames, self.requests.put, log)
            for identity, layout in zip(identities, layouts, strict=True)
        ]
        """One for each group; this thread's."""
        self._replies: deque[Reply] = deque()
        self._ending = False
        wake = f"inproc://wake-{secrets.token_hex(8)}"
        self._woken, self._wake = open_socket(context, zmq.PAIR), open_socket(context, zmq.PAIR)
        self._woken.bind(wake)
        self._wake.connect(wake)

    def reply(self, reply: Reply) -> None:
        """Send a reply; called by the thread that steps."""
        self._replies.append(reply)
        self._wake_up()

    def end(self) -> None:
        """Finish sending, say goodbye and close the socket; called by the thread that steps."""
        self._ending = True
        self._wake_up()
        self.join(_FLUSH + 5.0)
        self._wake.close()

    def run(self) -> None:
        """Handle messages until `end`."""
        try:
            while not self._ending:
                self._turn()
            self._drain(time.monotonic() + _FLUSH)
            for session in self.sessions:
                session.goodbye()
        except Exception as error:
            self.failure = error
            self.requests.put(None)
        finally:
            # What is in the queue, the goodbye too, has a moment to leave.
            self._socket.close(linger=500)
            self._woken.close()
            if self._gate is not None:
                self._gate.socket.close()

    def _drain(self, deadline: float) -> None:
        """Finish sending, and answer calls that come too late: nobody steps any more."""
        while time.monotonic() < deadline:
            while not self.requests.empty():
                request = self.requests.get_nowait()
                if isinstance(request, Request):
                    self._replies.append(_too_late(request))
            if not self._turn(wait=self._sending()) and not self._sending() and self.requests.empty():
                return

    def _wake_up(self) -> None:
        # A thread that has ended, or is about to look anyway, is not waited for.
        with contextlib.suppress(zmq.Again):
            self._wake.send(b"", zmq.NOBLOCK)

    def _turn(self, wait: bool = True) -> bool:
        """Wait for something to happen, a moment only while the queue to the client is full; whether a message came."""
        sockets = [self._socket, self._woken] + ([] if self._gate is None else [self._gate.socket])
        patience = (1 if self._sending() else _TICK_MS) if wait else 0
        events = zmq.zmq_poll([(socket, zmq.POLLIN) for socket in sockets], patience)
        ready = {socket for socket, _ in events}
        if self._gate is not None and self._gate.socket in ready:
            self._gate.judge()
        if self._woken in ready:
            self._woken.recv()
        if self._socket in ready:
            self._receive()
        while self._replies:
            reply = self._replies.popleft()
            self.sessions[reply.request.group].take(reply)
        for session in self.sessions:
            session.pump()
        return self._socket in ready

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
        for session in self.sessions:
            if session.lease is not None and session.lease.id == header.lease:
                session.handle(session.lease, route, header, frames)
                return
        if header.kind in (Kind.CALL, Kind.PING):
            raise ServerLost(
                "this client has no lease: the server was restarted, or another client took over after this one "
                f"had been silent for {self._window:g} s"
            )

    def _hello(self, route: bytes, header: Header, frames: Sequence[memoryview]) -> None:
        # A stranger's word: it has no arrays for which memory would be asked.
        said = ChunkedPlane(0).incoming(header, frames).data()
        said = said if isinstance(said, dict) else {}
        group = said.get("group", 0)
        if not isinstance(group, int) or group not in range(len(self.sessions)):
            raise HandshakeError(f"the server has {len(self.sessions)} group(s) of environments, not number {group!r}")
        self.sessions[group].hello(route, header, said)

    def _stats(self) -> dict[str, Any]:
        now = time.monotonic()
        identity = self.sessions[0].identity
        return {
            "env_id": identity.get("env_id"),
            "num_envs": sum(session.identity["num_envs"] for session in self.sessions),
            "silent": min((now - one.lease.heard for one in self.sessions if one.lease is not None), default=None),
            "memory": any(session.shares for session in self.sessions),
            **self._counters.as_data(),
        }

    def _sending(self) -> bool:
        return bool(self._replies) or any(session.sending for session in self.sessions)

    def _refuse(self, route: bytes, header: Header, error: RemoteError) -> None:
        for message in self._plane.outgoing(header, failure_to_data(error)):
            self._send_frames(route, message)

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


def _too_late(request: Request) -> Reply:
    """What a call hears that waited when the server ended."""
    header = Header(Kind.ERROR, request.lease, request.call)
    data = failure_to_data(ServerLost("the server was stopped before it began this call: nothing was stepped"))
    return Reply(request, request.plane.outgoing(header, data), header, data)
