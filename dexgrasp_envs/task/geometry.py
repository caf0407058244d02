"""Where hand and object are, derived once per step from the state of the simulation."""

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from ..robots.robot import Robot
from ..robots.rotations import frame_pose, rotate
from ..types import SimState


@dataclass(frozen=True)
class HandObject:
    """Poses in the world frame, float32."""

    palm_pos: Tensor
    """[N, 3] origin of the palm frame, m."""
    palm_rot: Tensor
    """[N, 3, 3] palm frame."""
    points: Tensor
    """[N, 1 + F, 3] grasp centre and finger tips, m."""
    object_pos: Tensor
    """[N, 3] m."""
    object_rot: Tensor
    """[N, 3, 3]."""


class HandObjectGeometry:
    """Computes `HandObject` for one robot."""

    def __init__(self, robot: Robot, device: torch.device | str):
        self._palm = robot.palm
        self._palm_body = robot.body_names.index(robot.palm.body)
        self._tip_bodies = [robot.body_names.index(tip.body) for tip in robot.tips]
        constant = functools.partial(torch.tensor, dtype=torch.float32, device=device)
        self._tip_offsets = constant([tip.pos for tip in robot.tips])
        self._grasp_center = constant(robot.grasp_center)

    def __call__(self, sim: SimState) -> HandObject:
        """Poses of all rows."""
        return HandObject(*self.hand(sim.body_pos, sim.body_rot), sim.body_pos[:, -1], sim.body_rot[:, -1])

    def hand(self, pos: Tensor, rot: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`palm_pos`, `palm_rot` and `points` from poses of the robot's bodies, [N, B, 3] and [N, B, 3, 3]."""
        palm_pos, palm_rot = frame_pose(self._palm, pos[:, self._palm_body], rot[:, self._palm_body])
        center = palm_pos + rotate(palm_rot, self._grasp_center)
        tips = pos[:, self._tip_bodies] + rotate(rot[:, self._tip_bodies], self._tip_offsets)
        return palm_pos, palm_rot, torch.cat([center[:, None], tips], 1)


def length(vector: Tensor) -> Tensor:
    """Euclidean length over the last dimension."""
    return (vector * vector).sum(-1).sqrt()
