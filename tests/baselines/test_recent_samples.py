import numpy as np
import pytest
import torch
from gymnasium import spaces

from baselines.recent_samples import RecentSamples

SPACE = spaces.Dict(
    {
        "depth": spaces.Box(0, 65535, (1, 2, 2), np.uint16),
        "flat": spaces.Box(-1, 1, (3,), np.float32),
        "unused": spaces.Box(-1, 1, (9,), np.float32),
    }
)


def store(recent: RecentSamples, number: int) -> None:
    """A step of two environments, all of whose values say which step and which row they are."""
    values = 10 * number + np.arange(2.0)
    depth = np.broadcast_to(values[:, None, None, None], (2, 1, 2, 2)).astype(np.uint16)
    flat = np.broadcast_to(values[:, None], (2, 3)).astype(np.float32)
    column = torch.tensor(values)[:, None]
    recent.store(
        {"depth": depth, "flat": flat, "unused": np.zeros((2, 9))},
        column.expand(2, 4),
        torch.tensor([number % 2 == 0, False]),
        column.expand(2, 5),
    )


@pytest.fixture
def recent() -> RecentSamples:
    return RecentSamples(SPACE, ("depth", "flat"), action_size=4, state_size=5, steps=3, num_envs=2)


def test_what_belongs_together_is_drawn_together_in_its_own_dtype(recent):
    for number in range(3):
        store(recent, number)
    drawn = recent.draw(50, 1)
    assert drawn.obs["depth"].dtype == torch.uint16 and drawn.obs["depth"].shape == (1, 50, 1, 2, 2)
    assert drawn.means.shape == (1, 50, 4) and drawn.starts.shape == (1, 50) and drawn.state.shape == (50, 5)
    which = drawn.means[0, :, 0]
    for values in (drawn.obs["depth"][0, :, 0, 0, 0].float(), drawn.obs["flat"][0, :, 0], drawn.state[:, 0]):
        assert torch.equal(values, which)
    assert torch.equal(drawn.starts[0], (which == 0) | (which == 20))
    assert set(which.tolist()) == {0, 1, 10, 11, 20, 21}


def test_a_stretch_is_of_consecutive_steps_of_one_row(recent):
    for number in range(7):
        store(recent, number)
    drawn = recent.draw(100, 2)
    first, second = drawn.means[:, :, 0]
    assert torch.equal(second, first + 10) and torch.equal(drawn.state[:, 0], first)
    assert set(first.tolist()) == {40, 41, 50, 51}


def test_a_stretch_is_short_while_little_is_held(recent):
    store(recent, 4)
    assert len(recent) == 1
    drawn = recent.draw(50, 3)
    assert drawn.means.shape == (1, 50, 4) and set(drawn.means[0, :, 0].tolist()) == {40, 41}


def test_the_oldest_step_gives_way(recent):
    for number in range(5):
        store(recent, number)
    assert len(recent) == 3 and set(recent.draw(100, 1).means[0, :, 0].tolist()) == {20, 21, 30, 31, 40, 41}


def test_only_the_groups_asked_for_take_memory(recent):
    assert recent.nbytes == 3 * 2 * (4 * 2 + 3 * 4 + 4 * 4 + 1 + 5 * 4)
