"""Inverse kinematics of the grasp centre by damped least squares."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..config import ControlConfig
from ..robots.body_poses import BodyPoses
from ..robots.robot import Robot
from ..scene.bodies import IDENTITY, Body
from .palm_ik_kernels import approach

Floats = npt.NDArray[np.float64]


class Arm(NamedTuple):
    """An arm and the figures of its inverse kinematics, as the compiled kernels take them."""

    bodies: npt.NDArray[np.int64]
    """[J] which body each joint turns."""
    axes: Floats
    """[J, 3] axis of each joint in its body's frame."""
    home: Floats
    """[J] posture that the null space pulls to, rad."""
    low: Floats
    """[J] limits, rad."""
    high: Floats
    """[J]."""
    max_position: float
    """See `ControlConfig`."""
    max_rotation: float
    null_gain: float
    damping: float


class PalmIK:
    """Moves the arm's joints towards a pose of the grasp centre, with a null-space pull towards the home posture.

    Computed in float64 on the CPU; results for one row do not depend on the other rows of the batch.
    """

    def __init__(self, robot: Robot, config: ControlConfig):
        palm = Body("palm_frame", robot.palm.body, robot.palm.pos, robot.palm.quat)
        center = Body("grasp_center", palm.name, robot.grasp_center, IDENTITY)
        bodies = (*robot.chain(robot.palm.body), palm, center)
        self._poses, self._bodies = BodyPoses(bodies), len(bodies)
        self._iterations = config.ik_iterations
        hinges = {i: body.joint for i, body in enumerate(bodies) if body.joint is not None}
        limits = np.array([joint.limits for joint in hinges.values()])
        self._arm = Arm(
            bodies=np.array(list(hinges)),
            axes=np.array([joint.axis for joint in hinges.values()], np.float64),
            home=np.array(robot.home),
            low=limits[:, 0] + config.joint_margin,
            high=limits[:, 1] - config.joint_margin,
            max_position=config.ik_max_position,
            max_rotation=config.ik_max_rotation,
            null_gain=config.ik_null_gain,
            damping=config.ik_damping,
        )

    def solve(self, joint_pos: Tensor, target_pos: Tensor, target_rot: Tensor) -> Tensor:
        """Arm joints [N, 7] after some iterations from joint_pos [N, 7].

        target_pos [N, 3] is the grasp centre, m; target_rot [N, 3, 3] the palm frame's rotation, both in the world.
        """
        solution = joint_pos.cpu().numpy().astype(np.float64)
        place, turn = target_pos.cpu().numpy(), target_rot.cpu().numpy()
        pos = np.empty((len(solution), self._bodies, 3))
        rot = np.empty((len(solution), self._bodies, 3, 3))
        for _ in range(self._iterations):
            self._poses(solution, pos, rot)
            approach(self._arm, pos, rot, place, turn, solution)
        return torch.from_numpy(solution).to(joint_pos)
