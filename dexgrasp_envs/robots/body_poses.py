"""Where the robot's bodies and the object are, from generalised positions.

MuJoCo's own poses describe the state before the last substep; to have it compute those after it costs a twelfth of a
step, and to have it hand them out as much again.
"""

import numpy as np
import numpy.typing as npt

from ...robots.kinematics import rotation_from_quat
from ...robots.robot import Robot
from .pose_kernels import place_bodies


class BodyPoses:
    """Forward kinematics of a robot and one free body after it, in float64, rounded at the end."""

    def __init__(self, robot: Robot):
        names = list(robot.body_names)
        self._parent = np.array([-1 if b.parent is None else names.index(b.parent) for b in robot.bodies])
        self._hinged = np.array([body.joint is not None for body in robot.bodies])
        self._pos = np.array([body.pos for body in robot.bodies], np.float64)
        rest = np.stack([rotation_from_quat(body.quat).numpy() for body in robot.bodies])
        axes = np.array([(0.0, 0.0, 0.0) if b.joint is None else b.joint.axis for b in robot.bodies], np.float64)
        # R(q) = F (I + sin q K + (1 - cos q) K^2), Rodrigues' formula.
        cross = np.cross(axes[:, None, :], np.eye(3)).swapaxes(1, 2)
        self._rot = np.stack([rest, rest @ cross, rest @ cross @ cross], 1)

    def __call__(self, qpos: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Positions [n, B + 1, 3] m and rotations [n, B + 1, 3, 3] of the bodies, then of the object, world frame.

        Args:
            qpos: [n, J + 7]: joint positions in canonical order, rad, then the object's position and its quaternion
                (w, x, y, z), of any length but zero.
        """
        shape = (len(qpos), len(self._parent) + 1)
        pos, rot = np.empty((*shape, 3), np.float32), np.empty((*shape, 3, 3), np.float32)
        place_bodies(self._parent, self._hinged, self._pos, self._rot, qpos, pos, rot)
        return pos, rot
