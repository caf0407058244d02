"""Inverse kinematics of the grasp centre by damped least squares."""

import functools

import torch
from torch import Tensor

from ..config import ControlConfig
from ..robots.kinematics import Kinematics
from ..robots.robot import Robot
from ..scene.bodies import IDENTITY, Body


class PalmIK:
    """Moves the arm's joints towards a pose of the grasp centre, with a null-space pull towards the home posture."""

    def __init__(self, robot: Robot, config: ControlConfig, device: torch.device | str):
        palm = Body("palm_frame", robot.palm.body, robot.palm.pos, robot.palm.quat)
        center = Body("grasp_center", palm.name, robot.grasp_center, IDENTITY)
        self._kinematics = Kinematics((*robot.chain(robot.palm.body), palm, center), device)
        self._config = config
        constant = functools.partial(torch.tensor, dtype=torch.float32, device=device)
        self._home = constant(robot.home)
        limits = constant([joint.limits for joint in robot.joints[: robot.arm_joints]])
        self._low = limits[:, 0] + config.joint_margin
        self._high = limits[:, 1] - config.joint_margin
        self._damping = config.ik_damping * torch.eye(6, device=device)

    def solve(self, joint_pos: Tensor, target_pos: Tensor, target_rot: Tensor) -> Tensor:
        """Arm joints [N, 7] after some iterations from joint_pos [N, 7].

        target_pos [N, 3] is the grasp centre, m; target_rot [N, 3, 3] the palm frame's rotation, both in the world.
        """
        for _ in range(self._config.ik_iterations):
            joint_pos = self._iterate(joint_pos, target_pos, target_rot)
        return joint_pos

    def _iterate(self, joint_pos: Tensor, target_pos: Tensor, target_rot: Tensor) -> Tensor:
        positions, rotations = self._kinematics.forward(joint_pos)
        center, palm_rot = positions[:, -1], rotations[:, -1]
        error = torch.cat(
            [
                _limit_length(target_pos - center, self._config.ik_max_position),
                _limit_length(rotation_error(target_rot, palm_rot), self._config.ik_max_rotation),
            ],
            -1,
        )
        jacobian = self._kinematics.jacobian(positions, rotations, center)
        homing = self._config.ik_null_gain * (self._home - joint_pos)
        residual = error - (jacobian * homing[:, None, :]).sum(-1)
        gram = torch.bmm(jacobian, jacobian.transpose(1, 2)) + self._damping
        weights = torch.linalg.solve_ex(gram, residual[:, :, None])[0]
        step = homing + (jacobian * weights).sum(1)
        return torch.clamp(joint_pos + step, self._low, self._high)


def rotation_error(target: Tensor, current: Tensor) -> Tensor:
    """What turns `current` into `target` [N, 3, 3]: axis times 2 sin(angle / 2), [N, 3], world frame.

    Close to the rotation vector for small angles, monotone up to pi; unlike with atan2, the bits of a row do not depend
    on the batch.
    """
    relative = torch.bmm(target, current.transpose(1, 2))
    sine_axis = 0.5 * (relative - relative.transpose(1, 2))[:, (2, 0, 1), (1, 2, 0)]
    trace = relative[:, 0, 0] + relative[:, 1, 1] + relative[:, 2, 2]
    # cos(angle / 2) = sqrt((1 + cos angle) / 2) with cos angle = (trace - 1) / 2
    half_cosine = (0.25 * (1.0 + trace)).clamp_min(1e-6).sqrt()
    return sine_axis / half_cosine[:, None]


def _length(vector: Tensor) -> Tensor:
    return (vector * vector).sum(-1, keepdim=True).sqrt()


def _limit_length(vector: Tensor, longest: float) -> Tensor:
    return vector * (longest / _length(vector).clamp_min(longest))
