"""The wire format: a fixed binary header, and plain data with arrays as msgpack metadata beside raw bytes.

Needs only NumPy and msgpack and keeps to the syntax of Python 3.8, so that a simulator in an old Python can use it.
Nothing is ever unpickled or evaluated; every size is checked before memory is asked for.
"""

from __future__ import annotations

import math
import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Tuple, Union  # noqa: UP035

import msgpack
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Array = np.ndarray[Any, np.dtype[np.generic]]

MAGIC = b"DGRP"
VERSION = 1
"""Raised by any change of what travels."""
HEADER = struct.Struct("<4sHBQQIQ")
"""Magic, version, kind, lease, call, item, offset. Magic and version stay where they are in every version."""
CHUNK_BYTES = 1 << 20
"""Most bytes in one frame: larger arrays travel as several messages."""
INLINE_BYTES = 1 << 15
"""Arrays up to this size travel in the frame beside the metadata."""
MAX_DEPTH = 24
"""Deepest nesting of dicts and lists."""
MAX_ARRAYS = 4096
"""Most arrays in one message."""
MAX_DIMENSIONS = 16
"""Most dimensions of an array."""
DTYPES = {
    name: np.dtype("|" + name if name.endswith("1") else "<" + name)
    for name in ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
}
"""The dtypes that travel."""
_LIST, _TUPLE, _ARRAY, _SCALAR, _OBJECTS = range(5)

Path = Tuple[Union[str, int], ...]  # noqa: UP006, UP007
"""Where in the data an array belongs: keys of dicts, indices of lists and tuples."""


class WireError(ValueError):
    """Data that cannot travel, or bytes that are no message of ours."""


class VersionSkew(WireError):
    """A message of our kind in another version of the format."""


class Kind(IntEnum):
    """What a message is."""

    HELLO = 1
    """Client: asks for the lease, or for what else its data say; `call` is a random number that tells a repeated hello
    from another client's."""
    WELCOME = 2
    """Server: grants the lease; the data say who the server is, and what memory it can share."""
    CALL = 3
    """Client: do something; `call` counts up from 1."""
    REPLY = 4
    """Server: what came of it; `item` says how its large arrays come, see `Via`."""
    ERROR = 5
    """Server: what went wrong; data are a dict of type and message."""
    CHUNK = 6
    """Either: `offset` and the bytes from there of the array `item` of a call or reply."""
    PING = 7
    """Client: I am here; what has become of my `call`?"""
    PONG = 8
    """Server: the `call` it knows last; `item` says how far it is, `offset` repeats the ping's `call`."""
    GOODBYE = 9
    """Either: I end."""
    STATS = 10
    """Anybody, without a lease: how is the server doing? Server: the data say it; `call` is that of the question."""


class Via(IntEnum):
    """How the arrays of a reply come that are not beside its metadata."""

    CHUNKS = 0
    """In messages of their own."""
    SEGMENT = 1
    """In memory that both ends share, each at its offset."""


class Header(NamedTuple):
    """The fixed part of a message."""

    kind: int
    lease: int = 0
    call: int = 0
    item: int = 0
    offset: int = 0

    def pack(self) -> bytes:
        """As bytes."""
        return HEADER.pack(MAGIC, VERSION, *self)

    @classmethod
    def unpack(cls, frame: bytes) -> Header:
        """From bytes; VersionSkew for another version, WireError for anything else that is no header."""
        if len(frame) < 6 or frame[:4] != MAGIC:
            raise WireError("not a message of this protocol")
        version = int.from_bytes(frame[4:6], "little")
        if version != VERSION:
            raise VersionSkew(f"protocol version {version}, expected {VERSION}")
        if len(frame) != HEADER.size:
            raise WireError(f"the header has {len(frame)} bytes, expected {HEADER.size}")
        header = cls(*HEADER.unpack(frame)[2:])
        if not Kind.HELLO <= header.kind <= Kind.STATS:
            raise WireError(f"unknown kind of message {header.kind}")
        return header


class Slot(NamedTuple):
    """An array that is to come."""

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    size: int
    """Bytes."""
    offset: int | None = None
    """Where it lies in the reply's part of shared memory; None if it travels."""


class Head(NamedTuple):
    """Data whose arrays are still to be filled in."""

    node: Any
    slots: list[Slot]

    def build(self, arrays: list[Array]) -> Any:
        """The data, with the arrays of the slots in order."""
        return _build(self.node, arrays)


def encode(data: Any, locate: Callable[[list[Array]], Mapping[int, int]] = lambda _: {}) -> tuple[bytes, list[Array]]:
    """Metadata, and the arrays that belong to it, C-contiguous and little-endian.

    `data` is made of None, bool, int, float, str, dicts with string keys, lists, tuples, NumPy scalars and arrays;
    arrays of objects may hold the same. WireError names what cannot travel. `locate` gives the offsets in shared memory
    of those arrays, by number, that do not travel.
    """
    arrays: list[Array] = []
    node = _encode(data, arrays, ())
    if len(arrays) > MAX_ARRAYS:
        raise WireError(f"{len(arrays)} arrays in one message, at most {MAX_ARRAYS} travel")
    table: list[list[Any]] = [[array.dtype.str[1:], list(array.shape)] for array in arrays]
    for number, offset in locate(arrays).items():
        table[number].append(offset)
    try:
        meta = msgpack.packb([table, node])
    except (ValueError, TypeError, OverflowError) as error:
        raise WireError(f"not plain data: {error}") from None
    if len(meta) > CHUNK_BYTES:
        raise WireError(f"{len(meta)} bytes of metadata, at most {CHUNK_BYTES} travel")
    return meta, arrays


def decode(meta: Any, max_bytes: int) -> Head:
    """Check metadata wholly, before anything is allocated for its arrays, which may have `max_bytes` together."""
    if len(meta) > CHUNK_BYTES:
        raise WireError(f"{len(meta)} bytes of metadata, at most {CHUNK_BYTES} are accepted")
    try:
        # Extension types, msgpack's own timestamps among them, are refused by their length.
        parts = msgpack.unpackb(meta, max_ext_len=0, max_bin_len=0, strict_map_key=True)
    except Exception as error:
        raise WireError(f"the metadata are not msgpack: {error!r}") from None
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], list):
        raise WireError("the metadata must be a table and data")
    table, node = parts
    if len(table) > MAX_ARRAYS:
        raise WireError(f"{len(table)} arrays in one message, at most {MAX_ARRAYS} are accepted")
    paths: list[Path] = []
    _check(node, paths, ())
    if len(paths) != len(table):
        raise WireError(f"{len(table)} arrays in the table, {len(paths)} in the data")
    slots = [_slot(path, entry) for path, entry in zip(paths, table)]  # noqa: B905  Python 3.8 has no strict
    total = sum(slot.size for slot in slots)
    if total > max_bytes:
        raise WireError(f"{total} bytes of arrays in one message, at most {max_bytes} are accepted")
    return Head(node, slots)


def split(sizes: list[int]) -> tuple[list[int], list[int]]:
    """Which arrays, of some sizes in bytes, travel beside the metadata, and which do not; both ends reckon this."""
    inline: list[int] = []
    large: list[int] = []
    total = 0
    for i, size in enumerate(sizes):
        if size <= INLINE_BYTES and total + size <= CHUNK_BYTES:
            inline.append(i)
            total += size
        else:
            large.append(i)
    return inline, large


def _encode(data: Any, arrays: list[Array], path: Path) -> Any:
    if len(path) > MAX_DEPTH:
        raise WireError(f"nested deeper than {MAX_DEPTH}")
    if data is None or type(data) in (bool, int, float, str):
        return data
    if isinstance(data, dict):
        for key in data:
            if type(key) is not str:
                raise WireError(f"{_at(path)} has the key {key!r}, only strings travel as keys")
        return {key: _encode(value, arrays, path + (key,)) for key, value in data.items()}
    if type(data) in (list, tuple):
        nodes = [_encode(value, arrays, path + (i,)) for i, value in enumerate(data)]
        return [_LIST if type(data) is list else _TUPLE, nodes]
    if isinstance(data, (np.ndarray, np.generic)):
        if data.dtype.kind == "O":
            nodes = [_encode(value, arrays, path + (i,)) for i, value in enumerate(data.flat)]
            return [_OBJECTS, [list(data.shape), nodes]]
        known = DTYPES.get(data.dtype.str[1:])
        if known is None:
            raise WireError(f"{_at(path)} has the dtype {data.dtype}, which does not travel")
        if data.ndim > MAX_DIMENSIONS:
            raise WireError(f"{_at(path)} has {data.ndim} dimensions, at most {MAX_DIMENSIONS} travel")
        arrays.append(_ready(data, known))
        return [_ARRAY if isinstance(data, np.ndarray) else _SCALAR, len(arrays) - 1]
    raise WireError(f"{_at(path)} is a {type(data).__name__}, which does not travel")


def _ready(data: Any, dtype: np.dtype[Any]) -> Array:
    """A C-contiguous array of a dtype. NumPy's own way takes longer than the rest of a small array's journey."""
    if type(data) is np.ndarray and data.dtype == dtype and data.flags.c_contiguous:
        return data
    return np.require(data, dtype, "C")


def _check(node: Any, paths: list[Path], path: Path) -> None:
    """Raise WireError unless a node is well-formed; collect where its arrays are, which come in order."""
    if len(path) > MAX_DEPTH:
        raise WireError(f"nested deeper than {MAX_DEPTH}")
    if node is None or type(node) in (bool, int, float, str):
        return
    if isinstance(node, dict):
        for key, value in node.items():
            if type(key) is not str:
                raise WireError(f"keys must be strings, got {key!r}")
            _check(value, paths, path + (key,))
        return
    if not isinstance(node, list) or len(node) != 2 or type(node[0]) is not int:
        raise WireError("ill-formed data")
    code, content = node
    if code in (_ARRAY, _SCALAR):
        if type(content) is not int or content != len(paths):
            raise WireError("arrays must come in the order of their table")
        paths.append(path)
        return
    if code == _OBJECTS:
        if not isinstance(content, list) or len(content) != 2:
            raise WireError("ill-formed array of objects")
        shape, content = content
        if not isinstance(content, list) or math.prod(_shape(shape)) != len(content):
            raise WireError("an array of objects of another shape than it says")
    if code not in (_LIST, _TUPLE, _OBJECTS) or not isinstance(content, list):
        raise WireError("ill-formed data")
    for i, value in enumerate(content):
        _check(value, paths, path + (i,))


def _shape(shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise WireError(f"a shape must be a list of at most {MAX_DIMENSIONS} sizes")
    if any(type(size) is not int or not 0 <= size < 1 << 48 for size in shape):
        raise WireError(f"impossible shape {shape!r}")
    # NumPy makes no array of a larger shape even if it is empty.
    if math.prod(size or 1 for size in shape) >= 1 << 48:
        raise WireError(f"impossible shape {shape!r}")
    return tuple(shape)


def _slot(path: Path, entry: Any) -> Slot:
    if not isinstance(entry, list) or len(entry) not in (2, 3) or type(entry[0]) is not str or entry[0] not in DTYPES:
        raise WireError("ill-formed entry in the table of arrays")
    dtype, shape = DTYPES[entry[0]], _shape(entry[1])
    offset = entry[2] if len(entry) == 3 else None
    if offset is not None and (type(offset) is not int or not 0 <= offset < 1 << 48):
        raise WireError(f"impossible offset {offset!r}")
    return Slot(path, dtype, shape, dtype.itemsize * math.prod(shape), offset)


def _build(node: Any, arrays: list[Array]) -> Any:
    if isinstance(node, dict):
        return {key: _build(value, arrays) for key, value in node.items()}
    if not isinstance(node, list):
        return node
    code, content = node
    if code == _ARRAY:
        return arrays[content]
    if code == _SCALAR:
        return arrays[content][()]
    if code == _OBJECTS:
        flat = np.empty(len(content[1]), object)
        for i, value in enumerate(content[1]):
            flat[i] = _build(value, arrays)
        return flat.reshape(content[0])
    values = [_build(value, arrays) for value in content]
    return values if code == _LIST else tuple(values)


def _at(path: Path) -> str:
    return "the data" if not path else "data" + "".join(f"[{part!r}]" for part in path)
