"""Where the bodies of a robot are: fast forward kinematics of a batch on the CPU."""

import numpy as np
import numpy.typing as npt

from ..scene.bodies import Body
from .pose_kernels import place_bodies
from .rotations import rotation_from_quat


class BodyPoses:
    """Forward kinematics of a chain or tree of bodies, compiled, in float64 whatever goes in and out."""

    def __init__(self, bodies: tuple[Body, ...]):
        """`bodies` are listed parents first and hold every parent that they name."""
        names = [body.name for body in bodies]
        self._parent = np.array([-1 if b.parent is None else names.index(b.parent) for b in bodies])
        self._hinged = np.array([body.joint is not None for body in bodies])
        self._pos = np.array([body.pos for body in bodies], np.float64)
        rest = np.stack([rotation_from_quat(body.quat).numpy() for body in bodies])
        axes = np.array([(0.0, 0.0, 0.0) if b.joint is None else b.joint.axis for b in bodies], np.float64)
        # R(q) = F (I + sin q K + (1 - cos q) K^2), Rodrigues' formula.
        cross = np.cross(axes[:, None, :], np.eye(3)).swapaxes(1, 2)
        self._rot = np.stack([rest, rest @ cross, rest @ cross @ cross], 1)

    def __call__(
        self, joint_pos: npt.NDArray[np.floating], pos: npt.NDArray[np.floating], rot: npt.NDArray[np.floating]
    ) -> None:
        """Write the poses of all bodies, in their order and the world frame.

        Args:
            joint_pos: [n, J], in the order of their bodies, rad.
            pos: [n, B, 3] m, written.
            rot: [n, B, 3, 3] rotation matrices, written.
        """
        place_bodies(self._parent, self._hinged, self._pos, self._rot, joint_pos, pos, rot)
