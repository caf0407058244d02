from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dexgrasp_envs.errors import ConfigError, ProtocolError
from dexgrasp_envs.remote import wire
from dexgrasp_envs.remote.replies import check_obs
from dexgrasp_envs.remote.spaces import space_from_data, space_to_data

SPACES = [
    spaces.Box(-1, 1, (3, 2), np.float32),
    spaces.Box(np.array([-np.inf, 0]), np.array([1, np.inf]), dtype=np.float64),
    spaces.Box(0, 65535, (1, 4, 5), np.uint16),
    spaces.Discrete(5, start=-2),
    spaces.Discrete(5, dtype=np.int32),
    spaces.MultiBinary(4),
    spaces.MultiBinary([2, 3]),
    spaces.MultiDiscrete([3, 4], start=[1, -1]),
    spaces.Text(7, min_length=2, charset="abc"),
    spaces.Dict([("z", spaces.Discrete(2)), ("a", spaces.Tuple((spaces.Box(0, 1), spaces.MultiBinary(1))))]),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_space_comes_back_as_it_was(space: gymnasium.Space) -> None:
    meta, arrays = wire.encode(space_to_data(space))
    back = space_from_data(wire.decode(meta, 1 << 20).build(arrays))
    assert back == space and back.dtype == space.dtype
    space.seed(3)
    back.seed(3)
    assert repr(back.sample()) == repr(space.sample())


@st.composite
def boxes(draw: st.DrawFn) -> spaces.Box:
    dtype = np.dtype(
        draw(st.sampled_from(["float16", "float32", "float64", "uint8", "uint16", "int8", "int32", "int64"]))
    )
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    if dtype.kind == "f":
        values = st.floats(-1000, 1000, width=16) | st.sampled_from([-np.inf, np.inf])
    else:
        # Gymnasium cannot sample where the width of the interval is beyond the dtype.
        values = st.integers(np.iinfo(dtype).min // 2, np.iinfo(dtype).max // 2)
    ends = [draw(hnp.arrays(dtype, shape, elements=values)) for _ in range(2)]
    low, high = np.minimum(*ends), np.maximum(*ends)
    # Nothing lies between two infinities of one sign.
    low, high = np.where(low == np.inf, 0, low).astype(dtype), np.where(high == -np.inf, 0, high).astype(dtype)
    return spaces.Box(np.minimum(low, high), np.maximum(low, high), dtype=dtype.type)


STARTS = st.integers(-1000, 1000)
COUNTS = st.integers(1, 1000)
LEAVES = (
    boxes()
    | st.builds(spaces.Discrete, COUNTS, start=STARTS)
    | st.builds(spaces.MultiBinary, st.integers(1, 5) | st.lists(st.integers(1, 3), min_size=1, max_size=3))
    | st.lists(st.tuples(COUNTS, STARTS), min_size=1, max_size=3).map(
        lambda parts: spaces.MultiDiscrete([n for n, _ in parts], start=[start for _, start in parts])
    )
    | st.builds(
        lambda low, more, charset: spaces.Text(low + more, min_length=low, charset=charset),
        st.integers(0, 3),
        st.integers(1, 4),
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6),
    )
)
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.dictionaries(st.text(max_size=3), inner, min_size=1, max_size=3).map(
            lambda parts: spaces.Dict(list(parts.items()))
        )
        | st.lists(inner, min_size=1, max_size=3).map(spaces.Tuple)
    ),
    max_leaves=5,
)


def travelled(data: Any) -> Any:
    meta, arrays = wire.encode(data)
    return wire.decode(meta, 1 << 20).build([array.copy() for array in arrays])


@settings(max_examples=150, deadline=None)
@given(NESTED, st.integers(0, 2**32))
def test_any_space_comes_back_with_its_samples(space: gymnasium.Space, seed: int) -> None:
    back = space_from_data(travelled(space_to_data(space)))
    assert back == space
    space.seed(seed)
    back.seed(seed)
    assert repr(back.sample()) == repr(space.sample())


@settings(max_examples=100, deadline=None)
@given(NESTED, st.integers(0, 2**32))
def test_samples_of_any_batch_travel_and_are_what_a_reply_must_hold(space: gymnasium.Space, seed: int) -> None:
    batch = batch_space(space, 2)
    batch.seed(seed)
    sample = batch.sample()
    back = travelled(sample)
    assert repr(back) == repr(sample)
    check_obs(space, back, 2, "obs")


def test_of_a_subclass_the_base_travels() -> None:
    class Unit(spaces.Box):
        def __init__(self) -> None:
            super().__init__(0, 1, (2,))

    assert type(space_from_data(space_to_data(Unit()))) is spaces.Box


def test_a_dict_whose_keys_are_no_strings_is_refused() -> None:
    with pytest.raises(ConfigError, match="keys of a Dict space must be strings"):
        space_to_data(spaces.Dict({1: spaces.Discrete(2)}))


def test_the_order_of_a_dict_is_kept() -> None:
    back = space_from_data(space_to_data(SPACES[-1]))
    assert isinstance(back, spaces.Dict) and list(back.spaces) == ["z", "a"]


@pytest.mark.parametrize(
    "space",
    [
        spaces.Graph(spaces.Discrete(2), None),
        spaces.Sequence(spaces.Discrete(2)),
        spaces.OneOf([spaces.Discrete(2)]),
        spaces.Dict({"a": spaces.Tuple((spaces.Sequence(spaces.Discrete(2)),))}),
    ],
    ids=str,
)
def test_a_space_that_cannot_be_served_is_named(space: gymnasium.Space) -> None:
    with pytest.raises(ConfigError, match=r"(Graph|Sequence|OneOf) spaces cannot be served; use Box"):
        space_to_data(space)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        np.zeros(0),
        {"kind": "Graph"},
        {"kind": "Box", "dtype": "object", "low": 0, "high": 1},
        {"kind": "Discrete", "n": -1, "start": 0, "dtype": "int64"},
        {"kind": "Dict", "spaces": [["a", None]]},
        {"kind": "Box", "dtype": "float32", "low": np.zeros(2), "high": np.zeros(3)},
    ],
)
def test_data_that_are_no_space_are_refused(data: Any) -> None:
    with pytest.raises(ProtocolError, match="describes no space"):
        space_from_data(data)
