from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.viewing.policies import Observation, Starts
from dexgrasp_envs.viewing.rollout import frame, rollout
from tests.baselines.fake_env import FAKE_CONFIG, FakeVectorEnv

STEPS = FAKE_CONFIG.max_steps


class StereoEnv(FakeVectorEnv):
    """The same with a pair of images, in shades that tell row and side."""

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs, autoreset_mode="Disabled", render_mode="rgb_array")
        images = dict.fromkeys(("left", "right"), spaces.Box(0, 255, (3, 6, 8), np.uint8))
        self.single_observation_space = spaces.Dict({**self.single_observation_space.spaces, **images})
        self.observation_space = batch_space(self.single_observation_space, num_envs)

    def _obs(self) -> dict[str, np.ndarray]:
        shades = (
            np.zeros((self.num_envs, 3, 6, 8), np.uint8) + 10 * np.arange(1, 1 + self.num_envs)[:, None, None, None]
        )
        flat = {name: np.zeros((self.num_envs, 4), np.float32) for name in ("proprio", "state", "privileged")}
        return flat | {"left": shades.astype(np.uint8), "right": (100 + shades).astype(np.uint8)}

    def render(self) -> Any:
        return tuple(np.full((24, 32, 3), 255, np.uint8) for _ in range(self.num_envs))


def still(obs: Observation, starts: Starts) -> np.ndarray:
    return np.zeros((len(obs["proprio"]), 2), np.float32)


def test_it_ends_when_every_environment_has_had_its_episodes() -> None:
    moments = list(rollout(FakeVectorEnv(3, autoreset_mode="Disabled"), still, seed=0, episodes=2))
    assert len(moments) == 1 + 2 * STEPS
    assert sum(moment.finished for moment in moments).tolist() == [2, 2, 2]


def test_the_last_moment_of_an_episode_is_shown_before_the_next_begins() -> None:
    moments = list(rollout(FakeVectorEnv(1, autoreset_mode="Disabled"), still, seed=0, episodes=2))
    episodes = [int(moment.infos["episode_index"][0]) for moment in moments]
    assert episodes == [0] * (1 + STEPS) + [1] * STEPS
    last, following = moments[STEPS], moments[STEPS + 1]
    assert last.finished.all() and not following.finished.any()
    assert (last.obs["state"] == moments[0].obs["state"]).all() and (following.obs["state"] != last.obs["state"]).any()


def test_the_policy_sees_the_start_of_the_next_episode_not_the_end_of_the_last() -> None:
    seen = []

    def act(obs: Observation, starts: Starts) -> np.ndarray:
        seen.append(obs["privileged"][0, -1])  # time in the episode
        return still(obs, starts)

    list(rollout(FakeVectorEnv(1, autoreset_mode="Disabled"), act, seed=0, episodes=2))
    assert seen[STEPS] == 0 and len(seen) == 2 * STEPS


def test_the_policy_is_told_where_an_episode_begins() -> None:
    told = []

    def act(obs: Observation, starts: Starts) -> np.ndarray:
        told.append(starts.tolist())
        assert (starts == (obs["privileged"][:, -1] == 0)).all()
        return still(obs, starts)

    list(rollout(FakeVectorEnv(2, autoreset_mode="Disabled"), act, seed=0, episodes=2))
    assert [step for step, starts in enumerate(told) if all(starts)] == [0, STEPS]


def test_an_environment_that_resets_by_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match="DISABLED"):
        next(rollout(FakeVectorEnv(1), still, seed=0))


def test_there_must_be_an_episode() -> None:
    with pytest.raises(ConfigError, match="at least 1, got 0"):
        next(rollout(FakeVectorEnv(1, autoreset_mode="Disabled"), still, seed=0, episodes=0))


def test_a_frame_holds_every_environment_with_its_own_stereo_images() -> None:
    env = StereoEnv(2)
    image = frame(env, next(rollout(env, still, seed=0)))
    assert image.shape == (24, 2 * (32 + 16), 3)
    for row, left in enumerate((10, 20)):
        panes = image[:, 48 * row + 32 : 48 * row + 48]
        assert (panes[:12] == left).all() and (panes[12:] == 100 + left).all()
