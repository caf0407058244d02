"""The pinhole camera: its intrinsics, its nominal pose, and the poses that the environments' cameras take."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from .. import rng
from ..config import STEREO_GROUPS, CameraConfig, ObservationConfig

_CAMERA_STREAM = 3
_NUMBERS = 6


def depth_scale(config: ObservationConfig) -> float:
    """Metres per unit of a depth image."""
    return {"uint16": 1e-4, "uint8": config.camera.far / 255, "float32": 1.0}[config.depth_format]


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera without distortion; the ray of pixel (u, v) is ((u + 0.5 - cx) / f, (v + 0.5 - cy) / f, 1)."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    focal: float
    """Focal length of both axes, pixels."""

    @classmethod
    def of(cls, config: ObservationConfig) -> Self:
        """The intrinsics of a configuration's images."""
        height, width = config.image_size
        return cls(width, height, height / 2 / float(np.tan(np.radians(config.camera.fovy) / 2)))

    def rays(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], np.float32]:
        """x of each column [W] and y of each row [H] at depth 1, and the focal length, float32."""
        x = (np.arange(self.width) + 0.5 - self.width / 2) / self.focal
        y = (np.arange(self.height) + 0.5 - self.height / 2) / self.focal
        return x.astype(np.float32), y.astype(np.float32), np.float32(self.focal)


def look_at(camera: CameraConfig) -> npt.NDArray[np.float64]:
    """Nominal rotation [3, 3] of a camera in the frame of its mount: columns right, down and forward."""
    forward = np.subtract(camera.target, camera.position)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, camera.up)
    right = right / np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward], 1)


def describe(config: ObservationConfig, table_height: float) -> dict[str, Any]:
    """A camera as plain data, for `metadata["camera"]`; its pose is the nominal one, in the frame of `mount`.

    With the group `left` or `right` it is the left one, and `baseline` (m) and `right_position` tell of the right one,
    which has the same intrinsics and rotation.
    """
    camera, lens = config.camera, Intrinsics.of(config)
    rotation = look_at(camera)
    pair: dict[str, Any] = {}
    if set(STEREO_GROUPS) & set(config.groups):
        baseline = config.stereo.baseline
        pair = {"baseline": baseline, "right_position": (camera.position + baseline * rotation[:, 0]).tolist()}
    return {
        "width": lens.width,
        "height": lens.height,
        "fx": lens.focal,
        "fy": lens.focal,
        "cx": lens.width / 2,
        "cy": lens.height / 2,
        "near": camera.near,
        "far": camera.far,
        "depth_scale": depth_scale(config),
        "mount": camera.mount,
        "position": list(camera.position),
        "rotation": rotation.tolist(),
        "table_height": table_height,
        **pair,
    }


def mounted_poses(
    camera: CameraConfig,
    seed: npt.NDArray[np.int64],
    env_index: npt.NDArray[np.int64],
    episode: npt.NDArray[np.int64],
    more: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Positions [n, 3] and rotations [n, 3, 3] in the frame of the mount, with each episode's jitter; inputs [n].

    `more` is added to the camera's position_jitter, m, and rotation_jitter, degrees: [n] each.
    """
    more_position, more_rotation = (0.0, 0.0) if more is None else (more[0][:, None], more[1][:, None])
    u = 2.0 * rng.uniform(seed, env_index, episode, _CAMERA_STREAM, _NUMBERS) - 1.0
    position = np.asarray(camera.position) + (camera.position_jitter + more_position) * u[:, :3]
    angle = np.radians(camera.rotation_jitter + more_rotation) * u[:, 3:]
    (sx, sy, sz), (cx, cy, cz) = np.sin(angle).T, np.cos(angle).T
    # Rz Ry Rx about the camera's own axes
    turn = np.stack(
        [
            *(cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx),
            *(sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx),
            *(-sy, cy * sx, cy * cx),
        ],
        1,
    ).reshape(-1, 3, 3)
    rotation = (look_at(camera)[None, :, :, None] * turn[:, None]).sum(2)
    return position.astype(np.float32), rotation.astype(np.float32)
