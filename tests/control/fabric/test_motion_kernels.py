"""The kernels' kinematics against those of all bodies, and against differences."""

import numpy as np
import torch

from dexgrasp_envs.control.fabric.model import make_chain
from dexgrasp_envs.control.fabric.motion_kernels import locate, move, slope
from tests.helpers import ROBOT, body_poses, palm_pose

CHAIN = make_chain(ROBOT, 0.1)
POS = np.random.default_rng(0).uniform(CHAIN.low, CHAIN.high)
VEL = np.random.default_rng(1).normal(size=len(POS))
ORIGIN, VELOCITY, ACCELERATION = 0, 1, 2


def moved(pos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    turn, motion = np.empty((len(pos), 3, 3)), np.empty((len(pos), 6, 3))
    move(CHAIN, pos, VEL, turn, motion)
    return turn, motion


def point(pos: np.ndarray, link: int, local: np.ndarray) -> np.ndarray:
    out = np.empty((3, 3))
    locate(link, local, *moved(pos), out, np.empty((2, 3)))
    return out


def test_links_are_where_the_other_kinematics_has_them() -> None:
    positions, rotations = body_poses(torch.tensor(POS)[None])
    moving = [i for i, body in enumerate(ROBOT.bodies) if body.joint is not None]
    turn, motion = moved(POS)
    np.testing.assert_allclose(motion[:, ORIGIN], positions[0, moving], atol=1e-12)
    np.testing.assert_allclose(turn, rotations[0, moving], atol=1e-12)


def test_the_first_palm_point_is_the_grasp_centre() -> None:
    center, _ = palm_pose(torch.tensor(POS)[None])
    np.testing.assert_allclose(point(POS, CHAIN.palm, CHAIN.points[0])[ORIGIN], center[0], atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(CHAIN.points[1:] - CHAIN.points[0], axis=1), 0.1)


def test_velocities_and_accelerations_are_those_of_differences() -> None:
    local, step = np.array([0.02, -0.03, 0.04]), 1e-4
    for link in (3, 6, 14, 22):
        later, now, earlier = (point(POS + s * VEL, link, local) for s in (step, 0.0, -step))
        np.testing.assert_allclose(now[VELOCITY], (later[ORIGIN] - earlier[ORIGIN]) / (2 * step), atol=1e-6)
        np.testing.assert_allclose(now[ACCELERATION], (later[VELOCITY] - earlier[VELOCITY]) / (2 * step), atol=1e-6)


def test_a_slope_times_the_velocities_is_the_speed() -> None:
    direction, local = np.array([0.6, 0.0, -0.8]), np.array([0.02, -0.03, 0.04])
    for link in (3, 6, 14, 22):
        now, row = point(POS, link, local), np.zeros(len(POS))
        slope(CHAIN.parent, link, now[ORIGIN], direction, moved(POS)[1], 1.0, row)
        np.testing.assert_allclose(row @ VEL, direction @ now[VELOCITY], atol=1e-12)
