"""The vector environment as a Gymnasium vector environment: spaces, steps, resets, state."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from dexgrasp_envs.config import EnvConfig, ObservationConfig, RewardConfig
from dexgrasp_envs.errors import ConfigError, StateError
from tests.vector_envs import EYES, LIMIT, ROWS, Make, actions, assert_same_infos, same, set_steps


def test_make_vec_gives_our_class(make: Make) -> None:
    assert make().num_envs == ROWS


def test_the_id_can_name_the_module_to_import() -> None:
    code = (
        "import gymnasium; envs = gymnasium.make_vec('dexgrasp_envs:DexGrasp/KukaAllegro-State-v0', num_envs=2);"
        "print(type(envs).__name__, envs.num_envs)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["DexGraspVectorEnv", "2"]


def test_batched_spaces_are_those_of_single_environments(make: Make) -> None:
    envs = make()
    batch_space = gymnasium.vector.utils.batch_space
    assert envs.observation_space == batch_space(envs.single_observation_space, ROWS)
    assert envs.action_space == batch_space(envs.single_action_space, ROWS)
    assert envs.single_action_space == gymnasium.spaces.Box(-1, 1, (11,), np.float32)


def test_the_privileged_group_is_there_on_request_only(make: Make) -> None:
    assert set(make().single_observation_space.spaces) == {"proprio", "state"}
    assert set(make(privileged=True).single_observation_space.spaces) == {"proprio", "state", "privileged"}


def test_all_bounds_are_finite(make: Make) -> None:
    for box in make(privileged=True).single_observation_space.spaces.values():
        assert np.isfinite(box.low).all() and np.isfinite(box.high).all()


def test_observations_are_always_in_their_space(make: Make) -> None:
    envs = make(privileged=True)
    obs, _ = envs.reset(seed=0)
    set_steps(envs, [LIMIT - 5, LIMIT - 10, 0])
    for step in range(15):
        assert obs in envs.observation_space
        assert all(obs[name].dtype == box.dtype for name, box in envs.single_observation_space.spaces.items())
        obs, *_ = envs.step(np.sign(actions(step)))


def test_step_returns_arrays_of_the_documented_types(make: Make) -> None:
    envs = make()
    envs.reset(seed=0)
    _, rewards, terminated, truncated, infos = envs.step(actions(0))
    assert (rewards.dtype, rewards.shape) == (np.float32, (ROWS,))
    assert (terminated.dtype, terminated.shape) == (bool, (ROWS,))
    assert (truncated.dtype, truncated.shape) == (bool, (ROWS,))
    for name, dtype in {"success": bool, "lifted": bool, "diverged": bool, "episode_index": np.int64}.items():
        assert (infos[name].dtype, infos[name].shape) == (dtype, (ROWS,))


def test_the_reward_is_the_sum_of_the_terms_in_infos(make: Make) -> None:
    envs = make()
    envs.reset(seed=0)
    for step in range(3):
        _, rewards, _, _, infos = envs.step(actions(step))
        terms = [values for name, values in infos.items() if name.startswith("reward/")]
        np.testing.assert_allclose(rewards, np.sum(terms, 0), rtol=1e-6)


def _overwrite(values: Any) -> None:
    """Fill every array in some nested output with ones."""
    if isinstance(values, dict):
        values = tuple(values.values())
    if isinstance(values, tuple):
        for part in values:
            _overwrite(part)
    elif isinstance(values, np.ndarray) and values.dtype == object:
        _overwrite(tuple(part for part in values if part is not None))
    elif isinstance(values, np.ndarray):
        values[...] = 1


def test_overwriting_what_was_returned_changes_nothing(make: Make) -> None:
    # With an image period, so that some images are shown again.
    envs, twin = (make(config=EYES, groups=["depth"], privileged=True) for _ in range(2))
    _overwrite(envs.reset(seed=0))
    twin.reset(seed=0)
    for env in (envs, twin):
        set_steps(env, LIMIT - 3)
    for step in range(6):
        ours, theirs = envs.step(actions(step)), twin.step(actions(step))
        assert same(ours[:-1], theirs[:-1])
        assert_same_infos(ours[-1], theirs[-1])
        _overwrite(ours)
        _overwrite((envs.final_rows.obs, envs.final_rows.info))


def test_images_can_be_had_in_arrays_of_ones_own(make: Make) -> None:
    envs, twin = (make(config=EYES, groups=["depth"]) for _ in range(2))
    mine = {"depth": np.full((ROWS, *envs.single_observation_space["depth"].shape), 7, np.uint16)}
    envs.observe_into(mine)
    assert same(envs.reset(seed=0)[0], twin.reset(seed=0)[0])
    for env in (envs, twin):
        set_steps(env, LIMIT - 3)
    for step in range(6):
        ours, theirs = envs.step(actions(step)), twin.step(actions(step))
        assert ours[0]["depth"].ctypes.data == mine["depth"].ctypes.data
        assert same(ours[:-1], theirs[:-1])
        assert_same_infos(ours[-1], theirs[-1])
    with pytest.raises(ConfigError, match="depth is written into"):
        envs.observe_into({"depth": mine["depth"][1:]})
    envs.observe_into({})
    assert envs.step(actions(0))[0]["depth"].ctypes.data != mine["depth"].ctypes.data


def test_overwriting_the_actions_after_the_step_changes_nothing(make: Make) -> None:
    envs, twin = make(), make()
    envs.reset(seed=0)
    twin.reset(seed=0)
    given = actions(0)
    envs.step(given)
    given[...] = 0.5
    twin.step(actions(0))
    assert same(envs.step(actions(1))[0], twin.step(actions(1))[0])


def test_actions_are_clipped(make: Make) -> None:
    envs, twin = make(), make()
    envs.reset(seed=0)
    twin.reset(seed=0)
    assert same(envs.step(7 * actions(0))[0], twin.step(np.clip(7 * actions(0), -1, 1))[0])


@pytest.mark.parametrize(
    "form",
    [
        lambda a: a.tolist(),
        lambda a: a.astype(np.float64),
        lambda a: a[::-1].copy()[::-1],
        lambda a: np.frombuffer(a.tobytes(), np.float32).reshape(a.shape),
        torch.from_numpy,
        lambda a: torch.from_numpy(a).requires_grad_(),
    ],
    ids=["list", "float64", "negative strides", "read-only", "torch", "torch with gradient"],
)
@pytest.mark.filterwarnings("error")
def test_actions_may_be_any_array_of_numbers(make: Make, form: Callable[[np.ndarray], Any]) -> None:
    envs, twin = make(), make()
    envs.reset(seed=0)
    twin.reset(seed=0)
    for step in range(2):
        assert same(envs.step(form(actions(step)))[0], twin.step(actions(step))[0])


def test_a_seed_makes_a_reset_repeatable(make: Make) -> None:
    envs = make()
    first, _ = envs.reset(seed=3)
    envs.step(actions(0))
    again, infos = envs.reset(seed=3)
    assert same(first, again)
    np.testing.assert_array_equal(infos["episode_index"], 0)


def test_seeds_differ_and_so_do_rows(make: Make) -> None:
    envs = make()
    first, second = (envs.reset(seed=seed, options={"object": 0})[0]["state"] for seed in (3, 4))
    assert len(np.unique(np.concatenate([first, second]), axis=0)) == 2 * ROWS


def test_a_reset_without_a_seed_counts_episodes_on(make: Make) -> None:
    envs, twin = make(), make()
    envs.reset(seed=3)
    obs, infos = envs.reset()
    np.testing.assert_array_equal(infos["episode_index"], 1)
    assert same(obs, twin.reset(seed=3, options={"episode": 1})[0])


def test_environments_that_were_never_seeded_differ(make: Make) -> None:
    first, second = make().reset()[0], make().reset()[0]
    assert not same(first["proprio"], second["proprio"])


def test_a_seed_per_row_is_that_seed_in_that_row(make: Make) -> None:
    envs = make()
    mixed, _ = envs.reset(seed=[3, 4, 3])
    threes, fours = (envs.reset(seed=seed)[0] for seed in (3, 4))
    for name in mixed:
        np.testing.assert_array_equal(mixed[name][[0, 2]], threes[name][[0, 2]])
        np.testing.assert_array_equal(mixed[name][1], fours[name][1])


def test_first_env_index_shifts_the_rows(make: Make) -> None:
    whole, part = make(), make(num_envs=2, first_env_index=1)
    expected, _ = whole.reset(seed=0)
    obs, _ = part.reset(seed=0)
    for name in obs:
        np.testing.assert_array_equal(obs[name], expected[name][1:])


def test_a_reset_mask_resets_only_its_rows(make: Make) -> None:
    envs, twin = make(), make()
    for env in (envs, twin):
        env.reset(seed=0)
        before, *_ = env.step(actions(0))
    obs, infos = envs.reset(options={"reset_mask": np.array([False, True, False])})
    fresh, _ = twin.reset(seed=0, options={"episode": 1, "reset_mask": np.array([False, True, False])})
    for name in obs:
        np.testing.assert_array_equal(obs[name][[0, 2]], before[name][[0, 2]])
        np.testing.assert_array_equal(obs[name][1], fresh[name][1])
    np.testing.assert_array_equal(infos["episode_index"], [0, 1, 0])
    np.testing.assert_array_equal(infos["_episode_index"], [False, True, False])


def test_rows_outside_a_reset_mask_go_on_as_if_nothing_happened(make: Make) -> None:
    envs, twin = make(), make()
    for env in (envs, twin):
        env.reset(seed=0)
        env.step(actions(0))
    envs.reset(seed=9, options={"reset_mask": np.array([False, True, False]), "object": 5})
    for step in range(1, 4):
        ours, theirs = envs.step(actions(step)), twin.step(actions(step))
        for name in ours[0]:
            np.testing.assert_array_equal(ours[0][name][[0, 2]], theirs[0][name][[0, 2]])
        np.testing.assert_array_equal(ours[1][[0, 2]], theirs[1][[0, 2]])
    # Not even their seed has changed, which their next episode would tell.
    ours, theirs = envs.reset()[0], twin.reset()[0]
    for name in ours:
        np.testing.assert_array_equal(ours[name][[0, 2]], theirs[name][[0, 2]])


def test_an_object_can_be_chosen_by_name_index_or_array(make: Make) -> None:
    envs = make()
    name = envs.object_names[4]
    for value, expected in ((name, [4, 4, 4]), (4, [4, 4, 4]), (np.array([4, 0, 11]), [4, 0, 11])):
        _, infos = envs.reset(seed=0, options={"object": value})
        np.testing.assert_array_equal(infos["object"], expected)


def test_objects_take_turns_over_rows_and_episodes(make: Make) -> None:
    envs = make(first_env_index=10)
    _, infos = envs.reset(seed=0)
    np.testing.assert_array_equal(infos["object"], [10, 11, 0])
    _, infos = envs.reset()
    np.testing.assert_array_equal(infos["object"], [11, 0, 1])


def test_an_episode_can_be_chosen_for_all_rows_or_each(make: Make) -> None:
    envs = make()
    envs.reset(seed=0)
    second, _ = envs.reset()
    obs, infos = envs.reset(options={"episode": [1, 7, 1]})
    np.testing.assert_array_equal(infos["episode_index"], [1, 7, 1])
    for name in obs:
        np.testing.assert_array_equal(obs[name][[0, 2]], second[name][[0, 2]])
    assert not same(obs["proprio"][1], second["proprio"][1])
    np.testing.assert_array_equal(envs.reset(options={"episode": 4})[1]["episode_index"], 4)


def test_a_rollout_goes_on_from_a_state_in_another_environment(make: Make) -> None:
    envs, other = (make(config=EYES, groups=["depth"]) for _ in range(2))
    envs.reset(seed=0)
    set_steps(envs, LIMIT - 3)
    envs.step(actions(0))
    other.set_state(envs.get_state())
    for step in range(1, 5):
        ours, theirs = envs.step(actions(step)), other.step(actions(step))
        assert same(ours[:-1], theirs[:-1])
        assert_same_infos(ours[-1], theirs[-1])


def test_a_state_does_not_change_with_the_environment(make: Make) -> None:
    envs = make()
    envs.reset(seed=0)
    state = envs.get_state()
    kept = {name: values.copy() for name, values in state.items()}
    envs.step(actions(0))
    assert same(state, kept)
    envs.set_state(state)
    envs.step(actions(0))
    assert same(state, kept)


WRONG_STATES: dict[str, tuple[Callable[[dict[str, np.ndarray]], Any], str]] = {
    "no dict": (lambda state: None, "dict of arrays"),
    "empty": (lambda state: {}, "missing"),
    "one missing": (lambda state: {k: v for k, v in state.items() if k != "task.step"}, "missing .*task.step"),
    "one too many": (lambda state: state | {"task.mood": np.zeros(ROWS)}, "unexpected .*task.mood"),
    "other num_envs": (lambda state: {k: v[:2] for k, v in state.items()}, "same id, options and num_envs"),
    "other dtype": (lambda state: state | {"task.step": state["task.step"].astype(float)}, "task.step .*int64"),
    "no such object": (lambda state: state | {"task.object_index": np.full(ROWS, 12)}, r"task.object_index .*0\.\.11"),
    "no such model": (lambda state: state | {"sim.object_index": np.full(ROWS, -1)}, r"sim.object_index .*0\.\.11"),
}


@pytest.mark.parametrize("wrong", WRONG_STATES)
def test_a_wrong_state_is_refused_and_changes_nothing(make: Make, wrong: str) -> None:
    envs, source = make(), make()
    envs.reset(seed=0)
    source.reset(seed=1)
    before = envs.get_state()
    spoil, message = WRONG_STATES[wrong]
    with pytest.raises(StateError, match=message):
        envs.set_state(spoil(source.get_state()))
    assert same(before, envs.get_state())


def test_torch_output_holds_the_same_numbers(make: Make) -> None:
    envs, twin = make(output="torch"), make()
    obs, expected = envs.reset(seed=0)[0], twin.reset(seed=0)[0]
    for step in range(3):
        assert all(isinstance(values, torch.Tensor) for values in obs.values())
        assert same({name: values.numpy() for name, values in obs.items()}, expected)
        obs, expected = envs.step(actions(step))[0], twin.step(actions(step))[0]


def test_render_gives_nothing_without_a_render_mode(make: Make) -> None:
    envs = make()
    envs.reset(seed=0)
    assert envs.render() is None


@pytest.mark.gl
def test_render_gives_one_picture_per_row(make: Make) -> None:
    envs = make(render_mode="rgb_array")
    envs.reset(seed=0)
    pictures = envs.render()
    assert pictures is not None and len(pictures) == ROWS
    assert all(picture.dtype == np.uint8 and picture.shape[2] == 3 for picture in pictures)
    assert not np.array_equal(pictures[0], pictures[1])


def test_the_fingerprint_tells_configurations_apart(make: Make) -> None:
    assert make().fingerprint == make(num_envs=1, first_env_index=5).fingerprint
    others = [
        make(**options).fingerprint for options in ({"privileged": True}, {"groups": ["depth"]}, {"config": EYES})
    ]
    assert len({make().fingerprint, *others}) == 4


def test_the_task_is_the_same_whatever_is_observed_of_it(make: Make) -> None:
    task = make().task_fingerprint
    assert len(task) == 16 and task == make(privileged=True).task_fingerprint
    assert task != make(config=EnvConfig(reward=RewardConfig(lift=1.0))).task_fingerprint


def test_the_configuration_in_force_is_that_of_id_and_options(make: Make) -> None:
    envs = make(config=EnvConfig().observing("privileged"), objects="primitives12", image_size=(48, 64))
    images = ObservationConfig(groups=("state", "privileged"), image_size=(48, 64))
    assert envs.config == EnvConfig(observation=images)


def test_closing_twice_is_allowed(make: Make) -> None:
    envs = make()
    envs.close()
    envs.close()
    assert envs.closed
