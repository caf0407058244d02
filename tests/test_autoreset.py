"""The three autoreset modes, step by step beside Gymnasium's own vector environment."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dexgrasp_envs.env import DexGraspEnv
from tests.vector_envs import EYES, LIMIT, ROWS, Make, actions, assert_same_infos, place, same, set_steps


class Pair:
    """Our vector environment beside Gymnasium's, over the same environments."""

    def __init__(self, make: Make, mode: AutoresetMode):
        options = {"config": EYES, "groups": ("depth",)}
        self.ours = make(autoreset_mode=mode, **options)
        singles = [lambda i=i: DexGraspEnv(first_env_index=i, **options) for i in range(ROWS)]
        self.theirs = SyncVectorEnv(singles, autoreset_mode=mode)
        # Gymnasium gives each row a seed of its own; our rows differ by their index.
        self.compare(self.ours.reset(seed=5), self.theirs.reset(seed=[5] * ROWS))

    def compare(self, ours: tuple, theirs: tuple) -> None:
        assert same(ours[:-1], theirs[:-1])
        assert_same_infos(ours[-1], theirs[-1])

    def step(self, number: int) -> np.ndarray:
        """Step both, compare, and say which rows ended."""
        result = self.ours.step(actions(number))
        self.compare(result, self.theirs.step(actions(number)))
        return result[2] | result[3]

    def each(self, change: Callable[[Any, int], None]) -> None:
        """Change both in the same way: change(single environment, row)."""
        for row, env in enumerate(self.theirs.envs):
            change(env, row)
        state = [env.get_state() for env in self.theirs.envs]
        self.ours.set_state({name: np.concatenate([part[name] for part in state]) for name in state[0]})


@pytest.fixture(params=list(AutoresetMode), ids=lambda mode: mode.name)
def pair(make: Make, request: pytest.FixtureRequest) -> Iterator[Pair]:
    pair = Pair(make, request.param)
    yield pair
    pair.theirs.close()


@pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.name)
def test_metadata_declares_the_autoreset_mode(make: Make, mode: AutoresetMode) -> None:
    assert make(autoreset_mode=mode).metadata["autoreset_mode"] is mode
    assert make(autoreset_mode=mode.value).metadata["autoreset_mode"] is mode


def test_autoreset_is_same_step_by_default(make: Make) -> None:
    assert make().metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


def test_time_limits_are_as_in_gymnasiums_vector_env(pair: Pair) -> None:
    pair.each(lambda env, row: set_steps(env, LIMIT - 3 - row))
    ended = np.zeros(ROWS, bool)
    for step in range(6):
        done = pair.step(step)
        ended |= done
        if pair.ours.metadata["autoreset_mode"] is AutoresetMode.DISABLED and done.any():
            both = [envs.reset(options={"reset_mask": done.copy()}) for envs in (pair.ours, pair.theirs)]
            pair.compare(*both)
    assert ended.all()


def test_lost_objects_are_as_in_gymnasiums_vector_env(pair: Pair) -> None:
    pair.each(lambda env, row: place(env, 0, -1.0) if row == 1 else None)
    np.testing.assert_array_equal(pair.step(0), [False, True, False])
    if pair.ours.metadata["autoreset_mode"] is AutoresetMode.DISABLED:
        mask = np.array([False, True, False])
        pair.compare(*[envs.reset(options={"reset_mask": mask.copy()}) for envs in (pair.ours, pair.theirs)])
    assert not pair.step(1).any()
    assert not pair.step(2).any()


def test_a_lost_object_terminates_and_does_not_truncate(make: Make) -> None:
    envs = make()
    envs.reset(seed=0)
    place(envs, 2, -1.0)
    set_steps(envs, [0, LIMIT - 1, LIMIT - 1])
    _, _, terminated, truncated, _ = envs.step(actions(0))
    np.testing.assert_array_equal(terminated, [False, False, True])
    np.testing.assert_array_equal(truncated, [False, True, False])


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP], ids=lambda mode: mode.name)
def test_an_autoreset_starts_the_episode_that_a_reset_would(make: Make, mode: AutoresetMode) -> None:
    options = {"config": EYES, "groups": ("depth",)}
    envs, twin = make(autoreset_mode=mode, **options), make(**options)
    envs.reset(seed=3)
    set_steps(envs, LIMIT - 1)
    obs, *_ = envs.step(actions(0))
    if mode is AutoresetMode.NEXT_STEP:
        obs, *_ = envs.step(actions(1))
    assert same(obs, twin.reset(seed=3, options={"episode": 1})[0])


def test_final_rows_are_final_obs_and_final_info(make: Make) -> None:
    envs = make(config=EYES, groups=("depth",), privileged=True)
    envs.reset(seed=0)
    set_steps(envs, [LIMIT - 1, 0, LIMIT - 1])
    *_, infos = envs.step(actions(0))
    rows = envs.final_rows
    np.testing.assert_array_equal(rows.index, [0, 2])
    assert rows.info.keys() == {name for name in infos["final_info"] if not name.startswith("_")}
    for k, row in enumerate(rows.index):
        assert same({name: values[k] for name, values in rows.obs.items()}, infos["final_obs"][row])
        for name, values in rows.info.items():
            assert values[k] == infos["final_info"][name][row]


def test_final_rows_are_empty_when_nothing_ended(make: Make) -> None:
    envs = make()
    envs.reset(seed=0)
    set_steps(envs, LIMIT - 1)
    envs.step(actions(0))
    assert len(envs.final_rows.index) == ROWS
    envs.step(actions(1))
    assert len(envs.final_rows.index) == 0
    assert all(values.shape[0] == 0 for values in envs.final_rows.obs.values())


def test_a_diverged_row_is_truncated_and_restarted_and_disturbs_no_other(make: Make) -> None:
    envs, twin = make(), make()
    for env in (envs, twin):
        env.reset(seed=0)
    place(envs, 1, 1e11)
    obs, rewards, terminated, truncated, infos = envs.step(actions(0))
    np.testing.assert_array_equal(truncated, [False, True, False])
    np.testing.assert_array_equal(infos["final_info"]["diverged"], truncated)
    assert not terminated.any() and rewards[1] == 0.0
    assert infos["final_obs"][1] in envs.single_observation_space
    expected = twin.step(actions(0))[0]
    fresh, _ = twin.reset(options={"reset_mask": truncated})
    for name in obs:
        np.testing.assert_array_equal(obs[name][[0, 2]], expected[name][[0, 2]])
        np.testing.assert_array_equal(obs[name][1], fresh[name][1])
    assert not envs.step(actions(1))[-1]["diverged"].any()
