"""One group's side of the server: who may drive it, and how far its call is."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ProtocolError, ServerBusy
from .counters import Counters
from .data_plane import ChunkedPlane, Frame
from .events import Log
from .failures import failure_to_data
from .lease import Lease, Messages, Progress
from .obs_layout import ObsLayout
from .segment import Segment, host
from .shared_plane import SharingPlane
from .wire import Header, Kind

_BURST = 16
"""Messages of a reply that are sent before something else is looked at."""


@dataclass(frozen=True)
class Request:
    """A call for the thread that steps."""

    group: int
    lease: int
    call: int
    data: Any
    plane: ChunkedPlane | SharingPlane
    """How the reply's arrays are to travel."""


@dataclass(frozen=True)
class Gone:
    """Word for the thread that steps that a group's client has gone."""

    group: int


@dataclass(frozen=True)
class Reply:
    """What came of a request; sent only if its client is still there."""

    request: Request
    messages: Messages
    header: Header
    data: Any


class Session:
    """The lease of one group, and its calls; the I/O thread's only.

    Args:
        identity: What a client is told in its welcome; its `group` is the group's number.
        plane: How arrays travel.
        layout: Where observations lie in memory that is shared with a client that can.
        counters: Where what travels is counted.
        window: A client that is silent for so long loses its lease to another one, s.
        send: Sends a message to a route; False if there is no room.
        request: Takes a call that has arrived, and word that the client has gone.
        log: Takes events.
    """

    def __init__(
        self,
        identity: dict[str, Any],
        plane: ChunkedPlane,
        layout: ObsLayout,
        counters: Counters,
        window: float,
        send: Callable[[bytes, Sequence[Frame]], bool],
        request: Callable[[Request | Gone], None],
        log: Log,
    ):
        self.identity = identity
        self.lease: Lease | None = None
        """The client's, if there is one."""
        self._group = int(identity["group"])
        self._plane = plane
        self._layout = layout
        self._counters = counters
        self._window = window
        self._send = send
        self._request = request
        self._log = log

    @property
    def sending(self) -> bool:
        """Whether some of a reply is still to be sent."""
        return self.lease is not None and self.lease.progress is Progress.SENDING

    @property
    def shares(self) -> bool:
        """Whether its client reads its memory."""
        return self.lease is not None and isinstance(self.lease.plane, SharingPlane)

    def hello(self, route: bytes, header: Header, said: dict[str, Any]) -> None:
        """Give the lease, or say it again; ServerBusy if another client has it."""
        now = time.monotonic()
        another = self.lease is not None and self.lease.hello != header.call
        if self.lease is not None and another and now - self.lease.heard > self._window:
            # Only now: a silent client may have been paused, and can go on while nobody else wants the lease.
            self._log("client_given_up", group=self._group, silent=round(now - self.lease.heard, 1))
            self._end_lease()
            another = False
        if another:
            self._log("client_refused", group=self._group)
            raise ServerBusy(
                "the server has a client already: wait until that one closes its environment (or has been silent for "
                f"{self._window:g} s), or start another server"
            )
        if self.lease is None:
            self.lease = Lease(secrets.randbits(63) | 1, header.call, route, now, self._plane)
            self._log("client_came", group=self._group)
        welcome = {"identity": self.identity, "segment": self._share(self.lease, said)}
        for message in self._plane.outgoing(Header(Kind.WELCOME, self.lease.id, header.call), welcome):
            self._send(route, message)

    def handle(self, lease: Lease, route: bytes, header: Header, frames: Sequence[memoryview]) -> None:
        """Act on a message of the client; ProtocolError if it is out of turn."""
        lease.heard = time.monotonic()
        if header.kind == Kind.PING:
            self._send(route, [Header(Kind.PONG, lease.id, lease.call, lease.progress, header.call).pack()])
        elif header.kind == Kind.GOODBYE:
            self._log("client_left", group=self._group, calls=lease.call)
            self._end_lease()
        elif header.kind == Kind.CALL:
            self._call(lease, route, header, frames)
        elif header.kind == Kind.CHUNK:
            self._chunk(lease, header, frames)

    def take(self, reply: Reply) -> None:
        """Begin to send a reply, unless its client has gone."""
        lease = self.lease
        if lease is not None and (lease.id, lease.call) == (reply.request.lease, reply.request.call):
            plane = reply.request.plane
            lease.reply = lambda: plane.outgoing(reply.header, reply.data)
            lease.send(reply.messages)

    def pump(self) -> None:
        """Send some of the reply, as far as there is room in the queue."""
        lease = self.lease
        if lease is None or lease.progress is not Progress.SENDING:
            return
        for _ in range(_BURST):
            frames = lease.unsent or next(lease.outgoing, None)
            if frames is None:
                lease.progress = Progress.SENT
                return
            lease.unsent = frames
            if not self._send(lease.route, frames):
                return
            lease.unsent = None

    def goodbye(self) -> None:
        """Tell the client, if there is one, that the server ends, and after which call; its memory goes."""
        lease = self.lease
        if lease is not None:
            last = lease.call - (lease.progress is Progress.RECEIVING)
            self._send(lease.route, [Header(Kind.GOODBYE, lease.id, last).pack()])
            self.lease = None

    def _end_lease(self) -> None:
        self.lease = None
        self._request(Gone(self._group))

    def _share(self, lease: Lease, said: dict[str, Any]) -> dict[str, Any] | None:
        """Offer memory to a client that says it is on this host; use it with one that proves to read it."""
        # Only strings are compared: arrays have no truth.
        place, nonce = (word if isinstance(word, str) else None for word in (said.get("host"), said.get("nonce")))
        if lease.segment is None:
            size = self._layout.shared_bytes
            if not size or place is None or place != host():
                return None
            try:
                # Half as much again for who looks where the last one but one lies: two batches of observations, and
                # the last observations of as many rows as one batch has, or else they come in chunks.
                lease.halves = 2 if said.get("views") is True else 1
                lease.segment = Segment(size + (lease.halves - 1) * size // 2)
            except OSError as error:
                return {"failure": f"{size} bytes: {error.strerror}"}
        elif nonce == lease.segment.nonce.hex():
            lease.plane = SharingPlane(self._plane, lease.segment.bytes, self._counters, self._layout, lease.halves)
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
            self._request(Request(self._group, lease.id, lease.call, lease.arriving.data(), lease.plane))
            lease.arriving = None

    def _give_up(self, lease: Lease, error: ProtocolError) -> None:
        """Answer a call that is malformed, as one that was done and failed."""
        header, data = Header(Kind.ERROR, lease.id, lease.call), failure_to_data(error)
        lease.arriving = None
        lease.reply = lambda: self._plane.outgoing(header, data)
        lease.send(lease.reply())
