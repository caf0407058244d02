"""Batched forward kinematics and Jacobians of a chain or tree of bodies, in torch."""

import functools

import torch
from torch import Tensor

from ..scene.bodies import Body, Quat
from .robot import Frame


class Kinematics:
    """Forward kinematics of bodies listed parents first; joints in the order of the bodies.

    Results for one row do not depend on the other rows of the batch.
    """

    def __init__(
        self, bodies: tuple[Body, ...], device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ):
        """`bodies` hold every parent that they name."""
        names = [body.name for body in bodies]
        self._parents = [None if body.parent is None else names.index(body.parent) for body in bodies]
        joints = [i for i, body in enumerate(bodies) if body.joint is not None]
        self._joint_of = {body: joint for joint, body in enumerate(joints)}
        self._joint_bodies = torch.tensor(joints, device=device)
        # float64 first: the constants are products of rounded quaternions
        placed = torch.eye(4, dtype=torch.float64).repeat(len(bodies), 1, 1)
        for i, body in enumerate(bodies):
            placed[i, :3, :3] = rotation_from_quat(body.quat)
            placed[i, :3, 3] = torch.tensor(body.pos, dtype=torch.float64)
        axes = torch.tensor([body.joint.axis for body in bodies if body.joint is not None], dtype=torch.float64)
        self._axes = axes.reshape(-1, 3).to(device, dtype)
        # T(q) = F (I + sin q K + (1 - cos q) K^2), Rodrigues' formula in homogeneous coordinates
        cross = torch.zeros(len(joints), 4, 4, dtype=torch.float64)
        cross[:, :3, :3] = _cross_matrix(axes.reshape(-1, 3))
        moving = placed[joints]
        self._fixed = placed.to(device, dtype)
        self._rest = moving.to(device, dtype)
        self._sin = (moving @ cross).to(device, dtype)
        self._cos = (moving @ cross @ cross).to(device, dtype)

    def forward(self, joint_pos: Tensor) -> tuple[Tensor, Tensor]:
        """World poses of all bodies: joint_pos [N, J] rad to positions [N, B, 3] m and rotations [N, B, 3, 3]."""
        # The bits of a transcendental function of a strided tensor depend on the batch size.
        angle = joint_pos.contiguous()[:, :, None, None]
        local = self._rest + torch.sin(angle) * self._sin + (1.0 - torch.cos(angle)) * self._cos
        poses: list[Tensor] = []
        for body, parent in enumerate(self._parents):
            joint = self._joint_of.get(body)
            pose = self._fixed[body].expand(len(joint_pos), 4, 4) if joint is None else local[:, joint]
            poses.append(pose if parent is None else torch.bmm(poses[parent], pose))
        stacked = torch.stack(poses, 1)
        return stacked[..., :3, 3], stacked[..., :3, :3]

    def jacobian(self, positions: Tensor, rotations: Tensor, point: Tensor) -> Tensor:
        """Geometric Jacobian [N, 6, J] (linear, then angular) of a world point [N, 3] that all joints move.

        `positions` and `rotations` are those of `forward`; meaningful for a serial chain that ends at the point.
        """
        axes = (rotations.index_select(1, self._joint_bodies) * self._axes[:, None, :]).sum(-1)
        levers = point[:, None, :] - positions.index_select(1, self._joint_bodies)
        linear = torch.linalg.cross(axes, levers, dim=-1)
        return torch.cat([linear, axes], -1).transpose(1, 2)


def rotation_from_quat(quat: Quat) -> Tensor:
    """Rotation matrix [3, 3], float64, of one quaternion (w, x, y, z), normalised first."""
    w, x, y, z = torch.nn.functional.normalize(torch.tensor(quat, dtype=torch.float64), dim=0).tolist()
    return torch.tensor(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ],
        dtype=torch.float64,
    )


def rotate(rotation: Tensor, vector: Tensor) -> Tensor:
    """rotation [..., 3, 3] applied to vector [..., 3], as a broadcast product and sum."""
    return (rotation * vector[..., None, :]).sum(-1)


def frame_pose(frame: Frame, position: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
    """World pose of a frame, given its body's position [N, 3] and rotation [N, 3, 3]."""
    offset, turn = (constant.to(position) for constant in _frame_constants(frame))
    return position + rotate(rotation, offset), (rotation[..., :, :, None] * turn[None, :, :]).sum(-2)


@functools.cache
def _frame_constants(frame: Frame) -> tuple[Tensor, Tensor]:
    return torch.tensor(frame.pos, dtype=torch.float64), rotation_from_quat(frame.quat)


def _cross_matrix(axes: Tensor) -> Tensor:
    """[K, 3] to the matrices [K, 3, 3] with K v = axis x v."""
    x, y, z = axes.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)
