"""Targets of the palm."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from dexgrasp_envs.config import ControlConfig
from dexgrasp_envs.control.palm_target import PalmTarget, nominal_palm_rotation
from tests.helpers import ROBOT

CONFIG = ControlConfig()
TARGET = PalmTarget(ROBOT, CONFIG, "cpu")


def test_palm_rotation_is_yaw_pitch_roll_from_nominal() -> None:
    euler = np.random.default_rng(1).uniform(-0.9, 0.9, (50, 3))
    expected = Rotation.from_euler("ZYX", euler).as_matrix() @ np.array(nominal_palm_rotation(CONFIG.palm_tilt))
    np.testing.assert_allclose(TARGET.rotation(torch.from_numpy(euler).float()), expected, atol=1e-6)


def test_nominal_palm_points_the_fingers_forward_and_down() -> None:
    rotation = np.array(nominal_palm_rotation(0.6))
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-15)
    assert np.linalg.det(rotation) > 0
    np.testing.assert_allclose(rotation[:, 2], (np.cos(0.6), 0.0, -np.sin(0.6)))
