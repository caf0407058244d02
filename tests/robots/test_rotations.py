"""Rotations and frames against scipy's."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from dexgrasp_envs.robots.robot import Frame
from dexgrasp_envs.robots.rotations import frame_pose, rotation_from_quat


def test_rotation_from_quat_normalises_and_agrees_with_scipy() -> None:
    quat = (0.3, -1.2, 0.7, 0.4)
    expected = Rotation.from_quat(quat, scalar_first=True).as_matrix()
    np.testing.assert_allclose(rotation_from_quat(quat).numpy(), expected, atol=1e-14)


def test_frame_pose_composes_body_and_frame() -> None:
    frame = Frame("any", (0.1, -0.2, 0.3), (0.5, 0.5, -0.5, 0.5))
    bodies = Rotation.random(5, rng=1)
    position = np.random.default_rng(0).normal(size=(5, 3))
    pos, rot = frame_pose(frame, torch.from_numpy(position), torch.from_numpy(bodies.as_matrix()))
    np.testing.assert_allclose(pos.numpy(), position + bodies.apply(frame.pos), atol=1e-14)
    expected = (bodies * Rotation.from_quat(frame.quat, scalar_first=True)).as_matrix()
    np.testing.assert_allclose(rot.numpy(), expected, atol=1e-14)
