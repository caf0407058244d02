"""The last stage that all controllers share: commands near the measured joints, and set-points of the servos."""

import functools

import torch
from torch import Tensor

from ..config import ControlConfig
from ..robots.robot import Robot
from .governor import Governor


def per_joint(robot: Robot, arm: float | tuple[float, ...], hand: float, device: torch.device | str = "cpu") -> Tensor:
    """[J] float32: one value for each joint of the arm, or the same for all; the same for all of the hand."""
    arm_values = (arm,) * robot.arm_joints if isinstance(arm, float) else arm
    values = [*arm_values, *[hand] * (len(robot.joints) - robot.arm_joints)]
    return torch.tensor(values, dtype=torch.float32, device=device)


def joint_governor(robot: Robot, config: ControlConfig, timestep: float, device: torch.device | str) -> Governor:
    """The governor of all joints, with the limits of a configuration."""
    return Governor(
        per_joint(robot, config.arm_bandwidth, config.hand_bandwidth, device),
        per_joint(robot, config.arm_max_velocity, config.hand_max_velocity, device),
        per_joint(robot, config.arm_max_acceleration, config.hand_max_acceleration, device),
        timestep,
    )


class Servos:
    """Keeps commands within a lead of the measured joints, which bounds forces, and feeds velocities forward."""

    def __init__(self, robot: Robot, config: ControlConfig, device: torch.device | str):
        constant = functools.partial(torch.tensor, dtype=torch.float32, device=device)
        self._lead = per_joint(robot, config.arm_lead, config.hand_lead, device)
        # The servos damp absolute velocity; this feed-forward removes the lag that it causes.
        self._feed_forward = constant([j.servo_damping / j.stiffness for j in robot.joints])

    def led(self, command: Tensor, measured: Tensor) -> Tensor:
        """Commanded joints [N, J] within the lead of the measured ones [N, J], rad."""
        return torch.clamp(command, measured - self._lead, measured + self._lead)

    def setpoints(self, positions: Tensor, velocities: Tensor) -> Tensor:
        """Set-points [N, S, J], rad, whose servos follow positions [N, S, J] that move with velocities [N, S, J]."""
        return positions + self._feed_forward * velocities
