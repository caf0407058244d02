"""Postures of the hand from synergies."""

import functools

import torch
from torch import Tensor

from ..robots.robot import Robot


class HandPosture:
    """The robot's nominal posture plus its synergies, within the joints' limits."""

    def __init__(self, robot: Robot, margin: float, device: torch.device | str):
        """`margin` is kept from the limits, rad."""
        constant = functools.partial(torch.tensor, dtype=torch.float32, device=device)
        self._nominal = constant(robot.hand_nominal)
        self._synergies = constant(robot.synergies)
        limits = constant([joint.limits for joint in robot.joints[robot.arm_joints :]])
        self._low = limits[:, 0] + margin
        self._high = limits[:, 1] - margin

    def __call__(self, synergy: Tensor) -> Tensor:
        """Hand joints [N, 16], rad, for synergy activations [N, 5]."""
        offset = (synergy[:, :, None] * self._synergies).sum(1)
        return torch.clamp(self._nominal + offset, self._low, self._high)
