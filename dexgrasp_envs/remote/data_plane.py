"""How the arrays of a message travel."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import ProtocolError
from . import wire
from .wire import Header, Kind, Slot, Via

Array = npt.NDArray[np.generic]
Frame = bytes | memoryview
_KEPT = 1 << 16
"""Most bytes of metadata that are remembered."""
ALIGNMENT = 64
"""Bytes of whose multiples arrays in shared memory begin at: what any dtype, and a line of any cache, wants."""
Place = Callable[[Slot], Array | None]
"""Gives the array, of the slot's shape and dtype, into which a slot is to be received; None for a fresh one."""


def anywhere(slot: Slot) -> None:
    """A `Place` that lets every array be a fresh one."""


def next_start(end: int) -> int:
    """Where an array in shared memory begins, behind one that ends at `end`."""
    return -(-end // ALIGNMENT) * ALIGNMENT


class Arriving(Protocol):
    """A message on its way in."""

    header: Header

    @property
    def complete(self) -> bool:
        """Whether everything has arrived."""

    def next_chunk(self) -> tuple[int, int, int] | None:
        """Array, offset in it, and bytes of the chunk that is to be added next; None once complete."""

    def add(self, header: Header, frames: Sequence[memoryview]) -> None:
        """Take in a chunk; ProtocolError if it is not the next one."""

    def data(self) -> Any:
        """The data, once complete."""


class DataPlane(Protocol):
    """A way for arrays to travel beside the metadata of their message."""

    def outgoing(self, header: Header, data: Any) -> Iterator[Sequence[Frame]]:
        """The messages, each of bounded size, that carry some data; ProtocolError at once if they cannot travel."""

    def incoming(self, header: Header, frames: Sequence[memoryview], place: Place = anywhere) -> Arriving:
        """Begin with the first message; ProtocolError if it is malformed or promises more than is accepted."""


class ChunkedPlane:
    """Small arrays beside the metadata, large ones in messages of one bounded chunk each.

    Args:
        max_bytes: Most bytes of arrays that are accepted in one message.
    """

    def __init__(self, max_bytes: int):
        self.max_bytes = max_bytes
        # Most replies have the metadata of the one before: of a step in which no episode ends.
        self._last: tuple[bytes, wire.Head] | None = None

    def outgoing(self, header: Header, data: Any) -> Iterator[Sequence[Frame]]:
        """See `DataPlane`. The arrays must stay as they are until the last message is sent."""
        return in_chunks(header, *self.pack(header, data))

    def pack(
        self, header: Header, data: Any, locate: Callable[[list[Array]], Mapping[int, int]] = lambda _: {}
    ) -> tuple[list[Frame], dict[int, Array]]:
        """The first message, and the arrays that are not in it, by number; ProtocolError if they cannot travel.

        `locate` is as `wire.encode` takes it.
        """
        try:
            meta, arrays = wire.encode(data, locate)
        except wire.WireError as error:
            raise ProtocolError(str(error)) from None
        inline, large = wire.split([array.nbytes for array in arrays])
        first: list[Frame] = [header.pack(), meta, b"".join([arrays[i].tobytes() for i in inline])]
        return first, {i: arrays[i] for i in large}

    def incoming(self, header: Header, frames: Sequence[memoryview], place: Place = anywhere) -> "ArrivingChunks":
        """See `DataPlane`."""
        if len(frames) != 2:
            raise ProtocolError(f"the first message must have metadata and arrays, got {len(frames)} frames")
        if header.item != Via.CHUNKS:
            raise ProtocolError("its arrays are in memory that the two ends do not share")
        try:
            return ArrivingChunks(header, self._decode(frames[0]), frames[1], place)
        except wire.WireError as error:
            raise ProtocolError(str(error)) from None

    def _decode(self, meta: memoryview) -> wire.Head:
        if self._last is not None and meta == self._last[0]:
            return self._last[1]
        head = wire.decode(meta, self.max_bytes)
        # What a stranger may make large is not kept.
        self._last = (bytes(meta), head) if len(meta) <= _KEPT else None
        return head


class ArrivingChunks:
    """A message whose large arrays come in chunks, in order."""

    def __init__(self, header: Header, head: wire.Head, beside: memoryview, place: Place):
        self.header = header
        self._head = head
        sizes = [slot.size for slot in head.slots]
        inline, large = wire.split(sizes)
        if sum([sizes[i] for i in inline]) != len(beside):
            raise wire.WireError("the arrays beside the metadata have another size than the table says")
        self._arrays = [_receiver(slot, place) for slot in head.slots]
        offset = 0
        for i in inline:
            array = self._arrays[i]
            array[...] = np.ndarray(array.shape, array.dtype, beside, offset)
            offset += sizes[i]
        self._missing = large[::-1]
        self._offset = 0

    @property
    def complete(self) -> bool:
        """Whether all chunks have arrived."""
        return not self._missing

    def next_chunk(self) -> tuple[int, int, int] | None:
        """Array, offset in it, and bytes of the chunk that is to be added next; None once complete."""
        if not self._missing:
            return None
        item = self._missing[-1]
        return item, self._offset, min(wire.CHUNK_BYTES, self._head.slots[item].size - self._offset)

    def add(self, header: Header, frames: Sequence[memoryview]) -> None:
        """Copy the next chunk to its place; ProtocolError if it is another one or of a wrong size."""
        if len(frames) != 1:
            raise ProtocolError(f"a chunk has one frame of bytes, got {len(frames)}")
        data, expected = frames[0], self.next_chunk()
        if expected is None or (header.item, header.offset) != expected[:2]:
            raise ProtocolError(f"unexpected chunk of array {header.item} at {header.offset}")
        size = expected[2]
        if len(data) != size:
            raise ProtocolError(f"a chunk of {len(data)} bytes, expected {size}")
        self._bytes(header.item)[self._offset : self._offset + size] = np.frombuffer(data, np.uint8)
        self._offset += size
        if self._offset == self._head.slots[header.item].size:
            self._missing.pop()
            self._offset = 0

    def find_in(self, memory: npt.NDArray[np.uint8], start: int, copy: bool) -> None:
        """Take the arrays that are missing from memory, of which their offsets count from `start`; as views or copies.

        ProtocolError if one has no offset, or does not lie in the memory.
        """
        while self._missing:
            i = self._missing.pop()
            slot = self._head.slots[i]
            if slot.offset is None:
                raise ProtocolError("an array in shared memory has no offset")
            begin = start + slot.offset
            end = begin + slot.size
            if end > len(memory):
                raise ProtocolError(f"more bytes than the segment's {len(memory)}")
            if copy:
                self._bytes(i)[...] = memory[begin:end]
            else:
                self._arrays[i] = memory[begin:end].view(slot.dtype).reshape(slot.shape)

    def data(self) -> Any:
        """The data; its arrays are those that were given as places, or fresh ones."""
        return self._head.build(self._arrays)

    def _bytes(self, i: int) -> npt.NDArray[np.uint8]:
        return self._arrays[i].reshape(-1).view(np.uint8)


def in_chunks(header: Header, first: list[Frame], large: dict[int, Array]) -> Iterator[Sequence[Frame]]:
    """The messages of what `ChunkedPlane.pack` gives."""
    yield first
    for item, array in large.items():
        data = array.reshape(-1).view(np.uint8).data
        for offset in range(0, len(data), wire.CHUNK_BYTES):
            chunk = header._replace(kind=Kind.CHUNK, item=item, offset=offset)
            yield [chunk.pack(), data[offset : offset + wire.CHUNK_BYTES]]


def _receiver(slot: Slot, place: Place) -> Array:
    array = place(slot)
    if array is None:
        return np.empty(slot.shape, slot.dtype)
    if array.shape != slot.shape or array.dtype != slot.dtype or not array.flags.c_contiguous:
        raise ValueError(f"the place for {slot.path} does not fit")
    return array
