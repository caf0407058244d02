"""Inverse kinematics of the grasp centre."""

import dataclasses
import functools

import mujoco
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from dexgrasp_envs.config import ControlConfig, SpawnConfig
from dexgrasp_envs.control.palm_ik import PalmIK
from dexgrasp_envs.control.palm_target import nominal_palm_rotation
from tests.helpers import OBJECTS, ROBOT, angles_between, compiled, palm_pose

CONFIG = ControlConfig()
HOME = torch.tensor(ROBOT.home)
NOMINAL = torch.tensor(nominal_palm_rotation(CONFIG.palm_tilt))
HAND = torch.tensor(ROBOT.hand_nominal)


@functools.cache
def solver(iterations: int) -> PalmIK:
    return PalmIK(ROBOT, dataclasses.replace(CONFIG, ik_iterations=iterations))


def palm(arm: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Grasp centre and palm rotation for joints of the arm [N, 7]."""
    return palm_pose(torch.cat([arm, HAND.expand(len(arm), -1)], 1))


def reach(low_x: float, height: float) -> tuple[torch.Tensor, np.ndarray, torch.Tensor]:
    """Distances, rotation errors and joints after 40 iterations from home, over the spawn region beyond low_x."""
    spawn = SpawnConfig()
    (x, y), (hx, hy) = spawn.center, spawn.half_extent
    across = np.stack(np.meshgrid(np.linspace(max(low_x, x - hx), x + hx, 9), np.linspace(y - hy, y + hy, 9)), -1)
    target = torch.tensor(np.c_[across.reshape(-1, 2), np.full(81, height)], dtype=torch.float32)
    rot = NOMINAL.expand(81, 3, 3)
    joint_pos = solver(40).solve(HOME.repeat(81, 1), target, rot)
    center, palm_rot = palm(joint_pos)
    return (center - target).norm(dim=1), angles_between(rot, palm_rot), joint_pos


@pytest.mark.parametrize(("low_x", "height"), [(0.52, 0.30), (0.0, 0.35), (0.0, 0.47), (0.0, 0.60)])
def test_it_reaches_the_spawn_region_within_5_mm(low_x: float, height: float) -> None:
    distance, turn, _ = reach(low_x, height)
    assert distance.max() < 0.005
    assert turn.max() < 0.05


def test_only_the_elbow_limit_keeps_it_from_low_targets_close_to_the_robot() -> None:
    distance, _, joint_pos = reach(0.0, 0.30)
    elbow = joint_pos[:, 3] <= ROBOT.joints[3].limits[0] + CONFIG.joint_margin + 1e-4
    assert 0 < elbow.sum() < 8
    assert distance[~elbow].max() < 0.005


def test_joints_stay_within_their_limits_whatever_the_target() -> None:
    generator = torch.Generator().manual_seed(0)
    target = 4 * torch.rand(200, 3, generator=generator) - 2
    rot = torch.tensor(Rotation.random(200, rng=0).as_matrix(), dtype=torch.float32)
    joint_pos = solver(40).solve(HOME.repeat(200, 1), target, rot)
    limits = torch.tensor([joint.limits for joint in ROBOT.joints[:7]])
    assert torch.isfinite(joint_pos).all()
    assert (joint_pos >= limits[:, 0] + CONFIG.joint_margin - 1e-6).all()
    assert (joint_pos <= limits[:, 1] - CONFIG.joint_margin + 1e-6).all()
    at_limit = (joint_pos <= limits[:, 0] + 0.031) | (joint_pos >= limits[:, 1] - 0.031)
    assert at_limit.any(), "no target pushed a joint to its limit"


def test_at_home_on_target_it_does_not_move() -> None:
    center, rot = palm(HOME[None])
    np.testing.assert_allclose(solver(2).solve(HOME[None], center, rot)[0], HOME, atol=1e-5)


def test_the_null_space_pulls_towards_home_without_moving_the_palm() -> None:
    twisted = HOME + torch.tensor([0.3, 0.1, -0.4, 0.2, 0.3, -0.2, 0.3])
    center, rot = palm(twisted[None])
    settled = solver(300).solve(twisted[None], center, rot)
    assert (palm(settled)[0] - center).norm() < 2e-3
    assert (settled - HOME).norm() < 0.9 * (twisted - HOME).norm()


def test_a_single_iteration_equals_a_plain_damped_least_squares_step_with_the_jacobian_of_mujoco() -> None:
    start = HOME[None] + 0.1
    target, rot = torch.tensor([[0.55, 0.05, 0.5]]), NOMINAL[None]
    center, current = palm(start)
    model = compiled(OBJECTS.objects[0])
    data = mujoco.MjData(model)
    data.qpos[: len(ROBOT.joints)] = [*start[0], *HAND]
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    whole = np.zeros((6, model.nv))
    point = center[0].numpy().astype(float)
    mujoco.mj_jac(model, data, whole[:3], whole[3:], point, model.body(ROBOT.palm.body).id)
    jacobian = whole[:, :7]
    position_error = (target - center)[0].numpy().astype(float)
    turn = Rotation.from_matrix(rot[0].numpy()) * Rotation.from_matrix(current[0].numpy()).inv()
    angle = turn.magnitude()
    turn_error = turn.as_rotvec() / angle * 2 * np.sin(angle / 2)
    assert np.linalg.norm(position_error) < CONFIG.ik_max_position
    assert angle < CONFIG.ik_max_rotation
    homing = CONFIG.ik_null_gain * (ROBOT.home - start[0].numpy().astype(float))
    residual = np.concatenate([position_error, turn_error]) - jacobian @ homing
    # argmin |J x - residual|^2 + lambda^2 |x|^2, by stacking
    stacked = np.vstack([jacobian, np.sqrt(CONFIG.ik_damping) * np.eye(7)])
    step = np.linalg.lstsq(stacked, np.concatenate([residual, np.zeros(7)]), rcond=None)[0]
    np.testing.assert_allclose(solver(1).solve(start, target, rot)[0], start[0].numpy() + homing + step, atol=1e-5)


def test_a_row_does_not_depend_on_its_batch() -> None:
    generator = torch.Generator().manual_seed(1)
    start = HOME + 0.2 * torch.randn(64, 7, generator=generator)
    target = torch.tensor([0.55, 0.0, 0.5]) + 0.1 * torch.randn(64, 3, generator=generator)
    rot = NOMINAL.expand(64, 3, 3)
    whole = solver(2).solve(start, target, rot)
    for size in (1, 3, 16):
        parts = [
            solver(2).solve(start[i : i + size], target[i : i + size], rot[i : i + size]) for i in range(0, 64, size)
        ]
        assert torch.equal(torch.cat(parts), whole)
