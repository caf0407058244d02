from collections.abc import Callable

import numpy as np
import pytest
import torch

from dexgrasp_envs.remote.array_pool import KEPT, ArrayPool

KINDS: dict[str, Callable[[np.ndarray], object]] = {
    "the array": lambda array: array,
    "a row": lambda array: array[1],
    "a reshaped view": lambda array: array.reshape(-1)[3:].view(np.uint8),
    "a tensor": lambda array: torch.from_numpy(array)[2:],
    "a memoryview": lambda array: memoryview(array)[1:],
    "an iterator": iter,
}


def address(array: np.ndarray) -> int:
    return array.ctypes.data


def test_memory_is_given_again_when_nobody_has_it() -> None:
    pool = ArrayPool()
    first = address(pool.empty("a", (3, 5), np.float32))
    assert address(pool.empty("a", (3, 5), np.float32)) == first
    assert address(pool.empty("a", (5, 6), np.uint16)) == first


@pytest.mark.parametrize("keep", KINDS.values(), ids=KINDS)
def test_memory_that_somebody_has_is_not_given_again(keep: Callable[[np.ndarray], object]) -> None:
    pool = ArrayPool()
    array = pool.empty("a", (4, 5), np.float32)
    before = address(array)
    kept = keep(array)
    del array
    others = [pool.empty("a", (4, 5), np.float32) for _ in range(5)]
    assert before not in map(address, others) and len(set(map(address, others))) == 5
    del kept, others
    assert len(pool._owners["a"]) <= KEPT


def test_two_that_are_used_in_turn_are_enough() -> None:
    pool = ArrayPool()
    seen = set()
    held: list[np.ndarray] = []
    for _ in range(10):
        held = [pool.empty(name, (7,), np.int64) for name in ("left", "right")]
        seen |= set(map(address, held))
    assert len(seen) == 2 * KEPT


def test_another_size_is_another_memory_and_nothing_is_an_array_too() -> None:
    pool = ArrayPool()
    pool.empty("a", (2,), np.uint8)
    assert pool.empty("a", (3,), np.uint8).shape == (3,)
    assert pool.empty("none", (0, 4), np.float32).shape == (0, 4)
