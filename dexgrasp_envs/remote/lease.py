"""The lease: one client at a time may drive a server, and each of its calls is done at most once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from .data_plane import Arriving, ChunkedPlane, Frame
from .segment import Segment
from .shared_plane import SharingPlane

Messages = Iterator[Sequence[Frame]]


class Progress(IntEnum):
    """How far the last call is."""

    RECEIVING = 0
    RUNNING = 1
    SENDING = 2
    SENT = 3


@dataclass
class Lease:
    """A client's hold on the server."""

    id: int
    """Random; the client shows it with every message."""
    hello: int
    """The client's own random number, by which its repeated hello is known."""
    route: bytes
    """Where to send to: the connection of the last call."""
    heard: float
    """When the client was last heard of, s of the monotonic clock."""
    plane: ChunkedPlane | SharingPlane
    """How arrays travel between the two."""
    segment: Segment | None = None
    """Memory that the client may attach. A lease's own: who lost the lease is not given the next client's arrays."""
    halves: int = 1
    """Into how many parts it is divided."""
    call: int = 0
    """The last call."""
    progress: Progress = Progress.SENT
    arriving: Arriving | None = None
    """The call, while it is RECEIVING."""
    reply: Callable[[], Messages] | None = None
    """Makes the messages of the last reply, for a replay."""
    outgoing: Messages = field(default_factory=lambda: iter(()))
    """Those that are still to be sent."""
    unsent: Sequence[Frame] | None = None
    """One that found the queue full."""

    def send(self, messages: Messages) -> None:
        """Begin to send a reply, or begin again."""
        self.outgoing, self.unsent = messages, None
        self.progress = Progress.SENDING
