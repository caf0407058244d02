"""Large arrays of replies in memory that both ends share; only a token travels.

What would be chunks lies in the segment, each array from the next multiple of `ALIGNMENT` on. A client that copies has
one observation in the segment at a time: the server writes the next one after the next call, which the client makes
when it has copied the last one. For one that looks at the arrays where they lie the segment has two halves, for replies
to even and to odd calls, so that they stay until the call after the next one.

An environment may write its observation where it is to lie. It stays there for later calls, so replies without an
observation lie behind it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .counters import Counters
from .data_plane import Array, Arriving, ChunkedPlane, Frame, Place, anywhere, in_chunks, next_start
from .obs_layout import ObsLayout
from .wire import Header, Path, Via

_Bytes = npt.NDArray[np.uint8]


class SharingPlane:
    """The server's `DataPlane`: what does not fit into the segment, and what comes in, travels as `plane` does it.

    Args:
        plane: For small arrays and for calls.
        segment: Bytes that the client can read.
        counters: Where the bytes are counted.
        layout: Where observations lie.
        halves: Into how many parts the segment is divided, 1 or 2.
    """

    def __init__(self, plane: ChunkedPlane, segment: _Bytes, counters: Counters, layout: ObsLayout, halves: int = 1):
        self._plane = plane
        self._segment = segment
        self._counters = counters
        self._layout = layout
        self._halves = halves
        self._room = len(segment) // halves
        self._observing = 0
        """The last call whose reply begins with an observation."""

    def places(self, call: int) -> dict[Path, Array]:
        """Arrays, by path in the observation, for what begins the reply to a call: what is written there is not copied.

        To be asked for every call whose reply begins with an observation, and for no other one.
        """
        self._observing = call
        return self._layout.arrays(self._segment[self._half(call) :])

    def outgoing(self, header: Header, data: Any) -> Iterator[Sequence[Frame]]:
        """See `DataPlane`. The arrays are in the segment at once."""
        first, large = self._plane.pack(header, data)
        half = self._half(header.call)
        start = end = half if header.call == self._observing else half + self._layout.size
        places = []
        for array in large.values():
            places.append(next_start(end))
            end = places[-1] + array.nbytes
        if not large or end > min(half + self._room, len(self._segment)):
            return in_chunks(header, first, large)
        # Before anything is written: what lies elsewhere in the segment might be overwritten.
        moving = [self._to_move(array, place) for array, place in zip(large.values(), places, strict=True)]
        for moved, place in zip(moving, places, strict=True):
            if moved is not None:
                self._segment[place : place + moved.nbytes] = moved.reshape(-1).view(np.uint8)
        self._counters.shared += sum(array.nbytes for array in large.values())
        return iter([[header._replace(item=Via.SEGMENT, offset=start).pack(), *first[1:]]])

    def _half(self, call: int) -> int:
        """A reply that is made again lies where it lay: not where the client may look at the one before."""
        return next_start(self._room) * (call % self._halves)

    def _to_move(self, array: Array, place: int) -> Array | None:
        """What is to be written to a place; None if it is there."""
        if not np.may_share_memory(array, self._segment):
            return array
        return None if array.ctypes.data == self._segment.ctypes.data + place else array.copy()

    def incoming(self, header: Header, frames: Sequence[memoryview], place: Place = anywhere) -> Arriving:
        """See `DataPlane`."""
        return self._plane.incoming(header, frames, place)


class SharedPlane:
    """The client's `DataPlane`, the other end of `SharingPlane`.

    Args:
        plane: For what is not in the segment, and for calls.
        segment: Bytes that the server writes.
        copy: Whether arrays are copied out of the segment at once; else they are views of it, for reading only, and
            for as long as the server leaves them.
    """

    def __init__(self, plane: ChunkedPlane, segment: _Bytes, copy: bool = True):
        self._plane = plane
        self._segment = segment
        self._copy = copy

    def outgoing(self, header: Header, data: Any) -> Iterator[Sequence[Frame]]:
        """See `DataPlane`."""
        return self._plane.outgoing(header, data)

    def incoming(self, header: Header, frames: Sequence[memoryview], place: Place = anywhere) -> Arriving:
        """See `DataPlane`. The arrays of the segment are complete at once."""
        arriving = self._plane.incoming(header._replace(item=Via.CHUNKS), frames, place)
        if header.item != Via.CHUNKS:
            arriving.find_in(self._segment, header.offset, self._copy)
        return arriving
