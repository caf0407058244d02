"""The default controller: relative palm pose and hand synergies, inverse kinematics, governor."""

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import ControlConfig, PhysicsConfig
from ..robots.kinematics import rotate
from ..robots.robot import Robot
from ..types import BatchState
from .governor import Governor
from .palm_ik import PalmIK


@dataclass
class ControlState(BatchState):
    """What the controller remembers, float32."""

    target_pos: Tensor
    """[N, 3] target of the grasp centre, m, world frame."""
    target_euler: Tensor
    """[N, 3] (yaw, pitch, roll) of the palm target from nominal, rad."""
    joint_pos: Tensor
    """[N, J] commanded joints, rad."""
    joint_vel: Tensor
    """[N, J] velocity of the commanded joints, rad/s."""


class PalmController:
    """Maps actions [N, 11] in -1..1 to servo set-points of all joints for every substep."""

    def __init__(self, robot: Robot, config: ControlConfig, physics: PhysicsConfig, device: torch.device | str):
        self._config = config
        self._substeps = physics.substeps
        self._ik = PalmIK(robot, config, device)
        constant = functools.partial(torch.tensor, dtype=torch.float32, device=device)
        arm, hand = robot.arm_joints, len(robot.joints) - robot.arm_joints

        def per_joint(arm_values: tuple[float, ...], hand_value: float) -> Tensor:
            return constant([*arm_values, *[hand_value] * hand])

        self._arm = arm
        self._governor = Governor(
            per_joint((config.arm_bandwidth,) * arm, config.hand_bandwidth),
            per_joint(config.arm_max_velocity, config.hand_max_velocity),
            per_joint(config.arm_max_acceleration, config.hand_max_acceleration),
            physics.timestep,
        )
        self._lead = per_joint((config.arm_lead,) * arm, config.hand_lead)
        # The servos damp absolute velocity; this feed-forward removes the lag that it causes.
        self._feed_forward = constant([j.servo_damping / j.stiffness for j in robot.joints])
        self._low = constant(config.workspace_low)
        self._high = constant(config.workspace_high)
        self._euler_limit = constant(config.rotation_limit)
        self._nominal_rot = constant(nominal_palm_rotation(config.palm_tilt))
        self._hand_nominal = constant(robot.hand_nominal)
        self._synergies = constant(robot.synergies)
        limits = constant([joint.limits for joint in robot.joints[arm:]])
        self._hand_low = limits[:, 0] + config.joint_margin
        self._hand_high = limits[:, 1] - config.joint_margin
        self._start_target = constant(robot.home_center)

    def initial(self, joint_pos: Tensor) -> ControlState:
        """The state at the start of an episode with joints [n, J] at rest."""
        n = joint_pos.shape[0]
        return ControlState(
            self._start_target.repeat(n, 1),
            joint_pos.new_zeros(n, 3),
            joint_pos.clone(),
            torch.zeros_like(joint_pos),
        )

    def step(self, state: ControlState, action: Tensor, joint_pos: Tensor) -> tuple[ControlState, Tensor]:
        """The next state and set-points [N, S, J], rad, given action [N, 11] in -1..1 and measured joints [N, J]."""
        config = self._config
        target_pos = state.target_pos + config.position_step * action[:, 0:3]
        target_pos = torch.clamp(target_pos, self._low, self._high)
        target_euler = state.target_euler + config.rotation_step * action[:, 3:6]
        target_euler = torch.clamp(target_euler, -self._euler_limit, self._euler_limit)
        target_rot = self.palm_rotation(target_euler)
        command = torch.clamp(state.joint_pos, joint_pos - self._lead, joint_pos + self._lead)
        arm_goal = self._ik.solve(command[:, : self._arm], target_pos, target_rot)
        goal = torch.cat([arm_goal, self.hand_posture(action[:, 6:])], 1)
        positions, velocities = self._governor.integrate(command, state.joint_vel, goal, self._substeps)
        setpoints = positions + self._feed_forward * velocities
        return ControlState(target_pos, target_euler, positions[:, -1], velocities[:, -1]), setpoints

    def hand_posture(self, synergy: Tensor) -> Tensor:
        """Hand joints [N, 16], rad, for synergy activations [N, 5]."""
        offset = (synergy[:, :, None] * self._synergies).sum(1)
        return torch.clamp(self._hand_nominal + offset, self._hand_low, self._hand_high)

    def palm_rotation(self, euler: Tensor) -> Tensor:
        """World rotation [N, 3, 3] of the palm frame: Rz(yaw) Ry(pitch) Rx(roll) times nominal, euler [N, 3]."""
        sine, cosine = torch.sin(euler), torch.cos(euler)
        sy, sp, sr = sine.unbind(1)
        cy, cp, cr = cosine.unbind(1)
        turn = torch.stack(
            [
                *(cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr),
                *(sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr),
                *(-sp, cp * sr, cp * cr),
            ],
            1,
        ).reshape(-1, 3, 3)
        return torch.stack([rotate(turn, column) for column in self._nominal_rot.unbind(1)], -1)


def nominal_palm_rotation(tilt: float) -> list[list[float]]:
    """Palm frame with the fingers forward, tilted down by `tilt` rad: columns normal, lateral, finger direction."""
    sine, cosine = math.sin(tilt), math.cos(tilt)
    return [[-sine, 0.0, cosine], [0.0, 1.0, 0.0], [-cosine, 0.0, -sine]]
