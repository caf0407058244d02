from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dexgrasp_envs.errors import ConfigError, ProtocolError
from dexgrasp_envs.remote import wire
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


def test_the_order_of_a_dict_is_kept() -> None:
    back = space_from_data(space_to_data(SPACES[-1]))
    assert isinstance(back, spaces.Dict) and list(back.spaces) == ["z", "a"]


def test_a_space_that_cannot_be_served_is_named() -> None:
    with pytest.raises(ConfigError, match="Graph spaces cannot be served"):
        space_to_data(spaces.Graph(spaces.Discrete(2), None))


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
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
