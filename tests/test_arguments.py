from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

from dexgrasp_envs import arguments
from dexgrasp_envs.errors import ConfigError

CPU = torch.device("cpu")


@pytest.mark.parametrize("value", [3, np.int32(3), np.uint8(3)])
def test_whole_numbers_of_any_kind_become_python_integers(value: Any) -> None:
    for check in (arguments.positive, arguments.not_negative):
        assert check("n", value) == 3
        assert type(check("n", value)) is int


def test_zero_is_not_negative_but_not_positive() -> None:
    assert arguments.not_negative("n", 0) == 0
    with pytest.raises(ConfigError, match="n must be an integer of at least 1, got 0"):
        arguments.positive("n", 0)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_mode_may_be_given_by_its_name(mode: AutoresetMode) -> None:
    assert arguments.autoreset_mode(mode) is mode
    assert arguments.autoreset_mode(mode.value) is mode


@pytest.mark.parametrize("value", [5, [5, 5, 5], np.full(3, 5, np.uint16), torch.tensor([5, 5, 5]), np.int64(5)])
def test_one_value_or_one_per_row_become_a_value_per_row(value: Any) -> None:
    assert arguments.per_row("n", value, 3, torch.int64, CPU).tolist() == [5, 5, 5]


def test_values_per_row_are_a_copy() -> None:
    for given in (np.zeros(3, np.int64), torch.zeros(3, dtype=torch.int64)):
        arguments.per_row("n", given, 3, torch.int64, CPU)[0] = 1
        assert not given.any()


def test_actions_are_a_copy() -> None:
    for given in (np.zeros((3, 2), np.float32), torch.zeros(3, 2)):
        arguments.action_batch(given, 3, 2, CPU)[0] = 1
        assert not given.any()


def test_actions_leave_the_graph_of_the_policy() -> None:
    action = arguments.action_batch(torch.zeros(3, 2, requires_grad=True), 3, 2, CPU)
    assert not action.requires_grad


def test_actions_are_clipped() -> None:
    assert arguments.action_batch([[-3, 0.5]], 1, 2, CPU).tolist() == [[-1.0, 0.5]]
