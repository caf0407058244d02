"""A scripted grasp: forces, penetration and speeds while an object is held."""

import dataclasses
import functools
from dataclasses import dataclass

import mujoco
import numpy as np
import pytest
import torch

from dexgrasp_envs import objects
from dexgrasp_envs.config import ControlConfig, PhysicsConfig, SpawnConfig
from dexgrasp_envs.control.palm_controller import PalmController
from dexgrasp_envs.objects import ObjectSet
from dexgrasp_envs.scene.scene import OBJECT
from dexgrasp_envs.sim.mujoco.backend import MujocoBackend
from dexgrasp_envs.task.resets import StartSampler
from dexgrasp_envs.types import SimState
from tests.helpers import EPISODE, OBJECTS, ROBOT, make_sim

NAMES = ("cuboid_small_8cm", "cylinder_large_8cm")
ROWS, STEPS, HELD_STEPS, RELEASED_STEPS = 16, 150, 15, 45
SHAPES = objects.load("train")
ABOVE, CLOSING, LIFTING = 30, 60, 80
"""Steps at which the hand goes down, closes and lifts."""
OPEN, CLOSED = np.array([-0.6, -0.6, 0.0, 0.0, 0.0]), np.array([1.0, 1.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True)
class Grasp:
    """What happened to ROWS objects of one kind."""

    held: np.ndarray
    """[ROWS] bool: close to the goal at the end."""
    speed: np.ndarray
    """[STEPS, ROWS] m/s; 0 once the object has fallen off the table."""
    hand_force: np.ndarray
    """[STEPS, ROWS, 3] of fingers, thumb and palm on the object, N."""
    table_contacts: np.ndarray
    """[STEPS, ROWS]."""
    depth: np.ndarray
    """[HELD_STEPS, ROWS] deepest penetration of the object, m."""
    weight: float
    """N."""
    dropped: np.ndarray
    """[ROWS] bool: not near the goal any more, after the hand has opened."""


def deepest(sim: MujocoBackend, row: int) -> float:
    """Deepest penetration of a row's object by MuJoCo's own collision detection, m."""
    model, data = sim.batch.get_model(row), sim.batch.get_data(row)
    mujoco.mj_forward(model, data)
    body = model.body(OBJECT).id
    return max((-c.dist for c in data.contact if body in model.geom_bodyid[[c.geom1, c.geom2]]), default=0.0)


def on_or_above_table(state: SimState) -> np.ndarray:
    return state.body_pos[:, -1, 2].numpy() > EPISODE.lost_low[2]


def script(step: int, above: np.ndarray, grasp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the grasp centre should be, and the hand synergies."""
    share = np.clip((step - CLOSING) / 12, 0, 1) if step < STEPS else 0.0
    place = above if step < ABOVE else grasp if step < LIFTING else np.broadcast_to((0.55, 0.0, 0.65), above.shape)
    return place, OPEN + share * (CLOSED - OPEN)


@functools.cache
def grasp(name: str, chosen: ObjectSet = OBJECTS) -> Grasp:
    obj = chosen.objects[chosen.index(name)]
    spawn = SpawnConfig(upright_share=1.0, half_extent=(0.04, 0.06))
    config = ControlConfig()
    sim, controller = make_sim(ROWS, chosen=chosen), PalmController(ROBOT, config, PhysicsConfig(), "cpu")
    rows = torch.arange(ROWS)
    sampler = StartSampler(ROBOT, chosen, spawn, config.joint_margin)
    start = sampler(torch.zeros_like(rows), rows, torch.zeros_like(rows), torch.full_like(rows, chosen.index(name)))
    sim.reset(rows, start)
    control, state = controller.initial(start.joint_pos), sim.state()
    first = start.object_pos.numpy()
    half = obj.half_extents[2]
    above, low = first.copy(), first.copy()
    above[:, 2], low[:, 2] = 0.47, first[:, 2] + np.maximum(-half + 0.03, half - 0.03)
    record, depth = [], []
    for step in range(STEPS + RELEASED_STEPS):
        place, hand = script(step, above, low)
        move = np.clip((place - control.target_pos.numpy()) / config.position_step, -1, 1)
        move = np.concatenate(
            [move * (0.5 if step >= LIFTING else 1), np.zeros((ROWS, 3)), np.tile(hand, (ROWS, 1))], 1
        )
        control, targets = controller.step(control, torch.from_numpy(move.astype(np.float32)), state.joint_pos)
        sim.step(targets)
        state = sim.state()
        if step < STEPS:
            record.append(dataclasses.replace(state))
        if STEPS - HELD_STEPS <= step < STEPS:
            depth.append([deepest(sim, row) for row in range(ROWS)])
    end, last = (np.linalg.norm(s.body_pos[:, -1].numpy() - EPISODE.goal, axis=1) for s in (record[-1], state))
    return Grasp(
        held=end < EPISODE.success_radius,
        speed=np.stack([np.linalg.norm(s.object_vel[:, :3], axis=1) * on_or_above_table(s) for s in record]),
        hand_force=np.stack([s.contact_force[:, :5].sum(1).numpy() for s in record]),
        table_contacts=np.stack([s.contact_count[:, 5].numpy() for s in record]),
        depth=np.array(depth),
        weight=9.81 * obj.inertial.mass,
        dropped=last > EPISODE.success_radius + 0.1,
    )


each = pytest.mark.parametrize("name", NAMES)


@each
def test_at_least_half_of_the_grasps_hold(name: str) -> None:
    assert grasp(name).held.mean() >= 0.5


@each
def test_the_hand_carries_exactly_the_weight(name: str) -> None:
    result = grasp(name)
    mean = result.hand_force[-HELD_STEPS:, result.held].mean(0)
    np.testing.assert_allclose(mean[:, 2], result.weight, rtol=0.15)
    assert np.abs(mean[:, :2]).max() < 0.15 * result.weight
    assert not result.table_contacts[-HELD_STEPS:, result.held].any()


@each
def test_the_table_carries_the_object_before_the_grasp(name: str) -> None:
    result = grasp(name)
    assert (result.table_contacts[ABOVE - 10] > 0).all()
    assert not result.hand_force[5:ABOVE].any()


@each
def test_fingers_sink_in_by_millimetres_at_most(name: str) -> None:
    result = grasp(name)
    depth = result.depth[:, result.held]
    assert 0 < np.median(depth) < 0.003
    assert depth.max() < 0.006


@each
def test_a_held_object_is_still_and_none_is_ever_shot_away(name: str) -> None:
    result = grasp(name)
    assert result.speed[-HELD_STEPS:, result.held].max() < 0.1
    assert result.speed.max() < 3.0


@each
def test_an_opened_hand_lets_go(name: str) -> None:
    result = grasp(name)
    assert result.dropped[result.held].all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["can_03", "carton_04", "mug_07", "spray_bottle_08", "animal_06"])
def test_squeezed_compounds_are_neither_glued_nor_launched(name: str) -> None:
    result = grasp(name, SHAPES)
    assert result.held.any()
    assert result.dropped[result.held].all()
    assert result.depth[:, result.held].max() < 0.006
    assert result.speed.max() < 3.0
