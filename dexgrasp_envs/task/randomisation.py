"""What an episode draws by its level of automatic domain randomisation (ADR).

A level only scales: draws depend on seed, environment index, episode, purpose and, where they change during an episode,
step. Ranges are those of `RandomisationConfig`, grown linearly from nothing at level 0.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .. import rng
from ..config import ADR_LEVELS, RandomisationConfig
from ..robots.robot import Robot
from ..sensor_config import Range
from ..types import Dynamics

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Stream(IntEnum):
    """Purposes of random numbers; one never shifts another."""

    FRICTION = 20
    MASS = 21
    STIFFNESS = 22
    DAMPING = 23
    JOINT_FRICTION = 24
    START_VELOCITY = 25
    PUSH = 26
    TILT = 27
    BIAS = 28
    NOISE = 29


@dataclass(frozen=True)
class Draws:
    """Random numbers of n episodes, and how much of the ranges their levels open."""

    seed: Integers
    """[n] of the rows' random numbers."""
    env_index: Integers
    """[n] global."""
    episode: Integers
    """[n]."""
    share: Floats
    """[n] level / `ADR_LEVELS`: 0 is nominal, 1 the full range."""

    @classmethod
    def of(cls, seed: Tensor, env_index: Tensor, episode: Tensor, level: Tensor) -> Self:
        """From tensors [n] int64."""
        share = level.cpu().numpy() / ADR_LEVELS
        return cls(seed.cpu().numpy(), env_index.cpu().numpy(), episode.cpu().numpy(), share)

    def factor(self, stream: Stream, count: int, full: Range) -> Floats:
        """Factors [n, count]: 1 at level 0, uniform in `full` at the last level."""
        low, high = full
        u = rng.uniform(self.seed, self.env_index, self.episode, stream, count)
        return 1.0 + self.share[:, None] * (low + u * (high - low) - 1.0)

    def around(self, stream: Stream, half_widths: Floats, step: Integers | int = 0) -> Floats:
        """Numbers [n, len(half_widths)]: 0 at level 0, uniform within +-`half_widths` of 0 at the last level."""
        u = rng.uniform(self.seed, self.env_index, self.episode, stream, len(half_widths), step)
        return self.share[:, None] * half_widths * (2.0 * u - 1.0)


class DynamicsSampler:
    """Draws the physical figures of episodes."""

    def __init__(self, robot: Robot, config: RandomisationConfig):
        self._config = config
        self._joints = len(robot.joints)

    def __call__(self, draws: Draws) -> Dynamics:
        """Of the episodes of `draws`."""
        config, joints = self._config, self._joints
        return Dynamics(
            friction=float32(draws.factor(Stream.FRICTION, 1, config.friction)[:, 0]),
            mass=float32(draws.factor(Stream.MASS, 1, config.mass)[:, 0]),
            stiffness=float32(draws.factor(Stream.STIFFNESS, joints, config.stiffness)),
            damping=float32(draws.factor(Stream.DAMPING, joints, config.damping)),
            joint_friction=float32(draws.factor(Stream.JOINT_FRICTION, joints, config.joint_friction)),
            joint_vel=float32(draws.around(Stream.START_VELOCITY, np.full(joints, config.start_velocity))),
        )


def float32(values: Floats) -> Tensor:
    """As a tensor of the precision that rooms pass to each other."""
    return torch.from_numpy(values.astype(np.float32))
