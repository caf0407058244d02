from dataclasses import dataclass

import numpy as np
import pytest
import torch

from dexgrasp_envs.errors import StateError
from dexgrasp_envs.types import BatchState, check_arrays, check_index


@dataclass
class Pair(BatchState):
    left: torch.Tensor
    right: torch.Tensor


def pair() -> Pair:
    return Pair(torch.arange(4), torch.arange(8.0).reshape(4, 2))


def test_rows_are_a_copy() -> None:
    whole = pair()
    part = whole.rows(torch.tensor([2, 0]))
    part.left[:] = 9
    assert part.right.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert whole.left.tolist() == [0, 1, 2, 3]


def test_set_rows_changes_these_rows_only() -> None:
    whole = pair()
    whole.set_rows(torch.tensor([1, 3]), Pair(torch.tensor([7, 8]), torch.zeros(2, 2)))
    assert whole.left.tolist() == [0, 7, 2, 8]
    assert whole.right.tolist() == [[0.0, 1.0], [0.0, 0.0], [4.0, 5.0], [0.0, 0.0]]


def test_arrays_are_named_copies() -> None:
    whole = pair()
    arrays = whole.to_arrays("p")
    arrays["p.left"][:] = 9
    assert set(arrays) == {"p.left", "p.right"}
    assert whole.left.tolist() == [0, 1, 2, 3]


def test_loading_arrays_undoes_what_happened_since() -> None:
    whole = pair()
    arrays = whole.to_arrays("p")
    whole.left += 1
    whole.right *= 2
    whole.load_arrays("p", arrays)
    assert whole.left.tolist() == pair().left.tolist()
    assert whole.right.tolist() == pair().right.tolist()


def test_arrays_of_the_same_form_pass() -> None:
    check_arrays({"a": np.zeros((2, 3))}, {"a": np.ones((2, 3))})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"missing \['a'\]"),
        ({"a": np.zeros(2), "b": np.zeros(2)}, r"unexpected \['b'\]"),
        ({"a": np.zeros(3)}, r"a must have shape \(2,\)"),
        ({"a": np.zeros(2, np.float32)}, "dtype float64, got .* float32"),
        ([np.zeros(2)], "dict of arrays"),
    ],
)
def test_arrays_of_another_form_are_refused(given: dict, message: str) -> None:
    with pytest.raises(StateError, match=message):
        check_arrays({"a": np.zeros(2)}, given)


@pytest.mark.parametrize("value", [-1, 3])
def test_an_index_out_of_range_is_refused(value: int) -> None:
    check_index("i", np.array([0, 2]), 3)
    with pytest.raises(StateError, match=r"i must be in 0\.\.2"):
        check_index("i", np.array([0, value]), 3)
