"""Each parameter of the randomisation: it changes what it says and nothing else, linearly in the level."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from dexgrasp_envs.config import ADR_LEVELS, RANDOMISATIONS, EnvConfig, ObservationConfig, RandomisationConfig
from dexgrasp_envs.control.make_controller import make_controller
from dexgrasp_envs.sim.mujoco.dynamics_table import nominal
from dexgrasp_envs.task.grasp_task import GraspTask
from dexgrasp_envs.task.randomisation import Draws, Stream
from dexgrasp_envs.types import SimState
from tests.helpers import OBJECTS, ROBOT, random_sim_state

N = 400
CONTROLLER = make_controller(ROBOT, EnvConfig(), "cpu")
PAPER = RANDOMISATIONS["paper"]
HAND = {"proprio/palm_pos", "proprio/palm_rotation", "proprio/tips_from_palm", "proprio/goal_from_palm"}
FROM_HAND = {"state/points_from_object", "state/object_in_palm"}
JOINTS = {"proprio/joint_pos", "proprio/joint_command_lead"}
CHANGES = {
    "friction": {"dynamics/friction"},
    "mass": {"dynamics/mass"},
    "stiffness": {"dynamics/stiffness"},
    "damping": {"dynamics/damping"},
    "joint_friction": {"dynamics/joint_friction"},
    "start_velocity": {"dynamics/joint_vel"},
    "push": {"push"},
    "spawn_extent": {"start/object_pos"},
    "spawn_tilt": {"start/object_pos", "start/object_quat"},
    "arm_noise": {"start/arm"},
    "finger_noise": {"start/hand"},
    "object_position": {"state/object_from_goal"} | FROM_HAND,
    "object_rotation": {"state/object_rotation"},
    "joint_position": JOINTS | HAND | FROM_HAND,
    "joint_velocity": {"proprio/joint_vel"},
}
"""What each parameter changes; of those of observations, both noise and bias."""
PARAMETERS = {
    name: kind for kind in CHANGES for name in ([kind] if hasattr(PAPER, kind) else [f"{kind}_noise", f"{kind}_bias"])
}


def lifted_objects() -> SimState:
    sim = random_sim_state(N, seed=0)
    # Within the bounds of what is observed, which would hide a part of the errors.
    sim.joint_vel.clamp_(-1.0, 1.0)
    sim.body_pos[:, -1] = torch.tensor([0.5, 0.0, 0.6])
    return sim


SIM = lifted_objects()


def outputs(randomisation: RandomisationConfig, level: int, episode: int = 0, steps: int = 0) -> dict[str, np.ndarray]:
    """Everything that a task says of N episodes, by name."""
    config = EnvConfig(observation=ObservationConfig(groups=("state", "privileged")), randomisation=randomisation)
    task = GraspTask(ROBOT, OBJECTS, config, CONTROLLER, torch.arange(N), "cpu")
    task.state.next_adr_level[:] = level
    rows = torch.arange(N)
    start = task.start(rows, torch.full((N,), episode))
    task.state.step[:] = steps
    task.state.rest_height[:] = 0.3
    task.state.lifted[:] = True
    control = CONTROLLER.initial(SIM.joint_pos)
    obs, _ = task.observe(rows, SIM, control)
    dynamics, push = task.dynamics(rows), task.push()
    said: dict[str, Any] = {"start/" + name: values for name, values in vars(start).items() if name != "joint_pos"}
    said |= {"start/arm": start.joint_pos[:, :7], "start/hand": start.joint_pos[:, 7:]}
    said |= {f"dynamics/{name}": values for name, values in vars(dynamics or nominal(N, 23)).items()}
    said["push"] = torch.zeros(N, 3) if push is None else push
    for group, fields in task.fields.items():
        said |= {f"{group}/{name}": obs[group][:, a:b] for name, (a, b) in fields.items()}
    return {name: values.numpy() for name, values in said.items()}


OFF = outputs(RandomisationConfig(), 0)


def only(name: str) -> RandomisationConfig:
    return RandomisationConfig(**{name: getattr(PAPER, name)})


def differing(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> set[str]:
    return {name for name, values in one.items() if not np.array_equal(values, other[name])}


def test_every_parameter_is_tested() -> None:
    untested = {"push_seconds", "camera_position", "camera_rotation"}
    assert PARAMETERS.keys() | untested == {f.name for f in dataclasses.fields(RandomisationConfig)}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_changes_what_it_says_and_nothing_else_and_nothing_at_level_0(name: str) -> None:
    full = outputs(only(name), ADR_LEVELS)
    assert differing(full, OFF) == CHANGES[PARAMETERS[name]]
    assert not differing(outputs(only(name), 0), OFF)
    for changed in CHANGES[PARAMETERS[name]]:
        assert len(np.unique(full[changed] - OFF[changed], axis=0)) > N / 2, "rows are alike"


def test_all_together_leave_what_only_a_critic_sees_and_level_0() -> None:
    full = outputs(PAPER, ADR_LEVELS)
    assert not [name for name in differing(full, OFF) if name.startswith("privileged")]
    assert not differing(outputs(PAPER, 0), OFF)


@pytest.mark.parametrize(
    "name",
    ["dynamics/friction", "dynamics/mass", "dynamics/stiffness", "dynamics/damping", "dynamics/joint_friction",
     "dynamics/joint_vel", "push", "start/arm", "proprio/joint_pos", "proprio/joint_vel", "state/object_from_goal"],
)  # fmt: skip
def test_what_a_level_changes_is_linear_in_it(name: str) -> None:
    no, half, full = (outputs(PAPER, level)[name] for level in (0, ADR_LEVELS // 2, ADR_LEVELS))
    np.testing.assert_allclose(2 * (half - no), full - no, atol=2e-6)


@pytest.mark.parametrize("name", ["friction", "mass", "stiffness", "damping", "joint_friction"])
def test_factors_fill_their_range(name: str) -> None:
    values, (low, high) = outputs(only(name), ADR_LEVELS)[f"dynamics/{name}"], getattr(PAPER, name)
    assert low <= values.min() < low + 0.05 * (high - low)
    assert high - 0.05 * (high - low) < values.max() <= high
    assert values.mean() == pytest.approx((low + high) / 2, abs=0.05 * (high - low))


@pytest.mark.parametrize(
    ("name", "seen"),
    [("joint_position", "proprio/joint_pos"), ("joint_velocity", "proprio/joint_vel"),
     ("object_position", "state/object_from_goal")],
)  # fmt: skip
def test_noise_differs_from_step_to_step_and_a_bias_from_episode_to_episode(name: str, seen: str) -> None:
    for kind, lasts in (("noise", False), ("bias", True)):
        config, width = only(f"{name}_{kind}"), getattr(PAPER, f"{name}_{kind}")
        error, later, next_episode = (
            outputs(config, ADR_LEVELS, **when)[seen] - OFF[seen] for when in ({}, {"steps": 1}, {"episode": 1})
        )
        assert np.array_equal(error, later) == lasts
        assert not np.array_equal(error, next_episode)
        assert 0.95 * width < np.abs(error).max() <= width + 1e-6
        assert np.abs(error.mean(0)).max() < 5 * width / np.sqrt(3 * N)


def test_a_push_stays_for_its_time_and_spares_what_is_not_lifted() -> None:
    config = only("push")
    pushes = [outputs(config, ADR_LEVELS, steps=step)["push"] for step in (0, 7, 8)]
    assert np.array_equal(pushes[0], pushes[1]) and not np.array_equal(pushes[1], pushes[2])
    assert 0.95 * PAPER.push < np.abs(pushes[0]).max() <= PAPER.push
    task = GraspTask(ROBOT, OBJECTS, EnvConfig(randomisation=config), CONTROLLER, torch.arange(N), "cpu")
    task.state.next_adr_level[:] = ADR_LEVELS
    task.start(torch.arange(N), torch.zeros(N, dtype=torch.int64))
    for rest_height, lifted in ((0.3, True), (0.55, False)):
        task.state.rest_height[:] = rest_height
        task.step(SIM, CONTROLLER.initial(SIM.joint_pos), torch.zeros(N, CONTROLLER.action_size))
        push = task.push()
        assert push is not None and push.any(1).all() == push.any() == lifted


def test_a_spawn_grows_to_its_wider_rectangle() -> None:
    place = outputs(only("spawn_extent"), ADR_LEVELS)["start/object_pos"][:, :2] - [0.56, 0.0]
    wide = np.add(EnvConfig().spawn.half_extent, PAPER.spawn_extent)
    assert (np.abs(place).max(0) <= wide + 1e-6).all() and (np.abs(place).max(0) > 0.97 * wide).all()


def test_draws_depend_on_seed_environment_episode_and_purpose_only() -> None:
    index, one = np.arange(4), np.ones(4)
    base = Draws(np.full(4, 5), index, np.full(4, 2), one)
    again = Draws(np.array([5]), np.array([2]), np.array([2]), np.ones(1))
    numbers = base.factor(Stream.MASS, 3, (0.0, 1.0))
    assert np.array_equal(numbers[2:3], again.factor(Stream.MASS, 3, (0.0, 1.0)))
    others = (
        Draws(np.full(4, 6), index, np.full(4, 2), one).factor(Stream.MASS, 3, (0.0, 1.0)),
        Draws(np.full(4, 5), index, np.full(4, 3), one).factor(Stream.MASS, 3, (0.0, 1.0)),
        base.factor(Stream.FRICTION, 3, (0.0, 1.0)),
    )
    assert all((numbers != other).all() for other in others)
    assert len(np.unique(numbers)) == numbers.size
