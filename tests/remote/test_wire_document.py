"""docs/wire-protocol.md says what travels: a client that knows nothing else is understood."""

import re
import struct
from pathlib import Path

import msgpack
import pytest
import zmq

from dexgrasp_envs.remote import wire
from dexgrasp_envs.remote.wire import Header, Kind
from tests.remote.conftest import Serve
from tests.remote.envs import cartpole

DOCUMENT = (Path(__file__).parents[2] / "docs" / "wire-protocol.md").read_text()


def header(kind: int, lease: int = 0, call: int = 0) -> bytes:
    """By the table of the document."""
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\w+) \|", DOCUMENT, re.MULTILINE)
    fields = {"magic": b"DGRP", "version": 1, "kind": kind, "lease": lease, "call": call, "item": 0, "offset": 0}
    packed = b""
    for offset, size, name in rows:
        assert int(offset) == len(packed)
        value = fields[name]
        packed += value if isinstance(value, bytes) else value.to_bytes(int(size), "little")
    return packed


def test_the_header_is_as_it_says() -> None:
    assert header(3, 2**63, 5) == Header(Kind.CALL, 2**63, 5).pack()


def test_all_kinds_are_there() -> None:
    named = re.findall(r"^\| (\d+) \| ([A-Z]+) \| ", DOCUMENT, re.MULTILINE)
    assert {name: int(number) for number, name in named} == {kind.name: int(kind) for kind in Kind}


def test_the_dtypes_are_those_that_travel() -> None:
    (named,) = re.findall(r"one of `((?:[biuf]\d ?)+)`", DOCUMENT)
    assert set(named.split()) == set(wire.DTYPES)


def test_the_example_is_a_hello() -> None:
    first, meta, _ = re.search(r"^    (\w+)\n    (\w+)\n    (-)$", DOCUMENT, re.MULTILINE).groups()
    assert bytes.fromhex(first) == Header(Kind.HELLO, call=7).pack()
    assert bytes.fromhex(meta) == wire.encode({"host": None})[0]


@pytest.fixture
def socket(serve: Serve) -> "zmq.Socket[bytes]":
    context: zmq.Context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.RCVTIMEO, 5000)
    socket.connect(serve(cartpole(2)).endpoint)
    yield socket
    context.destroy(linger=0)


def test_a_client_written_by_it_resets_and_steps(socket: "zmq.Socket[bytes]") -> None:
    socket.send_multipart([header(1, call=7), msgpack.packb([[], {"host": None}]), b""])
    lease = struct.unpack_from("<Q", socket.recv_multipart()[0], 7)[0]
    reset = {"operation": "reset", "arguments": {"seed": 3, "options": None}}
    socket.send_multipart([header(3, lease, 1), msgpack.packb([[], reset]), b""])
    first, meta, beside = socket.recv_multipart()
    assert first == header(4, lease, 1)
    (entry, *_), node = msgpack.unpackb(meta)
    assert entry == ["f4", [2, 4]] and node["obs"] == [2, 0]
    expected, _ = cartpole(2).reset(seed=3)
    assert beside[:32] == expected.tobytes()
    step = {"operation": "step", "arguments": {"actions": [2, 0]}}
    socket.send_multipart([header(3, lease, 2), msgpack.packb([[["i8", [2]]], step]), struct.pack("<2q", 0, 1)])
    first, meta, _ = socket.recv_multipart()
    assert first == header(4, lease, 2)
    assert set(msgpack.unpackb(meta)[1]) == {"obs", "rewards", "terminated", "truncated", "infos", "final_obs"}
