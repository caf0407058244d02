"""Large arrays of replies in memory that both ends share; only a token travels.

What would be chunks lies in the segment, each array from the next multiple of `ALIGNMENT` on. A client that copies has
one reply in the segment at a time: the server writes the next one after the next call, which the client makes when it
has copied the last one. For one that looks at the arrays where they lie the segment has two halves, for replies to even
and to odd calls, so that they stay until the call after the next one.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .counters import Counters
from .data_plane import Arriving, ChunkedPlane, Frame, Place, anywhere, next_start
from .wire import Header, Via

_Bytes = npt.NDArray[np.uint8]


class SharingPlane:
    """The server's `DataPlane`: what does not fit into the segment, and what comes in, travels as `plane` does it.

    Args:
        plane: For small arrays and for calls.
        segment: Bytes that the client can read.
        counters: Where the bytes are counted.
        halves: Into how many parts the segment is divided, 1 or 2.
    """

    def __init__(self, plane: ChunkedPlane, segment: _Bytes, counters: Counters, halves: int = 1):
        self._plane = plane
        self._segment = segment
        self._counters = counters
        self._halves = halves

    def outgoing(self, header: Header, data: Any) -> Iterator[Sequence[Frame]]:
        """See `DataPlane`. The arrays are in the segment at once."""
        first, *chunks = self._plane.outgoing(header, data)
        room = len(self._segment) // self._halves
        # A reply that is made again lies where it lay: not where the client may look at the one before.
        start = end = next_start(room) * (header.call % self._halves)
        places = []
        for head, chunk in chunks:
            if Header.unpack(bytes(head)).offset == 0:
                end = next_start(end)
            places.append(end)
            end += len(chunk)
        if not chunks or end > start + room or end > len(self._segment):
            return iter([first, *chunks])
        for place, (_, chunk) in zip(places, chunks, strict=True):
            self._segment[place : place + len(chunk)] = np.frombuffer(chunk, np.uint8)
        self._counters.shared += sum(len(chunk) for _, chunk in chunks)
        return iter([[header._replace(item=Via.SEGMENT, offset=start).pack(), *first[1:]]])

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
