"""Observation errors: small rotations, and a hand that follows from the joints that are observed."""

import dataclasses

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from dexgrasp_envs.config import RandomisationConfig
from dexgrasp_envs.task.geometry import HandObjectGeometry
from dexgrasp_envs.task.noise import ObservationNoise, small_rotation
from dexgrasp_envs.task.randomisation import Draws
from dexgrasp_envs.types import SimState
from tests.helpers import ROBOT, START_POSTURE, body_poses, random_sim_state

N = 8


def test_a_small_rotation_is_that_of_its_vector() -> None:
    vector = np.random.default_rng(0).uniform(-0.18, 0.18, (200, 3))
    found = small_rotation(torch.tensor(vector)).numpy()
    np.testing.assert_allclose(found, Rotation.from_rotvec(vector).as_matrix(), atol=3e-3)
    np.testing.assert_allclose(found @ found.transpose(0, 2, 1), np.broadcast_to(np.eye(3), found.shape), atol=1e-12)


def test_no_rotation_is_exact() -> None:
    assert torch.equal(small_rotation(torch.zeros(2, 3)), torch.eye(3).repeat(2, 1, 1))


def consistent_sim() -> SimState:
    """A robot whose bodies are where its joints put them."""
    sim = random_sim_state(N, seed=1)
    joints = torch.tensor(START_POSTURE).repeat(N, 1)
    position, rotation = body_poses(joints)
    body_pos = torch.cat([position, sim.body_pos[:, -1:]], 1)
    body_rot = torch.cat([rotation, sim.body_rot[:, -1:]], 1)
    return dataclasses.replace(sim, joint_pos=joints, body_pos=body_pos, body_rot=body_rot)


def test_palm_and_tips_are_where_the_observed_joints_put_them() -> None:
    sim, geometry = consistent_sim(), HandObjectGeometry(ROBOT, "cpu")
    noise = ObservationNoise(ROBOT, RandomisationConfig(joint_position_bias=0.1), geometry, N, "cpu")
    share = np.array([1.0] * (N - 1) + [0.0])
    draws = Draws(np.zeros(N, np.int64), np.arange(N), np.zeros(N, np.int64), share)
    rows = torch.arange(N)
    noise.begin(rows, draws)
    truth = geometry(sim)
    sensed = noise(rows, sim, truth, draws, torch.zeros(N, dtype=torch.int64))
    hand = geometry.hand(*body_poses(sensed.joint_pos))
    for found, expected in zip((sensed.scene.palm_pos, sensed.scene.palm_rot, sensed.scene.points), hand, strict=True):
        torch.testing.assert_close(found[:-1], expected[:-1], atol=1e-6, rtol=0)
    assert (sensed.scene.palm_pos - truth.palm_pos)[:-1].norm(dim=1).min() > 1e-3
    # The last row is at level 0.
    assert torch.equal(sensed.scene.points[-1], truth.points[-1])
    assert torch.equal(sensed.scene.object_pos, truth.object_pos)
