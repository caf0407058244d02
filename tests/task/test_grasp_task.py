"""The task: turns of objects, ends of episodes, infos."""

import dataclasses

import pytest
import torch

from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.control.make_controller import make_controller
from dexgrasp_envs.task.grasp_task import GraspTask, TaskStep
from dexgrasp_envs.task.reward import REWARD_TERMS
from dexgrasp_envs.types import SimState
from tests.helpers import OBJECTS, ROBOT, random_sim_state

CONFIG = EnvConfig()
CONTROLLER = make_controller(ROBOT, CONFIG, "cpu")
TABLE = (0.5, 0.0, 0.28)


def started(n: int = 3, first: int = 0, episode: int = 0) -> GraspTask:
    task = GraspTask(ROBOT, OBJECTS, CONFIG, CONTROLLER, first + torch.arange(n), "cpu")
    task.start(torch.arange(n), torch.full((n,), episode))
    return task


def sim_with_objects_at(*places: tuple[float, float, float]) -> SimState:
    sim = random_sim_state(len(places), seed=0)
    sim.body_pos[:, -1] = torch.tensor(places)
    return sim


def step(task: GraspTask, sim: SimState) -> TaskStep:
    control = CONTROLLER.initial(sim.joint_pos)
    return task.step(sim, control, torch.zeros(len(sim.joint_pos), 11))


def test_objects_take_turns_over_environments_and_episodes() -> None:
    for episode in range(14):
        task = started(n=30, first=5, episode=episode)
        assert task.state.object_index.tolist() == [(5 + i + episode) % 12 for i in range(30)]


def test_a_named_object_overrides_the_turns() -> None:
    task = started()
    start = task.start(torch.tensor([0, 2]), torch.tensor([4, 4]), torch.tensor([7, 8]))
    assert start.object_index.tolist() == [7, 8]
    assert task.state.object_index.tolist() == [7, 1, 8]


def test_episodes_are_truncated_at_the_time_limit_and_not_before() -> None:
    assert CONFIG.max_steps == 150
    task = started()
    task.state.step[:] = torch.tensor([147, 148, 0])
    sim = sim_with_objects_at(TABLE, TABLE, TABLE)
    assert step(task, sim).truncated.tolist() == [False, False, False]
    assert step(task, sim).truncated.tolist() == [False, True, False]
    now = step(task, sim)
    assert now.truncated.tolist() == [True, True, False]
    assert not now.terminated.any()


def test_a_lost_object_terminates_even_at_the_time_limit() -> None:
    task = started()
    task.state.step[1] = 149
    now = step(task, sim_with_objects_at(TABLE, (0.5, 0.0, 0.1), (1.2, 0.0, 0.3)))
    assert now.terminated.tolist() == [False, True, True]
    assert not now.truncated.any()


def test_a_diverged_row_is_truncated_earns_nothing_and_is_no_success() -> None:
    task = started()
    sim = sim_with_objects_at(CONFIG.episode.goal, CONFIG.episode.goal, TABLE)
    for name, values in vars(sim).items():
        if name != "diverged":
            values[1] = 0
    sim.diverged[1] = True
    now = step(task, sim)
    assert now.infos["success"].tolist() == [True, False, False]
    assert now.infos["diverged"].tolist() == [False, True, False]
    assert now.truncated.tolist() == [False, True, False]
    assert not now.terminated.any()
    assert now.reward[1] == 0
    assert now.reward[0] > 0
    assert all(torch.isfinite(values).all() for values in now.obs.values())


def test_the_reward_is_the_sum_of_its_terms() -> None:
    now = step(started(), sim_with_objects_at(CONFIG.episode.goal, TABLE, (0.5, 0.1, 0.5)))
    total = sum(now.infos[f"reward/{name}"] for name in REWARD_TERMS)
    torch.testing.assert_close(now.reward, total)
    assert now.reward.dtype == torch.float32


def test_lift_is_measured_from_the_lowest_height_of_the_episode() -> None:
    task = started()
    heights = [0.35, 0.26, 0.355, 0.365]
    lifted = [step(task, sim_with_objects_at(*[(0.5, 0.0, z)] * 3)).infos["lifted"][0].item() for z in heights]
    assert lifted == [False, False, False, True]
    assert task.state.rest_height[0].item() == pytest.approx(0.26)
    start = task.start(torch.tensor([0]), torch.tensor([1]))
    assert task.state.rest_height[0] == start.object_pos[0, 2]


def test_starting_a_row_resets_its_counters_and_leaves_the_others() -> None:
    task = started()
    for _ in range(3):
        step(task, sim_with_objects_at(TABLE, TABLE, TABLE))
    task.state.done[:] = True
    before = dataclasses.replace(task.state, **{k: v.clone() for k, v in vars(task.state).items()})
    task.start(torch.tensor([1]), torch.tensor([4]))
    assert task.state.step.tolist() == [3, 0, 3]
    assert task.state.episode.tolist() == [0, 4, 0]
    assert task.state.done.tolist() == [True, False, True]
    for name, values in vars(task.state).items():
        assert torch.equal(values[[0, 2]], vars(before)[name][[0, 2]]), name


def test_infos_tell_episode_object_and_every_reward_term() -> None:
    now = step(started(first=4, episode=2), sim_with_objects_at(TABLE, TABLE, TABLE))
    assert now.infos["episode_index"].tolist() == [2, 2, 2]
    assert now.infos["object"].tolist() == [6, 7, 8]
    others = {"success", "lifted", "diverged", "goal_distance", "adr_level", "episode_index", "object"}
    assert set(now.infos) == others | {f"reward/{name}" for name in REWARD_TERMS}
    assert "episode" not in now.infos


def test_the_first_observation_of_an_episode_has_no_reward_terms() -> None:
    task = started()
    sim = sim_with_objects_at(TABLE, TABLE, TABLE)
    control = CONTROLLER.initial(sim.joint_pos)
    obs, infos = task.observe(torch.arange(3), sim, control)
    assert not any(infos[f"reward/{name}"].any() for name in REWARD_TERMS)
    again = task.observe(torch.arange(2), sim.rows(torch.arange(2)), control.rows(torch.arange(2)))[0]
    assert all(torch.equal(again[name], obs[name][:2]) for name in obs)
