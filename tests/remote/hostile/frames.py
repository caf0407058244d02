"""Messages that nobody should send: random ones, and good ones that were damaged."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgpack
import numpy as np

from dexgrasp_envs.remote import wire
from dexgrasp_envs.remote.data_plane import ChunkedPlane
from dexgrasp_envs.remote.wire import Header, Kind

Frames = list[bytes]
_PLANE = ChunkedPlane(1 << 30)
_WORDS = [None, True, -1, 0, 3, 2**63, 1.5, float("nan"), "", "ServerLost", "step", [], {}, (), ["a"], {"a": None}]
_SHAPES = [(), (0,), (1,), (2,), (3,), (2, 4), (2, 1), (0, 5), (40_000,)]


def messages(data: Any, header: Header) -> list[Frames]:
    """Data as they should travel."""
    return [[bytes(frame) for frame in frames] for frames in _PLANE.outgoing(header, data)]


def random_message(random: np.random.Generator) -> Frames:
    """Random bytes, or random fields and metadata behind a header that is one."""
    frames = [random.bytes(int(random.integers(0, 80))) for _ in range(int(random.integers(1, 6)))]
    if random.random() < 0.7:
        frames[0] = Header(*(int(random.integers(0, limit)) for limit in (12, 5, 5, 5, 5))).pack()
    if len(frames) > 1 and random.random() < 0.5:
        frames[1] = random_metadata(random)
    return frames


def random_metadata(random: np.random.Generator) -> bytes:
    """A table of random arrays and a random node."""
    sizes = [0, 1, 2, 5, 1 << 20, 1 << 40, (1 << 48) - 1, -1]
    table = [
        [str(random.choice([*wire.DTYPES, "O", "V8"])), random.choice(sizes, random.integers(0, 4)).tolist()]
        for _ in range(int(random.integers(0, 4)))
    ]
    return msgpack.packb([table, _node(random, 0)])


def _node(random: np.random.Generator, depth: int) -> Any:
    which = int(random.integers(0, 8 if depth < 5 else 3))
    if which < 2:
        return _WORDS[int(random.integers(0, 9))]
    if which < 4:
        return [int(random.integers(0, 7)), int(random.integers(0, 4))]
    inner = [_node(random, depth + 1) for _ in range(int(random.integers(0, 4)))]
    if which == 4:
        return {str(i): node for i, node in enumerate(inner)}
    if which == 5:
        return [4, [random.choice([0, 1, 2, 1 << 47], random.integers(0, 4)).tolist(), inner]]
    return [int(random.integers(0, 6)), inner]


def damaged(random: np.random.Generator, frames: Sequence[bytes]) -> Frames:
    """A good message with some bytes changed, cut off, or a frame more or less."""
    broken = [bytearray(frame) for frame in frames]
    for _ in range(int(random.integers(1, 4))):
        frame = broken[int(random.integers(len(broken)))]
        what = int(random.integers(0, 6))
        if what < 3 and frame:
            frame[int(random.integers(len(frame)))] = int(random.integers(256))
        elif what == 3:
            del frame[int(random.integers(len(frame) + 1)) :]
        elif what == 4:
            broken.append(bytearray(frame))
        elif what == 5 and len(broken) > 1:
            broken.pop(int(random.integers(len(broken))))
    return [bytes(frame) for frame in broken]


def mangled(random: np.random.Generator, data: Any) -> Any:
    """Data with one part replaced by something else, or taken away."""
    if isinstance(data, dict) and data and random.random() < 0.9:
        names = list(data)
        name = names[int(random.integers(len(names)))]
        if random.random() < 0.1:
            return {key: value for key, value in data.items() if key != name}
        return {**data, name: mangled(random, data[name])}
    if isinstance(data, list | tuple) and data and random.random() < 0.8:
        parts = list(data)
        i = int(random.integers(len(parts)))
        parts[i] = mangled(random, parts[i])
        return type(data)(parts)
    if random.random() < 0.5:
        return _WORDS[int(random.integers(len(_WORDS)))]
    dtype = wire.DTYPES[str(random.choice(list(wire.DTYPES)))]
    array = np.zeros(_SHAPES[int(random.integers(len(_SHAPES)))], dtype)
    array[...] = int(random.integers(0, 2))
    return array if random.random() < 0.8 else np.full(2, None, object)


def at_a_server(random: np.random.Generator, lease: int, call: int) -> Iterator[Frames]:
    """What may come to a server whose client has this lease and makes this call next."""
    good: Any = [
        (Header(Kind.HELLO, call=int(random.integers(1, 3))), {"host": None}),
        (Header(Kind.CALL, lease, call), {"operation": "step", "arguments": {"actions": np.zeros(2, np.int64)}}),
        (Header(Kind.CALL, lease, call), {"operation": "reset", "arguments": {"seed": 0, "options": None}}),
        (Header(Kind.CALL, lease, call), {"operation": "observe", "arguments": {"x": np.zeros(40_000, np.uint8)}}),
        (Header(Kind.CALL, lease, call), {"operation": "set_state", "arguments": {"state": {"a": np.zeros(2)}}}),
    ]
    which = random.random()
    if which < 0.3:
        yield random_message(random)
        return
    header, data = good[int(random.integers(len(good)))]
    if which < 0.6:
        try:
            yield from messages(mangled(random, data), header)
        except Exception:
            yield random_message(random)
        return
    if which < 0.7:
        bare = Header(int(random.choice([Kind.PING, Kind.STATS, Kind.GOODBYE, Kind.CHUNK])), lease, call)
        yield damaged(random, [bare.pack()])
        return
    for frames in messages(data, header):
        yield damaged(random, frames) if random.random() < 0.7 else frames
