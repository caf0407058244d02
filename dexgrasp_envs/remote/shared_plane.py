"""Large arrays of replies in memory that both ends share; only a token travels.

What would be chunks lies in the segment, each array at a multiple of `ALIGNMENT`. For a client that copies, one reply
lies there at a time: the server writes the next one after the next call, which the client makes when it has copied the
last one. For one that looks at the arrays where they lie the segment has two halves, for replies to even and to odd
calls, so that they stay until the call after the next one.

An environment may draw its observation there, see `ObsLayout`: into memory that nothing else is written to, since a
later reply may hold the observation again.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import wire
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
        layout: Where observations are drawn.
        halves: Into how many parts the segment is divided, 1 or 2.
    """

    def __init__(self, plane: ChunkedPlane, segment: _Bytes, counters: Counters, layout: ObsLayout, halves: int = 1):
        self._plane = plane
        self._segment = segment
        self._counters = counters
        self._layout = layout
        self._halves = halves
        self._room = len(segment) // halves

    def places(self, call: int) -> dict[Path, Array]:
        """Arrays, by path in the observation, that the reply to a call need not copy if they are what it holds."""
        return self._layout.arrays(self._segment[self._half(call) :])

    def outgoing(self, header: Header, data: Any) -> Iterator[Sequence[Frame]]:
        """See `DataPlane`. The arrays are in the segment at once."""
        # A reply that is made again lies where it lay: not where the client may look at the one before.
        start = self._half(header.call)
        offsets: dict[int, int] = {}

        def locate(arrays: list[Array]) -> dict[int, int]:
            offsets.update(self._locate(arrays, start))
            return offsets

        first, large = self._plane.pack(header, data, locate)
        if not offsets:
            return in_chunks(header, first, large)
        for number, offset in offsets.items():
            if offset >= self._layout.size:
                place = start + offset
                self._segment[place : place + large[number].nbytes] = large[number].reshape(-1).view(np.uint8)
        self._counters.shared += sum(array.nbytes for array in large.values())
        return iter([[header._replace(item=Via.SEGMENT, offset=start).pack(), *first[1:]]])

    def incoming(self, header: Header, frames: Sequence[memoryview], place: Place = anywhere) -> Arriving:
        """See `DataPlane`."""
        return self._plane.incoming(header, frames, place)

    def _half(self, call: int) -> int:
        return next_start(self._room) * (call % self._halves)

    def _locate(self, arrays: list[Array], start: int) -> dict[int, int]:
        """Offsets from `start` of the arrays that do not travel beside the metadata; none if there is no room.

        Those that were drawn in this half lie there already, the others go behind.
        """
        offsets: dict[int, int] = {}
        end = self._layout.size
        for number in wire.split([array.nbytes for array in arrays])[1]:
            array = arrays[number]
            drawn = array.ctypes.data - self._segment.ctypes.data - start
            if 0 <= drawn <= self._layout.size - array.nbytes:
                offsets[number] = drawn
            else:
                offsets[number] = next_start(end)
                end = offsets[number] + array.nbytes
        return offsets if end <= min(self._room, len(self._segment) - start) else {}


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
