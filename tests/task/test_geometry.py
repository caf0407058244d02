"""Hand and object poses derived from the state of the simulation."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from dexgrasp_envs.task.geometry import HandObjectGeometry, length
from tests.helpers import ROBOT, random_sim_state

SIM = random_sim_state(20, seed=0)
SCENE = HandObjectGeometry(ROBOT, "cpu")(SIM)
POS, ROT = SIM.body_pos.numpy().astype(float), SIM.body_rot.numpy().astype(float)


def test_palm_is_the_robots_palm_frame_on_its_body() -> None:
    body = ROBOT.body_names.index("palm_link")
    offset = np.array(ROBOT.palm.pos)
    turn = Rotation.from_quat(ROBOT.palm.quat, scalar_first=True).as_matrix()
    for row in range(20):
        np.testing.assert_allclose(SCENE.palm_pos[row], POS[row, body] + ROT[row, body] @ offset, atol=1e-6)
        np.testing.assert_allclose(SCENE.palm_rot[row], ROT[row, body] @ turn, atol=1e-6)


def test_points_are_the_grasp_centre_and_the_tips_thumb_last() -> None:
    assert SCENE.points.shape == (20, 5, 3)
    palm_pos, palm_rot = SCENE.palm_pos.numpy(), SCENE.palm_rot.numpy()
    for row in range(20):
        np.testing.assert_allclose(SCENE.points[row, 0], palm_pos[row] + palm_rot[row] @ ROBOT.grasp_center, atol=1e-6)
        for k, tip in enumerate(ROBOT.tips):
            body = ROBOT.body_names.index(tip.body)
            np.testing.assert_allclose(SCENE.points[row, 1 + k], POS[row, body] + ROT[row, body] @ tip.pos, atol=1e-6)
    assert ROBOT.tips[-1].body == "thumb_link_3"


def test_the_object_is_the_last_body() -> None:
    assert torch.equal(SCENE.object_pos, SIM.body_pos[:, -1])
    assert torch.equal(SCENE.object_rot, SIM.body_rot[:, -1])


def test_length_is_the_euclidean_norm() -> None:
    vectors = np.random.default_rng(0).normal(size=(4, 7, 3)).astype(np.float32)
    np.testing.assert_allclose(length(torch.from_numpy(vectors)), np.linalg.norm(vectors, axis=-1), rtol=1e-6)
