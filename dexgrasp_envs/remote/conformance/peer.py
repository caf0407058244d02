"""A client that speaks the bare protocol: a check sees what the server does, not what our client makes of it."""

import secrets
import time
from collections.abc import Sequence
from typing import Any

import zmq

from .. import wire
from ..data_plane import ArrivingChunks, ChunkedPlane, Frame
from ..keys import ClientKeys
from ..limits import MAX_BYTES
from ..sockets import open_socket, receive, send
from ..wire import Header, Kind
from .report import Failed

_PLANE = ChunkedPlane(MAX_BYTES)
Answer = tuple[Header, Any]
"""Header and data of a message."""


class Peer:
    """One connection, with or without a lease.

    Args:
        context: ZeroMQ context.
        endpoint: The server's address.
        end: When to give up, s of the monotonic clock; every wait ends then with `Failed`.
        keys: This client's key and the server's, if it has keys.
    """

    def __init__(
        self, context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str, end: float, keys: ClientKeys | None = None
    ):
        self._socket = open_socket(context, zmq.DEALER)
        if keys is not None:
            keys.identify(self._socket)
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError:
            self._socket.close()
            raise
        self._end = end
        self._last: list[Sequence[Frame]] = []
        self.lease = 0
        """The lease, 0 without one."""
        self.number = 0
        """The last call."""

    def close(self) -> None:
        """Give the lease back, if there is one."""
        if self.lease:
            self.goodbye()
        self._socket.close(linger=200)

    def goodbye(self) -> None:
        """Give the lease back."""
        self.send([Header(Kind.GOODBYE, self.lease).pack()])
        self.lease = 0

    def send(self, frames: Sequence[Frame]) -> None:
        """Any frames, as one message."""
        while True:
            try:
                send(self._socket, frames)
                return
            except zmq.Again:
                self._wait(zmq.POLLOUT, "the server takes in nothing")

    def send_data(self, header: Header, data: Any) -> None:
        """A message with its chunks."""
        self._last = list(_PLANE.outgoing(header, data))
        self.replay()

    def replay(self) -> None:
        """The last message with data, again."""
        for frames in self._last:
            self.send(frames)

    def receive(self) -> Answer:
        """The next message with its chunks; its data are None if it has none."""
        header, frames = self._next()
        if header.kind in (Kind.PONG, Kind.GOODBYE):
            return header, None
        arriving = _PLANE.incoming(header, frames)
        while not arriving.complete:
            self._take_chunk(arriving)
        return header, arriving.data()

    def hello(self, number: int | None = None) -> Answer:
        """Ask for the lease; WELCOME or ERROR."""
        self.send_data(Header(Kind.HELLO, call=number or secrets.randbits(63) | 1), {"host": None})
        header, data = self.receive()
        if header.kind == Kind.WELCOME:
            self.lease = header.lease
        return header, data

    def ping(self) -> Header:
        """The server's PONG, which must be the next message."""
        self.send([Header(Kind.PING, self.lease, self.number).pack()])
        header, _ = self.receive()
        if header.kind != Kind.PONG or header.offset != self.number:
            raise Failed(f"expected a PONG with offset {self.number} after a PING with that call, got {header}")
        return header

    def call(self, operation: Any, arguments: Any) -> None:
        """Begin the next call."""
        self.number += 1
        self.send_data(Header(Kind.CALL, self.lease, self.number), {"operation": operation, "arguments": arguments})

    def answer(self) -> Answer:
        """REPLY or ERROR to the last call, which must be the next message."""
        header, data = self.receive()
        if header.kind not in (Kind.REPLY, Kind.ERROR) or (header.lease, header.call) != (self.lease, self.number):
            raise Failed(f"expected the answer to call {self.number} of lease {self.lease}, got {header}")
        return header, data

    def do(self, operation: str, **arguments: Any) -> Any:
        """The reply to a call that must succeed."""
        self.call(operation, arguments)
        header, data = self.answer()
        if header.kind == Kind.ERROR:
            raise Failed(f"{operation} was answered with the error {error_of(data)}")
        return data

    def refused(self, operation: Any, **arguments: Any) -> str:
        """The class of the error of a call that must fail."""
        self.call(operation, arguments)
        header, data = self.answer()
        if header.kind != Kind.ERROR:
            raise Failed(f"{operation!r} was answered with a REPLY, expected an ERROR")
        error_of(data)
        return str(data["type"])

    def _take_chunk(self, arriving: ArrivingChunks) -> None:
        header, frames = self._next()
        if header.kind != Kind.CHUNK or (header.lease, header.call) != arriving.header[1:3]:
            raise Failed(f"expected a chunk of {arriving.header}, got {header}")
        arriving.add(header, frames)

    def _next(self) -> tuple[Header, list[memoryview]]:
        while True:
            try:
                first, *frames = receive(self._socket)
                return Header.unpack(bytes(first)), frames
            except zmq.Again:
                self._wait(zmq.POLLIN, "the server does not answer")
            except wire.WireError as error:
                raise Failed(f"the server sent what is no message: {error}") from None
            except ValueError:
                raise Failed("the server sent a message of more than 3 frames") from None

    def _wait(self, event: int, why: str) -> None:
        left = self._end - time.monotonic()
        if left <= 0 or not self._socket.poll(int(left * 1e3) + 1, event):
            raise Failed(f"{why} within the deadline")


def error_of(data: Any) -> str:
    """Class and message of an ERROR's data; `Failed` if it has others."""
    if not isinstance(data, dict) or not {"type", "message", "ours"} <= data.keys():
        raise Failed(f"an ERROR must have type, message and ours, got {data!r}")
    return f"{data['type']}: {data['message']}"
