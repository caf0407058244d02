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


def step(number: int) -> tuple[dict[str, np.ndarray], torch.Tensor]:
    """Two environments, all of whose values say which step and which row they are."""
    values = 10 * number + np.arange(2.0)
    depth = np.broadcast_to(values[:, None, None, None], (2, 1, 2, 2)).astype(np.uint16)
    flat = np.broadcast_to(values[:, None], (2, 3)).astype(np.float32)
    return {"depth": depth, "flat": flat, "unused": np.zeros((2, 9))}, torch.tensor(values)[:, None].expand(2, 4)


@pytest.fixture
def recent() -> RecentSamples:
    return RecentSamples(SPACE, ("depth", "flat"), action_size=4, steps=3, num_envs=2)


def test_what_belongs_together_is_drawn_together_in_its_own_dtype(recent):
    for number in range(3):
        recent.store(*step(number))
    obs, means = recent.draw(50)
    assert obs["depth"].dtype == torch.uint16 and obs["depth"].shape == (50, 1, 2, 2) and means.shape == (50, 4)
    assert torch.equal(obs["depth"][:, 0, 0, 0].float(), means[:, 0]) and torch.equal(obs["flat"][:, 0], means[:, 0])
    assert set(means[:, 0].tolist()) == {0, 1, 10, 11, 20, 21}


def test_only_what_was_stored_is_drawn(recent):
    recent.store(*step(4))
    assert len(recent) == 2 and set(recent.draw(50)[1][:, 0].tolist()) == {40, 41}


def test_the_oldest_step_gives_way(recent):
    for number in range(5):
        recent.store(*step(number))
    assert len(recent) == 6 and set(recent.draw(100)[1][:, 0].tolist()) == {20, 21, 30, 31, 40, 41}


def test_only_the_groups_asked_for_take_memory(recent):
    assert recent.nbytes == 3 * 2 * (4 * 2 + 3 * 4 + 4 * 4)
