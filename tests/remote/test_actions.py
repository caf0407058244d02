from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from dexgrasp_envs.errors import ActionError
from dexgrasp_envs.remote.actions import check_actions

BOX = batch_space(spaces.Box(-1, 1, (2,)), 3)
DEEP = batch_space(spaces.Dict({"a": spaces.Discrete(2), "b": spaces.Tuple((spaces.Box(-1, 1, (2,)),))}), 3)


def test_actions_outside_the_bounds_are_left_to_the_environment() -> None:
    actions = np.full((3, 2), 9.0)
    assert check_actions(BOX, actions) is actions


def test_lists_become_arrays() -> None:
    assert check_actions(BOX, [[0, 1]] * 3).shape == (3, 2)


def test_actions_in_dicts_and_tuples_are_checked() -> None:
    actions = DEEP.sample()
    assert check_actions(DEEP, actions).keys() == {"a", "b"}
    actions["b"][0][1, 0] = np.nan
    with pytest.raises(ActionError, match=r"environments \[1\] are not finite"):
        check_actions(DEEP, actions)


@pytest.mark.parametrize(
    ("space", "actions"),
    [
        (BOX, np.zeros((2, 2))),
        (BOX, np.zeros(3)),
        (BOX, "up"),
        (BOX, None),
        (BOX, [[1, 2], [3]]),
        (BOX, np.zeros((3, 2), complex)),
        (BOX, np.full((3, 2), np.inf)),
        (DEEP, np.zeros((3, 2))),
        (DEEP, {"a": np.zeros(3)}),
        (DEEP, {"a": np.zeros(3), "b": np.zeros((3, 2))}),
    ],
)
def test_actions_that_do_not_fit_are_refused(space: Any, actions: Any) -> None:
    with pytest.raises(ActionError):
        check_actions(space, actions)


def test_fractions_are_no_integers() -> None:
    space = batch_space(spaces.Discrete(4), 3)
    with pytest.raises(ActionError, match="must be integers"):
        check_actions(space, np.zeros(3))
    assert check_actions(space, np.zeros(3, np.uint8)).dtype == np.uint8


def test_texts_must_be_in_their_space() -> None:
    space = batch_space(spaces.Text(3, charset="ab"), 2)
    assert check_actions(space, ("a", "bab")) == ("a", "bab")
    for wrong in (("a", "c"), ("a",), ("a", 5), np.zeros(2)):
        with pytest.raises(ActionError):
            check_actions(space, wrong)
