"""What the robot believes to see: joints and object with errors, and what follows from them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..config import RandomisationConfig
from ..robots.kinematics import Kinematics
from ..robots.robot import Robot
from ..types import SimState
from .geometry import HandObject, HandObjectGeometry
from .randomisation import Draws, Stream, float32


@dataclass(frozen=True)
class Sensed:
    """Joints and poses as they are observed."""

    joint_pos: Tensor
    """[N, J] rad."""
    joint_vel: Tensor
    """[N, J] rad/s."""
    scene: HandObject
    """Palm and finger tips as they follow from `joint_pos`; the object."""


class ObservationNoise:
    """Adds the errors of `RandomisationConfig`: one of the episode, and one of each step.

    Where joints have errors, the poses of palm and finger tips are computed from the joints that are observed, so that
    no observation gives away the truth.
    """

    def __init__(
        self, robot: Robot, config: RandomisationConfig, geometry: HandObjectGeometry, device: torch.device | str
    ):
        joints = len(robot.joints)
        self._geometry = geometry
        self._joints = joints
        self._kinematics = Kinematics(robot.bodies, device)
        self._joint_bias = np.repeat([config.joint_position_bias, config.joint_velocity_bias], joints)
        self._joint_noise = np.repeat([config.joint_position_noise, config.joint_velocity_noise], joints)
        self._object_bias = np.repeat([config.object_position_bias, config.object_rotation_bias], 3)
        self._object_noise = np.repeat([config.object_position_noise, config.object_rotation_noise], 3)
        self._moves_hand = config.joint_position_bias > 0 or config.joint_position_noise > 0

    def __call__(self, sim: SimState, scene: HandObject, draws: Draws, step: Tensor) -> Sensed:
        """What is observed of all rows at `step` [N] of their episodes."""
        steps = step.cpu().numpy()
        joints = draws.around(Stream.JOINT_BIAS, self._joint_bias)
        joints += draws.around(Stream.JOINT_NOISE, self._joint_noise, steps)
        pose = draws.around(Stream.OBJECT_BIAS, self._object_bias)
        pose += draws.around(Stream.OBJECT_NOISE, self._object_noise, steps)
        device = sim.joint_pos.device
        joint_error, pose_error = float32(joints).to(device), float32(pose).to(device)
        joint_pos = sim.joint_pos + joint_error[:, : self._joints]
        joint_vel = sim.joint_vel + joint_error[:, self._joints :]
        body_pos, body_rot = sim.body_pos, sim.body_rot
        if self._moves_hand and draws.share.any():
            body_pos, body_rot = self._moved(sim, joint_pos, draws)
        hand = self._geometry.hand(body_pos, body_rot)
        turned = (small_rotation(pose_error[:, 3:])[:, :, :, None] * scene.object_rot[:, None]).sum(2)
        return Sensed(joint_pos, joint_vel, HandObject(*hand, scene.object_pos + pose_error[:, :3], turned))

    def _moved(self, sim: SimState, joint_pos: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Poses of the robot's bodies with other joints; those of the simulation where the level is 0."""
        opened = torch.from_numpy(draws.share > 0).to(joint_pos.device)
        position, rotation = self._kinematics.forward(joint_pos)
        bodies = position.shape[1]
        return (
            torch.where(opened[:, None, None], position, sim.body_pos[:, :bodies]),
            torch.where(opened[:, None, None, None], rotation, sim.body_rot[:, :bodies]),
        )


def small_rotation(vector: Tensor) -> Tensor:
    """Rotations [N, 3, 3] by nearly the rotation vectors [N, 3], rad, without transcendental functions.

    Cayley's formula: the angle is 2 atan(length / 2), which is less than the length by its cube / 12.
    """
    x, y, z = (0.5 * vector).unbind(1)
    xx, yy, zz = x * x, y * y, z * z
    s = 2.0 / (1.0 + xx + yy + zz)
    rows = (
        *(1.0 - s * (yy + zz), s * (x * y - z), s * (x * z + y)),
        *(s * (x * y + z), 1.0 - s * (xx + zz), s * (y * z - x)),
        *(s * (x * z - y), s * (y * z + x), 1.0 - s * (xx + yy)),
    )
    return torch.stack(rows, 1).reshape(-1, 3, 3)
