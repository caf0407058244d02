import ast
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dexgrasp_envs.remote import wire
from dexgrasp_envs.remote.wire import Header, Kind, VersionSkew, WireError

PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=5)
ARRAYS = hnp.arrays(
    st.sampled_from(list(wire.DTYPES.values())), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
)
DATA = st.recursive(
    PLAIN | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def there_and_back(data: Any) -> Any:
    meta, arrays = wire.encode(data)
    return wire.decode(meta, 1 << 20).build([array.copy() for array in arrays])


def identical(first: Any, second: Any) -> bool:
    if type(first) is not type(second):
        return False
    if isinstance(first, np.ndarray):
        return first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()
    if isinstance(first, dict):
        return list(first) == list(second) and all(identical(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(identical(*pair) for pair in zip(first, second, strict=True))
    return first == second


@given(DATA)
def test_data_come_back_as_they_were(data: Any) -> None:
    assert identical(there_and_back(data), data)


def test_numpy_scalars_come_back_as_scalars() -> None:
    back = there_and_back(np.float32(0.1))
    assert type(back) is np.float32 and back == np.float32(0.1)


def test_arrays_of_objects_come_back() -> None:
    objects = np.full((2, 2), None, object)
    objects[0, 1], objects[1, 0] = "text", {"a": np.arange(3)}
    back = there_and_back(objects)
    assert back.shape == (2, 2) and back.dtype == object and back[0, 0] is None and back[0, 1] == "text"
    np.testing.assert_array_equal(back[1, 0]["a"], [0, 1, 2])


def test_other_byte_orders_and_strides_come_back_as_values() -> None:
    array = np.arange(12, dtype=">i4").reshape(3, 4)[:, ::-2]
    np.testing.assert_array_equal(there_and_back(array), array)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ({1: "a"}, "key 1"),
        ({"a": {"b": object()}}, "data['a']['b'] is a object"),
        (np.array(["text"]), "<U4"),
        (np.zeros(2, complex), "complex128"),
        (np.array([object()]), "object"),
        (2**64, "not plain data"),
        (b"bytes", "bytes"),
        (np.zeros((1,) * 17), "17 dimensions"),
        ([0] * (wire.CHUNK_BYTES + 1), "bytes of metadata"),
        ([np.zeros(1)] * (wire.MAX_ARRAYS + 1), "4097 arrays"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_travel_is_named(data: Any, word: str) -> None:
    with pytest.raises(WireError) as raised:
        wire.encode(data)
    assert word in str(raised.value)


def test_data_that_contain_themselves_are_refused() -> None:
    data: list[Any] = []
    data.append(data)
    with pytest.raises(WireError, match="deeper"):
        wire.encode(data)


@given(st.binary(max_size=200))
def test_garbage_is_no_metadata(garbage: bytes) -> None:
    try:
        wire.decode(garbage, 1 << 20)
    except WireError:
        return
    # What is accepted must at least be well-formed.
    assert isinstance(msgpack.unpackb(garbage), list)


@settings(max_examples=300)
@given(DATA, st.data())
def test_damaged_metadata_are_refused_or_within_their_bounds(data: Any, draw: st.DataObject) -> None:
    meta = bytearray(wire.encode({"data": data, "array": np.zeros((2, 3), np.float32)})[0])
    for _ in range(draw.draw(st.integers(1, 3))):
        meta[draw.draw(st.integers(0, len(meta) - 1))] = draw.draw(st.integers(0, 255))
    try:
        head = wire.decode(bytes(meta), 1 << 12)
    except WireError:
        return
    assert sum(slot.size for slot in head.slots) <= 1 << 12
    head.build([np.zeros(slot.shape, slot.dtype) for slot in head.slots])


@pytest.mark.parametrize(
    ("table", "node"),
    [
        ([["f4", [1 << 40, 1 << 40]]], [2, 0]),
        ([["f4", [1025]]], [2, 0]),
        ([["f4", [0, 1 << 30, 1 << 30]]], [2, 0]),
        ([["f4", [-1]]], [2, 0]),
        ([["f4", [1.5]]], [2, 0]),
        ([["O", [1]]], [2, 0]),
        ([["V8", [1]]], [2, 0]),
        ([["f4", [1] * 17]], [2, 0]),
        ([["f4", [1]]], None),
        ([["f4", [1]]], [2, 1]),
        ([["f4", [1]]], [0, [[2, 0], [2, 0]]]),
        ([], [4, [[1 << 40], []]]),
        ([], [4, [[0, 1 << 30, 1 << 30], []]]),
        ([], [9, []]),
        ([], [0, 5]),
        ([], [0]),
        ([["f4", [1]]] * 5000, None),
        ({}, None),
    ],
)
def test_impossible_metadata_are_refused(table: Any, node: Any) -> None:
    with pytest.raises(WireError):
        wire.decode(msgpack.packb([table, node]), 4096)


@pytest.mark.parametrize("value", [msgpack.ExtType(5, b"x"), msgpack.Timestamp(1), b"bytes", {b"key": 1}])
def test_types_of_msgpack_that_are_not_ours_are_refused(value: Any) -> None:
    with pytest.raises(WireError):
        wire.decode(msgpack.packb([[], {"a": value}]), 4096)


def test_deep_nesting_is_refused() -> None:
    node: Any = None
    for _ in range(400):
        node = [0, [node]]
    with pytest.raises(WireError):
        wire.decode(msgpack.packb([[], node]), 4096)


def test_a_promise_of_much_data_is_refused_before_memory_is_asked_for() -> None:
    meta = msgpack.packb([[["u1", [1 << 45]]], [2, 0]])
    tracemalloc.start()
    with pytest.raises(WireError, match=f"{1 << 45} bytes"):
        wire.decode(meta, 1 << 30)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_headers_come_back_as_they_were() -> None:
    header = Header(Kind.CHUNK, 2**64 - 1, 2**64 - 2, 2**32 - 1, 2**40)
    assert Header.unpack(header.pack()) == header


@given(st.binary(max_size=60))
def test_garbage_is_no_header(garbage: bytes) -> None:
    with pytest.raises(WireError):
        Header.unpack(garbage)


def test_a_header_of_another_version_is_told_apart_whatever_follows() -> None:
    with pytest.raises(VersionSkew, match="version 2, expected 1"):
        Header.unpack(wire.MAGIC + (2).to_bytes(2, "little") + b"something new")


def test_a_header_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(WireError, match="kind of message 200"):
        Header.unpack(Header(200).pack())


def test_large_arrays_do_not_travel_beside_the_metadata() -> None:
    assert wire.split([10, wire.INLINE_BYTES, wire.INLINE_BYTES + 1]) == ([0, 1], [2])


def test_arrays_beside_the_metadata_fit_into_a_frame() -> None:
    assert len(wire.split([wire.INLINE_BYTES] * 100)[0]) == wire.CHUNK_BYTES // wire.INLINE_BYTES


def test_the_module_keeps_to_python_38() -> None:
    ast.parse(Path(wire.__file__).read_text(), feature_version=(3, 8))


def test_the_module_needs_numpy_and_msgpack_only() -> None:
    code = (
        "import importlib.util, sys; before = set(sys.modules);"
        f"spec = importlib.util.spec_from_file_location('wire', {wire.__file__!r});"
        "module = importlib.util.module_from_spec(spec); sys.modules['wire'] = module; spec.loader.exec_module(module);"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before if not name.startswith('_')}"
        " - set(sys.stdlib_module_names))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) <= {"wire", "numpy", "msgpack", "cython_runtime"}
