from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dexgrasp_envs.errors import ProtocolError
from dexgrasp_envs.remote import wire
from dexgrasp_envs.remote.data_plane import Arriving, ChunkedPlane, anywhere
from dexgrasp_envs.remote.wire import Header, Kind, Slot

HEADER = Header(Kind.REPLY, 5, 6)
BIG = np.random.default_rng(0).integers(0, 256, (3, 1 << 19, 1), np.uint8)


def frames(message: Sequence[Any]) -> list[memoryview]:
    return [memoryview(bytes(frame)) for frame in message]


def messages(data: Any) -> list[list[memoryview]]:
    return [frames(message) for message in ChunkedPlane(1 << 30).outgoing(HEADER, data)]


def arrive(sent: list[list[memoryview]], place: Any = anywhere, max_bytes: int = 1 << 30) -> Arriving:
    arriving = ChunkedPlane(max_bytes).incoming(Header.unpack(bytes(sent[0][0])), sent[0][1:], place)
    for message in sent[1:]:
        arriving.add(Header.unpack(bytes(message[0])), message[1:])
    return arriving


def test_small_and_large_arrays_arrive() -> None:
    data = {"small": np.arange(5.0), "big": BIG, "none": np.zeros((0, 3)), "text": "x"}
    arriving = arrive(messages(data))
    assert arriving.complete
    back = arriving.data()
    assert back["text"] == "x"
    for name in ("small", "big", "none"):
        np.testing.assert_array_equal(back[name], data[name])
        assert back[name].flags.writeable


def test_no_frame_is_larger_than_a_chunk() -> None:
    sent = messages({"big": BIG, "many": [np.zeros(wire.INLINE_BYTES, np.uint8)] * 50})
    assert max(len(frame) for message in sent for frame in message) <= wire.CHUNK_BYTES
    assert arrive(sent).complete


def test_a_message_is_not_complete_before_its_last_chunk() -> None:
    sent = messages(BIG)
    assert len(sent) > 2
    assert not arrive(sent[:-1]).complete


def test_arrays_are_received_where_they_belong() -> None:
    whole = np.zeros((6, 1 << 19, 1), np.uint8)

    def place(slot: Slot) -> np.ndarray | None:
        return whole[3:] if slot.path == ("obs", "image") else None

    back = arrive(messages({"obs": {"image": BIG, "other": np.arange(3)}}), place).data()
    assert back["obs"]["image"].base is whole
    np.testing.assert_array_equal(whole[3:], BIG)
    assert not whole[:3].any()


@pytest.mark.parametrize("change", ["skip", "twice", "short", "long", "other array", "two frames"])
def test_a_wrong_chunk_is_refused(change: str) -> None:
    sent = messages(BIG)
    if change == "skip":
        del sent[1]
    elif change == "twice":
        sent.insert(1, sent[1])
    elif change == "two frames":
        sent[1].append(memoryview(b""))
    elif change == "other array":
        sent[1][0] = memoryview(Header.unpack(bytes(sent[1][0]))._replace(item=1).pack())
    else:
        sent[1][1] = memoryview(bytes(len(sent[1][1]) + (1 if change == "long" else -1)))
    with pytest.raises(ProtocolError):
        arrive(sent)


def test_a_chunk_beyond_the_end_is_refused() -> None:
    sent = messages(BIG)
    with pytest.raises(ProtocolError, match="unexpected chunk"):
        arrive([*sent, sent[-1]])


def test_more_than_is_accepted_is_refused_before_any_array_is_made() -> None:
    asked = []
    with pytest.raises(ProtocolError, match="at most 1000 are accepted"):
        arrive(messages(BIG), asked.append, max_bytes=1000)
    assert asked == []


@pytest.mark.parametrize("damage", ["no arrays", "short arrays", "garbage"])
def test_a_damaged_first_message_is_refused(damage: str) -> None:
    message = messages(np.arange(10))[0]
    if damage == "no arrays":
        message.pop()
    elif damage == "short arrays":
        message[2] = message[2][:-1]
    else:
        message[1] = memoryview(b"garbage")
    with pytest.raises(ProtocolError):
        arrive([message])


def test_data_that_cannot_travel_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(ProtocolError, match="complex128"):
        ChunkedPlane(1 << 20).outgoing(HEADER, {"a": np.zeros(1, complex)})


def test_metadata_that_come_again_are_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    decode = wire.decode
    monkeypatch.setattr(wire, "decode", lambda *args: decoded.append(args) or decode(*args))
    plane = ChunkedPlane(1 << 20)
    for number, size in enumerate((3, 3, 4, 4, 3)):
        first, *_ = messages({"value": np.full(size, number), "name": ["a"]})
        back = plane.incoming(Header.unpack(bytes(first[0])), first[1:]).data()
        np.testing.assert_array_equal(back["value"], np.full(size, number))
        back["name"].append("b")
    assert len(decoded) == 3


def test_metadata_without_anything_are_refused_from_the_first_message_on() -> None:
    with pytest.raises(ProtocolError, match="msgpack"):
        ChunkedPlane(0).incoming(HEADER, [memoryview(b""), memoryview(b"")])
