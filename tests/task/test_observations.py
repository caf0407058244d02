"""The observation groups."""

import dataclasses

import numpy as np
import pytest
import torch

from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.control.make_controller import make_controller
from dexgrasp_envs.task.geometry import HandObjectGeometry
from dexgrasp_envs.task.observations import Observations
from dexgrasp_envs.task.state import TaskState
from dexgrasp_envs.types import SimState
from dexgrasp_envs.vector_env import DexGraspVectorEnv
from tests.helpers import OBJECTS, ROBOT, random_rotations, random_sim_state

N = 24
CONFIG = EnvConfig().observing("state", "privileged")
CONTROLLER = make_controller(ROBOT, CONFIG, "cpu")
OBSERVATIONS = Observations(ROBOT, OBJECTS, CONFIG, CONTROLLER, "cpu")
CONTROL = CONTROLLER.initial(random_sim_state(N, 9).joint_pos)


def task_state(object_index: torch.Tensor) -> TaskState:
    n = len(object_index)
    zeros = torch.zeros(n, dtype=torch.int64)
    action = torch.rand(n, 11, generator=torch.Generator().manual_seed(0)) * 2 - 1
    step = 3 * torch.arange(n)
    return TaskState(
        zeros, zeros, step, zeros.bool(), object_index, torch.full((n,), 0.28), zeros.bool(), action, zeros, zeros
    )


def observe(sim: SimState, object_index: torch.Tensor) -> dict[str, torch.Tensor]:
    return OBSERVATIONS(sim, HandObjectGeometry(ROBOT, "cpu")(sim), CONTROL, task_state(object_index))


def named(group: str, values: torch.Tensor) -> dict[str, np.ndarray]:
    fields = OBSERVATIONS.groups[group]
    parts = values.split([field.size for field in fields], 1)
    return {field.name: part.numpy() for field, part in zip(fields, parts, strict=True)}


SIM, INDEX = random_sim_state(N, 4), torch.arange(N) % 12
OBS = observe(SIM, INDEX)


def test_every_group_stays_in_its_space_in_random_rollouts() -> None:
    envs = DexGraspVectorEnv(12, privileged=True, threads=1)
    obs, _ = envs.reset(seed=0)
    generator = np.random.default_rng(0)
    for _ in range(40):
        assert set(obs) == {"proprio", "state", "privileged"}
        for name, box in envs.single_observation_space.items():
            assert obs[name].dtype == np.float32
            assert all(box.contains(row) for row in obs[name]), name
        obs, *_ = envs.step(np.sign(generator.uniform(-1, 1, (12, 11))))
    envs.close()


def test_absurd_values_are_clipped_to_the_bounds() -> None:
    sim = random_sim_state(N, 5)
    for name in ("joint_vel", "object_vel", "contact_count", "contact_force", "body_pos"):
        getattr(sim, name).mul_(1e6)
    for name, values in observe(sim, INDEX).items():
        box = OBSERVATIONS.space[name]
        assert all(box.contains(row) for row in values.numpy()), name
        assert (values == torch.from_numpy(box.high)).any(), name


@pytest.mark.parametrize("group", ["proprio", "state", "privileged"])
def test_field_sizes_add_up_and_bounds_are_finite(group: str) -> None:
    fields = OBSERVATIONS.groups[group]
    size = sum(field.size for field in fields)
    assert OBS[group].shape == (N, size)
    box = OBSERVATIONS.space[group]
    assert box.shape == (size,)
    assert box.is_bounded()
    assert np.array_equal(box.low, np.float32([field.low for field in fields for _ in range(field.size)]))
    assert np.array_equal(box.high, np.float32([field.high for field in fields for _ in range(field.size)]))
    assert len({field.name for field in fields}) == len(fields)


def test_proprio_holds_nothing_of_the_object() -> None:
    other = random_sim_state(N, 6)
    changed = dataclasses.replace(
        SIM,
        body_pos=torch.cat([SIM.body_pos[:, :-1], other.body_pos[:, -1:]], 1),
        body_rot=torch.cat([SIM.body_rot[:, :-1], other.body_rot[:, -1:]], 1),
        object_vel=other.object_vel,
        contact_count=other.contact_count,
        contact_force=other.contact_force,
    )
    obs = observe(changed, (INDEX + 5) % 12)
    assert torch.equal(obs["proprio"], OBS["proprio"])
    for group in ("state", "privileged"):
        assert (obs[group] != OBS[group]).any(1).all()


def test_environments_that_differ_only_in_their_object_reset_to_equal_proprio() -> None:
    envs = DexGraspVectorEnv(3, threads=1)
    small, _ = envs.reset(seed=1, options={"object": 0})
    large, _ = envs.reset(seed=1, options={"object": 11})
    envs.close()
    assert np.array_equal(small["proprio"], large["proprio"])
    assert (small["state"] != large["state"]).any(1).all()


@pytest.mark.parametrize("groups", [(), ("state",), ("privileged",), ("state", "privileged")])
def test_groups_besides_proprio_come_only_on_request(groups: tuple[str, ...]) -> None:
    observations = Observations(ROBOT, OBJECTS, EnvConfig().observing(*groups), CONTROLLER, "cpu")
    assert set(observations.space) == {"proprio", *groups}
    values = observations(SIM, HandObjectGeometry(ROBOT, "cpu")(SIM), CONTROL, task_state(INDEX))
    assert list(values) == ["proprio", *groups]
    assert all(torch.equal(values[name], OBS[name]) for name in values)


def test_a_depth_image_is_not_the_tasks_business() -> None:
    assert set(Observations(ROBOT, OBJECTS, EnvConfig().observing("depth"), CONTROLLER, "cpu").space) == {"proprio"}


def test_slices_cut_a_group_into_its_fields() -> None:
    for group, slices in OBSERVATIONS.slices.items():
        for name, values in named(group, OBS[group]).items():
            np.testing.assert_array_equal(OBS[group][:, slice(*slices[name])], values, err_msg=name)
        assert slices.keys() == {field.name for field in OBSERVATIONS.groups[group]}


def test_proprio_fields_hold_what_they_say() -> None:
    fields = named("proprio", OBS["proprio"])
    scene = HandObjectGeometry(ROBOT, "cpu")(SIM)
    goal = np.array(CONFIG.episode.goal)
    expected = {
        "joint_pos": SIM.joint_pos,
        "joint_command_lead": CONTROL.joint_pos - SIM.joint_pos,
        "joint_vel": SIM.joint_vel,
        "palm_pos": scene.palm_pos,
        "palm_rotation": np.concatenate([scene.palm_rot[:, :, 0], scene.palm_rot[:, :, 1]], 1),
        "tips_from_palm": np.concatenate([scene.points[:, k] - scene.palm_pos for k in range(1, 5)], 1),
        "goal_from_palm": goal - scene.palm_pos.numpy(),
        "target_pos": CONTROL.target_pos,
        "target_euler": CONTROL.target_euler,
        "last_action": task_state(INDEX).last_action,
    }
    assert set(fields) == set(expected)
    for name, values in fields.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-6, err_msg=name)


def test_privileged_fields_hold_what_they_say() -> None:
    fields = named("privileged", OBS["privileged"])
    scene = HandObjectGeometry(ROBOT, "cpu")(SIM)
    pos, rot = scene.object_pos.numpy(), scene.object_rot.numpy()
    objects = [OBJECTS.objects[i] for i in INDEX]
    expected = {
        "points_from_object": np.concatenate([scene.points[:, k].numpy() - pos for k in range(5)], 1),
        "object_in_palm": [r.T @ d for r, d in zip(scene.palm_rot.numpy(), pos - scene.palm_pos.numpy(), strict=True)],
        "object_from_goal": pos - np.array(CONFIG.episode.goal),
        "object_rotation": np.concatenate([rot[:, :, 0], rot[:, :, 1]], 1),
        "object_half_extents": [obj.half_extents for obj in objects],
        "object_is_round": [[obj.is_round] for obj in objects],
        "object_velocity": SIM.object_vel,
        "contact_count": SIM.contact_count,
        "contact_force": np.linalg.norm(SIM.contact_force, axis=-1),
        "height_gained": pos[:, 2:] - 0.28,
        "episode_progress": 3 * np.arange(N)[:, None] / CONFIG.max_steps,
    }
    assert set(fields) == set(expected)
    for name, values in fields.items():
        np.testing.assert_allclose(values, np.asarray(expected[name], float), atol=1e-6, err_msg=name)
    state = named("state", OBS["state"])
    assert all(np.array_equal(state[name], fields[name]) for name in state)


def test_rotation_fields_give_back_the_whole_matrix() -> None:
    matrix = random_rotations(N, np.random.default_rng(3)).astype(np.float32)
    sim = dataclasses.replace(SIM, body_rot=SIM.body_rot.clone())
    sim.body_rot[:, -1] = torch.from_numpy(matrix)
    columns = named("state", observe(sim, INDEX)["state"])["object_rotation"]
    first, second = columns[:, :3], columns[:, 3:]
    np.testing.assert_allclose(np.stack([first, second, np.cross(first, second)], -1), matrix, atol=1e-5)
