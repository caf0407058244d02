"""Postures of the hand."""

import numpy as np
import torch

from dexgrasp_envs.control.hand_posture import HandPosture
from tests.helpers import ROBOT

MARGIN = 0.03


def test_hand_posture_is_nominal_plus_synergies_within_limits() -> None:
    synergy = np.random.default_rng(0).uniform(-1, 1, (200, 5))
    limits = np.array([joint.limits for joint in ROBOT.joints[ROBOT.arm_joints :]])
    posture = np.array(ROBOT.hand_nominal) + synergy @ np.array(ROBOT.synergies)
    expected = np.clip(posture, limits[:, 0] + MARGIN, limits[:, 1] - MARGIN)
    assert (expected != posture).any(), "nothing was clipped"
    actual = HandPosture(ROBOT, MARGIN, "cpu")(torch.from_numpy(synergy.astype(np.float32)))
    np.testing.assert_allclose(actual, expected, atol=1e-5)
