"""The noise of depth sensors: what an episode draws of it, and how the kernels take it."""

from dataclasses import astuple, dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from .. import rng
from ..sensor_config import DepthNoiseConfig

_NOISE_STREAM = 16
_KEYS = 8


@dataclass(frozen=True)
class DepthNoise:
    """The noise of N environments; of none if it is off.

    It is a function of seed, global environment index, episode and step alone, so nothing of it needs to be saved.
    """

    strengths: npt.NDArray[np.float32]
    """[8] the fields of `DepthNoiseConfig`, in order."""
    keys: npt.NDArray[np.uint32]
    """[N, 8] of environment and episode; [0, 8] if it is off."""
    steps: npt.NDArray[np.int64]
    """[N] of the episode."""

    @classmethod
    def of(cls, config: DepthNoiseConfig, num_envs: int) -> Self:
        """Before the first episode."""
        on = any(value > 0 for value in astuple(replace(config, stick_length=0)))
        count = num_envs if on else 0
        strengths = np.array(astuple(config), np.float32)
        return cls(strengths, np.zeros((count, _KEYS), np.uint32), np.zeros(count, np.int64))

    def start(
        self,
        rows: npt.NDArray[np.int64],
        seed: npt.NDArray[np.int64],
        env_index: npt.NDArray[np.int64],
        episode: npt.NDArray[np.int64],
    ) -> None:
        """Draw the keys of `rows` [n], whose episodes begin; all [n]."""
        if len(self.keys):
            self.keys[rows] = rng.words(seed, env_index, episode, _NOISE_STREAM, _KEYS)

    def at(self, steps: npt.NDArray[np.int64]) -> Self:
        """The same at the steps [N] of the episodes."""
        return replace(self, steps=steps)

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """In the order that the kernels take."""
        return self.strengths, self.keys, self.steps


NO_NOISE = DepthNoise.of(DepthNoiseConfig(), 0)
"""Depth as it is."""
