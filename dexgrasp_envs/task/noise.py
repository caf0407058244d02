"""What the robot believes to see: joints and object with errors, and what follows from them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..config import RandomisationConfig
from ..robots.body_poses import BodyPoses
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
        self,
        robot: Robot,
        config: RandomisationConfig,
        geometry: HandObjectGeometry,
        num_envs: int,
        device: torch.device | str,
    ):
        joints = len(robot.joints)
        self._geometry = geometry
        counts = (joints, joints, 3, 3)
        self._joints = joints
        self._poses, self._bodies = BodyPoses(robot.bodies), len(robot.bodies)
        position, rotation = config.object_position_bias, config.object_rotation_bias
        self._biases = np.repeat([config.joint_position_bias, config.joint_velocity_bias, position, rotation], counts)
        position, rotation = config.object_position_noise, config.object_rotation_noise
        self._noises = np.repeat([config.joint_position_noise, config.joint_velocity_noise, position, rotation], counts)
        self._bias = torch.zeros(num_envs, len(self._biases), device=device)
        self._moves_hand = config.joint_position_bias > 0 or config.joint_position_noise > 0

    def begin(self, rows: Tensor, draws: Draws) -> None:
        """Draw what lasts for the episodes that `rows` [n] have begun."""
        self._bias[rows] = float32(draws.around(Stream.BIAS, self._biases)).to(self._bias.device)

    def __call__(self, rows: Tensor, sim: SimState, scene: HandObject, draws: Draws, step: Tensor) -> Sensed:
        """What is observed of `rows` [n] at `step` [n] of their episodes; the other arguments hold those alone."""
        drawn = float32(draws.around(Stream.NOISE, self._noises, step.cpu().numpy()))
        error = self._bias[rows] + drawn.to(self._bias.device)
        of_pos, of_vel, of_place, of_rotation = error.split([self._joints, self._joints, 3, 3], 1)
        joint_pos, joint_vel = sim.joint_pos + of_pos, sim.joint_vel + of_vel
        body_pos, body_rot = sim.body_pos, sim.body_rot
        if self._moves_hand and draws.share.any():
            body_pos, body_rot = self._moved(sim, joint_pos, draws)
        hand = self._geometry.hand(body_pos, body_rot)
        turned = (small_rotation(of_rotation)[:, :, :, None] * scene.object_rot[:, None]).sum(2)
        return Sensed(joint_pos, joint_vel, HandObject(*hand, scene.object_pos + of_place, turned))

    def _moved(self, sim: SimState, joint_pos: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Poses of the robot's bodies with other joints; those of the simulation where the level is 0."""
        position, rotation = sim.body_pos[:, : self._bodies].clone(), sim.body_rot[:, : self._bodies].clone()
        opened = np.flatnonzero(draws.share)
        shape = (len(opened), self._bodies)
        moved = np.empty((*shape, 3), np.float32), np.empty((*shape, 3, 3), np.float32)
        self._poses(joint_pos.cpu().numpy()[opened], *moved)
        index = torch.from_numpy(opened).to(position.device)
        position[index], rotation[index] = (torch.from_numpy(poses).to(position.device) for poses in moved)
        return position, rotation


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
