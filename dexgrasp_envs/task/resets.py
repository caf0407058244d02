"""How an episode starts, drawn from the counter-based generator."""

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .. import rng
from ..config import ADR_LEVELS, RandomisationConfig, SpawnConfig
from ..objects import ObjectSet, Support
from ..robots.robot import Robot
from ..scene.tabletop import TABLE_TOP
from ..types import StartState
from .randomisation import Stream

_CLEARANCE = 0.002
_POSE_STREAM, _JOINT_STREAM = 1, 2


class StartSampler:
    """Draws start states; a row's draw depends only on its seed, environment index, episode, level and object."""

    def __init__(
        self,
        robot: Robot,
        objects: ObjectSet,
        config: SpawnConfig,
        joint_margin: float,
        randomisation: RandomisationConfig | None = None,
    ):
        self._config = config
        self._randomisation = wider = randomisation or RandomisationConfig()
        self._support = Support(objects.objects)
        arm, hand = robot.arm_joints, len(robot.joints) - robot.arm_joints
        self._nominal = np.array([*np.add(robot.home, config.arm_offset), *robot.hand_nominal])
        self._noise = np.array([config.arm_noise] * arm + [config.finger_noise] * hand)
        self._wider = np.array([wider.arm_noise] * arm + [wider.finger_noise] * hand)
        limits = np.array([joint.limits for joint in robot.joints])
        self._low, self._high = limits[:, 0] + joint_margin, limits[:, 1] - joint_margin

    def __call__(
        self, seed: Tensor, env_index: Tensor, episode: Tensor, object_index: Tensor, level: Tensor | None = None
    ) -> StartState:
        """Start states of the rows; all arguments [n] int64. Levels are 0 if None."""
        keys = seed.cpu().numpy(), env_index.cpu().numpy(), episode.cpu().numpy()
        share = np.zeros((len(seed), 1)) if level is None else level.cpu().numpy()[:, None] / ADR_LEVELS
        joints = rng.uniform(*keys, _JOINT_STREAM, len(self._nominal))
        noise = self._noise + share * self._wider
        joint_pos = np.clip(self._nominal + noise * (2.0 * joints - 1.0), self._low, self._high)
        draw = rng.uniform(*keys, _POSE_STREAM, 6)
        quat = np.where(draw[:, 5:6] < self._config.upright_share, _upright(draw[:, 2]), _random_rotation(draw[:, 2:5]))
        if self._randomisation.spawn_tilt:
            u = rng.uniform(*keys, Stream.TILT, 2)
            quat = _tilted(quat, 2.0 * math.pi * u[:, 0], share[:, 0] * self._randomisation.spawn_tilt * u[:, 1])
        height = self._support(object_index.cpu().numpy(), -_up(quat))
        half_extent = np.array(self._config.half_extent) + share * np.array(self._randomisation.spawn_extent)
        across = np.array(self._config.center) + half_extent * (2.0 * draw[:, :2] - 1.0)
        position = np.concatenate([across, (TABLE_TOP + _CLEARANCE + height)[:, None]], 1)
        device = seed.device
        return StartState(
            object_index=object_index.clone(),
            joint_pos=torch.from_numpy(joint_pos.astype(np.float32)).to(device),
            object_pos=torch.from_numpy(position.astype(np.float32)).to(device),
            object_quat=torch.from_numpy(quat.astype(np.float32)).to(device),
        )


def _up(quat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The world's z axis [n, 3] in the frames that are turned by quat [n, 4]."""
    w, x, y, z = quat.T
    return np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], 1)


def _tilted(
    quat: npt.NDArray[np.float64], direction: npt.NDArray[np.float64], angle: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Quaternions [n, 4] turned by `angle` [n] about the horizontal axis at the yaw `direction` [n], rad."""
    (w, x, y, z), c, s = quat.T, np.cos(0.5 * angle), np.sin(0.5 * angle)
    a, b = s * np.cos(direction), s * np.sin(direction)
    return np.stack([c * w - a * x - b * y, c * x + a * w + b * z, c * y + b * w - a * z, c * z + a * y - b * x], 1)


def _upright(u: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Quaternions [n, 4] of a uniform yaw."""
    zero = np.zeros_like(u)
    return np.stack([np.cos(math.pi * u), zero, zero, np.sin(math.pi * u)], 1)


def _random_rotation(u: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Uniform random quaternions [n, 4] from u [n, 3] (Shoemake, Graphics Gems III)."""
    a, b = np.sqrt(1.0 - u[:, 0]), np.sqrt(u[:, 0])
    s, t = 2 * math.pi * u[:, 1], 2 * math.pi * u[:, 2]
    return np.stack([b * np.cos(t), a * np.sin(s), a * np.cos(s), b * np.sin(t)], 1)
