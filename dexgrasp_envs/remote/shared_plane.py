"""Large arrays of replies in memory that both ends share; only a token travels.

What would be chunks lies in the segment, one after the other from its start. One reply is in the segment at a time:
the server writes the next one after the next call, which the client makes when it has copied the last one.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ProtocolError
from .counters import Counters
from .data_plane import Arriving, ChunkedPlane, Frame, Place, anywhere
from .wire import Header, Kind, Via

_Bytes = npt.NDArray[np.uint8]


class SharingPlane:
    """The server's `DataPlane`: what does not fit into the segment, and what comes in, travels as `plane` does it.

    Args:
        plane: For small arrays and for calls.
        segment: Bytes that the client can read.
        counters: Where the bytes are counted.
    """

    def __init__(self, plane: ChunkedPlane, segment: _Bytes, counters: Counters):
        self._plane = plane
        self._segment = segment
        self._counters = counters

    def outgoing(self, header: Header, data: Any) -> Iterator[Sequence[Frame]]:
        """See `DataPlane`. The arrays are in the segment at once."""
        first, *chunks = self._plane.outgoing(header, data)
        if not chunks or sum(len(chunk[1]) for chunk in chunks) > len(self._segment):
            return iter([first, *chunks])
        end = 0
        for _, chunk in chunks:
            self._segment[end : end + len(chunk)] = np.frombuffer(chunk, np.uint8)
            end += len(chunk)
        self._counters.shared += end
        return iter([[header._replace(item=Via.SEGMENT).pack(), *first[1:]]])

    def incoming(self, header: Header, frames: Sequence[memoryview], place: Place = anywhere) -> Arriving:
        """See `DataPlane`."""
        return self._plane.incoming(header, frames, place)


class SharedPlane:
    """The client's `DataPlane`, the other end of `SharingPlane`.

    Args:
        plane: For what is not in the segment, and for calls.
        segment: Bytes that the server writes.
    """

    def __init__(self, plane: ChunkedPlane, segment: _Bytes):
        self._plane = plane
        self._segment = segment

    def outgoing(self, header: Header, data: Any) -> Iterator[Sequence[Frame]]:
        """See `DataPlane`."""
        return self._plane.outgoing(header, data)

    def incoming(self, header: Header, frames: Sequence[memoryview], place: Place = anywhere) -> Arriving:
        """See `DataPlane`. The arrays of the segment are copied out of it at once."""
        arriving = self._plane.incoming(header._replace(item=Via.CHUNKS), frames, place)
        if header.item == Via.CHUNKS:
            return arriving
        end = 0
        while (chunk := arriving.next_chunk()) is not None:
            item, offset, size = chunk
            if end + size > len(self._segment):
                raise ProtocolError(f"more bytes than the segment's {len(self._segment)}")
            arriving.add(Header(Kind.CHUNK, item=item, offset=offset), [self._segment[end : end + size].data])
            end += size
        return arriving
