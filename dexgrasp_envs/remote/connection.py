"""The client's end of the way to one server."""

import secrets
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import zmq

from ..errors import ClosedError, DeadlineExceeded, HandshakeError, ProtocolError, ServerLost
from . import wire
from .data_plane import Arriving, ChunkedPlane, DataPlane, Frame, Place, anywhere
from .failures import failure_from_data
from .handshake_watch import HandshakeWatch
from .keys import ClientKeys
from .lease import Progress
from .limits import MAX_BYTES, Deadlines
from .segment import attach, host
from .shared_plane import SharedPlane
from .sockets import open_socket, receive, send
from .wire import Header, Kind

Check = Callable[[], str | None]
"""Says how a server's process ended, None while it runs."""
_TICK_MS = 100
"""Most milliseconds between two looks at a server's process."""


class Connection:
    """Calls to one server, one at a time.

    Args:
        context: ZeroMQ context.
        endpoint: The server's address.
        deadlines: How long to wait.
        check: Looks at the server's process, where this process started it.
        keys: This client's key and the server's, if it has keys.
        shared_memory: Whether large arrays come through shared memory where server and client can.
        copy: Whether they are copied out of it, see `SharedPlane`.
        max_bytes: Most bytes of arrays that are accepted in one reply.
        group: Which of the server's groups of environments is to be driven.
    """

    def __init__(
        self,
        context: "zmq.Context[zmq.Socket[bytes]]",
        endpoint: str,
        deadlines: Deadlines,
        check: Check | None = None,
        keys: ClientKeys | None = None,
        shared_memory: bool = True,
        max_bytes: int = MAX_BYTES,
        group: int = 0,
        copy: bool = True,
    ):
        self.endpoint = endpoint
        self._group = group
        self._copy = copy
        self.lease = 0
        self.socket = open_socket(context, zmq.DEALER)
        if keys is not None:
            keys.identify(self.socket)
        self._watch: HandshakeWatch | None = HandshakeWatch(self.socket)
        self._deadlines = deadlines
        self._check = check
        self._chunked = ChunkedPlane(max_bytes)
        self._plane: DataPlane = self._chunked
        self._host = host() if shared_memory else None
        self._header = Header(Kind.HELLO)
        self._data: Any = None
        self._place: Place = anywhere
        self._arriving: Arriving | None = None
        self._result: Any = None
        self._error: Exception | None = None
        self._lost: ServerLost | None = None
        self._heard = self._pinged = self._ticked = 0.0
        self.pending = False
        """Whether the last call is still to be answered."""
        try:
            self.socket.connect(endpoint)
        except zmq.ZMQError as error:
            raise HandshakeError(f"{endpoint!r} is no address: {error.strerror}; expected tcp://HOST:PORT") from None

    @property
    def where(self) -> str:
        """Server and call, for messages."""
        return f"{self.endpoint} (call {self._header.call})" if self.lease else self.endpoint

    def hello(self, number: int | None = None) -> dict[str, Any]:
        """Ask for the lease; who the server is. DeadlineExceeded, ServerBusy or HandshakeError.

        A `number` that was said before, on another connection, is given the lease that it may have been given unheard.
        """
        number = number or secrets.randbits(63) | 1
        try:
            welcome = self._greet(number, {"host": self._host, "group": self._group, "views": not self._copy})
        finally:
            self._unwatch()
        if isinstance(welcome["segment"], dict):
            self._attach(number, welcome["segment"])
        return welcome["identity"]

    def call(self, operation: str, arguments: dict[str, Any], place: Place = anywhere) -> None:
        """Begin an operation; `wait_for` it, then take its `result`. Large arrays are received where `place` says.

        That the server was lost is told by `result`.
        """
        if self._lost is not None:
            self._error = self._lost
            return
        if self.pending:
            raise ClosedError(f"{self.where} never answered; close the environment and make a new one")
        number = self._header.call + 1 if self._header.kind == Kind.CALL else 1
        data = {"operation": operation, "arguments": arguments}
        self._begin(Header(Kind.CALL, self.lease, number), data, place)

    def result(self) -> Any:
        """What came of the last call; raises what the server raised, or how it was lost."""
        if self._error is not None:
            raise self._error
        return self._result

    def handle(self) -> None:
        """Take in the messages that have come, up to the end of the reply."""
        while self.pending:
            try:
                frames = receive(self.socket)
            except zmq.Again:
                return
            if frames:
                self._handle(bytes(frames[0]), frames[1:])

    def tick(self, now: float) -> None:
        """Send a sign of life if it is time, and see whether the server still gives any."""
        if now - self._ticked > 1.0:
            # This process was paused: that is not the server's silence.
            self._heard += now - self._ticked
        self._ticked = now
        refusal = self._watch.failure() if self._watch is not None else None
        ended = self._check() if self._check is not None else None
        if ended is not None:
            self._lose(f"{self.where} ended: {ended}")
        elif refusal is not None:
            self._fail(HandshakeError(f"{self.endpoint} {refusal}"))
        elif self.lease and now - self._heard > self._deadlines.window:
            self._lose(f"{self.where} was silent for {self._deadlines.window:g} s")
        elif self.lease and now - self._pinged >= self._deadlines.heartbeat:
            self._pinged = now
            self._send_now([Header(Kind.PING, self.lease, self._header.call).pack()])

    def give_up(self, why: str) -> None:
        """Take the server for lost; nothing more is sent to it."""
        self._lose(why)

    def goodbye(self) -> None:
        """Give the lease back, if there is one, and the shared memory."""
        self._let_go()
        if self.lease and self._lost is None:
            self._send_now([Header(Kind.GOODBYE, self.lease).pack()])

    def close(self) -> None:
        """Say goodbye, also to a server that is taken for lost and may live, and free the socket."""
        self._let_go()
        # An error keeps the frames that it passed, this connection and the observations in them, until a collection.
        self._error = self._lost = None
        self._unwatch()
        if self.lease:
            self._send_now([Header(Kind.GOODBYE, self.lease).pack()])
        # The goodbye has a moment to leave, and nobody waits for it; a hello that was not heard is withdrawn.
        self.socket.close(linger=200 if self.lease else 0)

    def _greet(self, number: int, data: dict[str, Any]) -> dict[str, Any]:
        self._begin(Header(Kind.HELLO, call=number), data, anywhere)
        wait_for([self], self._deadlines.connect)
        welcome = self.result()
        if not isinstance(welcome, dict) or not isinstance(welcome.get("identity"), dict) or "segment" not in welcome:
            raise ProtocolError(f"{self.endpoint} does not say who it is")
        return welcome

    def _attach(self, number: int, offer: dict[str, Any]) -> None:
        """Show that this process can read the memory that the server offers; from then on the server uses it."""
        try:
            if "failure" in offer:
                raise OSError(f"the server could not have {offer['failure']}")
            nonce, segment = attach(**offer)
        except (OSError, TypeError, ValueError, OverflowError) as error:
            warnings.warn(
                f"{self.endpoint} is on this machine, but shares no memory with this process: {error}. Images come "
                "through the socket, which is slower",
                RuntimeWarning,
                stacklevel=2,
            )
            return
        self._plane = SharedPlane(self._chunked, segment, self._copy)
        # Whoever keeps an error of what follows, and with it this frame, must not keep the memory.
        del segment
        self._greet(number, {"nonce": nonce.hex(), "group": self._group})

    def _let_go(self) -> None:
        """Keep nothing of the shared memory: neither the segment nor views of it."""
        self._plane = self._chunked
        self._arriving = self._result = None

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _begin(self, header: Header, data: Any, place: Place) -> None:
        messages = self._plane.outgoing(header, data)
        self._header, self._data, self._place = header, data, place
        self._arriving = self._result = self._error = None
        self._heard = self._pinged = self._ticked = time.monotonic()
        self.pending = True
        self._send(messages)

    def _send(self, messages: Any) -> None:
        """Send all messages; while the queue is full, see that the server lives."""
        deadline = time.monotonic() + self._deadlines.call
        for frames in messages:
            while self.pending and not self._send_now(frames):
                if time.monotonic() > deadline:
                    raise DeadlineExceeded(f"{self.where} took in nothing for {self._deadlines.call:g} s")
                if self.socket.poll(_TICK_MS, zmq.POLLIN | zmq.POLLOUT) & zmq.POLLIN:
                    self.handle()
                self.tick(time.monotonic())

    def _send_now(self, frames: Sequence[Frame]) -> bool:
        try:
            send(self.socket, frames)
        except zmq.Again:
            return False
        return True

    def _handle(self, first: bytes, frames: Sequence[memoryview]) -> None:
        try:
            header = Header.unpack(first)
        except wire.VersionSkew as error:
            self._fail(HandshakeError(f"{self.endpoint}: {error}; install the same dexgrasp_envs at both ends"))
            return
        except wire.WireError as error:
            self._fail(ProtocolError(f"{self.endpoint}: {error}"))
            return
        self._heard = time.monotonic()
        try:
            self._act(header, frames)
        except ProtocolError as error:
            self._fail(ProtocolError(f"{self.where}: {error}"))

    def _act(self, header: Header, frames: Sequence[memoryview]) -> None:
        mine = header.call == self._header.call
        if header.kind == Kind.GOODBYE and header.lease == self.lease != 0:
            unheard = self._header.kind == Kind.CALL and header.call < self._header.call
            begun = " before it began this call: nothing was stepped" if unheard else ""
            self._lose(f"{self.where} said goodbye: it was stopped{begun}")
        elif header.kind == Kind.PONG and header.offset == self._header.call and header.lease == self.lease:
            self._replay_if_lost(header)
        elif header.kind == Kind.ERROR and (mine or header.call == 0):
            error = failure_from_data(self._plane.incoming(header, frames).data(), self.where)
            if isinstance(error, ServerLost):
                self._lose(str(error))
            self._fail(error)
        elif header.kind in (Kind.REPLY, Kind.WELCOME) and mine:
            if (header.kind == Kind.WELCOME) != (self._header.kind == Kind.HELLO):
                raise ProtocolError("an answer to another question")
            self._arriving = self._plane.incoming(header, frames, self._place)
            self._finish_if_complete()
        elif header.kind == Kind.CHUNK and mine and self._arriving is not None:
            self._arriving.add(header, frames)
            self._finish_if_complete()

    def _replay_if_lost(self, pong: Header) -> None:
        """Messages keep their order: what is behind the server's answer and has not come is lost."""
        if pong.call == self._header.call and pong.item in (Progress.RUNNING, Progress.SENDING):
            return
        self._send(self._plane.outgoing(self._header, self._data))

    def _finish_if_complete(self) -> None:
        assert self._arriving is not None
        if not self._arriving.complete:
            return
        if self._arriving.header.kind == Kind.WELCOME:
            self.lease = self._arriving.header.lease
        self._result = self._arriving.data()
        self._arriving = None
        self.pending = False

    def _lose(self, message: str) -> None:
        self._lost = ServerLost(message)
        self._fail(self._lost)

    def _fail(self, error: Exception) -> None:
        self._error = error
        self.pending = False


def wait_for(connections: Sequence[Connection], seconds: float) -> None:
    """Wait until all have an outcome; DeadlineExceeded names those that have none by then."""
    deadline = time.monotonic() + seconds
    poller = zmq.Poller()
    for connection in connections:
        poller.register(connection.socket, zmq.POLLIN)
    while pending := [connection for connection in connections if connection.pending]:
        left = deadline - time.monotonic()
        ready = dict(poller.poll(max(0, min(_TICK_MS, 1 + int(left * 1e3)))))
        for connection in pending:
            if connection.socket in ready:
                connection.handle()
            if connection.pending:
                connection.tick(time.monotonic())
            if not connection.pending:
                poller.unregister(connection.socket)
        # What has come in time counts, even if this process was paused since.
        late = [connection for connection in pending if connection.pending]
        if left <= 0 and late:
            names = ", ".join(connection.where for connection in late)
            raise DeadlineExceeded(f"no answer within {seconds:g} s from {names}; is it running, and not too slow?")
