"""Inverse kinematics of the grasp centre."""

import dataclasses
import functools

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from dexgrasp_envs.config import ControlConfig, SpawnConfig
from dexgrasp_envs.control.palm_ik import PalmIK, rotation_error
from dexgrasp_envs.control.palm_target import nominal_palm_rotation
from dexgrasp_envs.robots.kinematics import Kinematics, frame_pose, rotate
from tests.helpers import ROBOT

CONFIG = ControlConfig()
HOME = torch.tensor(ROBOT.home)
NOMINAL = torch.tensor(nominal_palm_rotation(CONFIG.palm_tilt))
ARM = Kinematics(ROBOT.chain(ROBOT.palm.body))


@functools.cache
def solver(iterations: int) -> PalmIK:
    return PalmIK(ROBOT, dataclasses.replace(CONFIG, ik_iterations=iterations), "cpu")


def palm(joint_pos: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Grasp centre and palm rotation."""
    positions, rotations = ARM.forward(joint_pos)
    pos, rot = frame_pose(ROBOT.palm, positions[:, -1], rotations[:, -1])
    return pos + rotate(rot, torch.tensor(ROBOT.grasp_center)), rot


def reach(low_x: float, height: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Distances, rotation errors and joints after 40 iterations from home, over the spawn region beyond low_x."""
    spawn = SpawnConfig()
    (x, y), (hx, hy) = spawn.center, spawn.half_extent
    across = np.stack(np.meshgrid(np.linspace(max(low_x, x - hx), x + hx, 9), np.linspace(y - hy, y + hy, 9)), -1)
    target = torch.tensor(np.c_[across.reshape(-1, 2), np.full(81, height)], dtype=torch.float32)
    rot = NOMINAL.expand(81, 3, 3)
    joint_pos = solver(40).solve(HOME.repeat(81, 1), target, rot)
    center, palm_rot = palm(joint_pos)
    return (center - target).norm(dim=1), rotation_error(rot, palm_rot).norm(dim=1), joint_pos


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


def test_a_single_iteration_equals_a_plain_damped_least_squares_step() -> None:
    start = HOME[None] + 0.1
    target, rot = torch.tensor([[0.55, 0.05, 0.5]]), NOMINAL[None]
    positions, rotations = ARM.forward(start)
    center, current = palm(start)
    jacobian = ARM.jacobian(positions, rotations, center)[0].numpy().astype(float)
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


def test_rotation_error_is_the_axis_times_twice_the_sine_of_half_the_angle() -> None:
    generator = np.random.default_rng(0)
    axes = generator.normal(size=(200, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angles = np.linspace(0.0, 3.0, 200)
    current = Rotation.random(200, rng=1)
    target = Rotation.from_rotvec(axes * angles[:, None]) * current
    error = rotation_error(torch.from_numpy(target.as_matrix()), torch.from_numpy(current.as_matrix()))
    np.testing.assert_allclose(error, axes * 2 * np.sin(angles / 2)[:, None], atol=1e-9)


def test_rotation_error_stays_finite_at_half_a_turn() -> None:
    half_turn = torch.diag(torch.tensor([-1.0, -1.0, 1.0]))[None]
    assert torch.isfinite(rotation_error(half_turn, torch.eye(3)[None])).all()
