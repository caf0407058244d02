"""Rotations and frames, in torch."""

import functools

import torch
from torch import Tensor

from ..scene.bodies import Quat
from .robot import Frame


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
