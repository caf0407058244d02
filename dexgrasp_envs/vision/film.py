"""What a colour camera makes of the light: exposure, saturation, hue, contrast, brightness, blur and noise."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from .. import rng
from ..sensor_config import ColourConfig

_FILM_STREAM, _GRAIN_STREAM = 18, 19
_NUMBERS, _KEYS = 5, 10
_Y = np.array([0.30, 0.59, 0.11])
_RED, _BLUE = np.array([1.0, 0.0, 0.0]) - _Y, np.array([0.0, 0.0, 1.0]) - _Y
_TO_YIQ = np.stack([_Y, 0.74 * _RED - 0.27 * _BLUE, 0.48 * _RED + 0.41 * _BLUE])
_FROM_YIQ = np.linalg.inv(_TO_YIQ)


@dataclass(frozen=True)
class Film:
    """The film of N environments, the same for both images of a pair but for the grain.

    It is a function of seed, global environment index, episode and step alone, so nothing of it needs to be saved.
    """

    config: ColourConfig
    exposure: npt.NDArray[np.float32]
    """[N] multiplies light."""
    maps: npt.NDArray[np.float32]
    """[N, 3, 4] what makes of red, green and blue in 255 parts, and 1, the same developed."""
    keys: npt.NDArray[np.uint32]
    """[N, 10] of environment and episode: the grain of both images, and blur."""
    steps: npt.NDArray[np.int64]
    """[N] of the episode."""

    @classmethod
    def of(cls, config: ColourConfig, num_envs: int) -> Self:
        """Before the first episode."""
        maps, keys = np.zeros((num_envs, 3, 4), np.float32), np.zeros((num_envs, _KEYS), np.uint32)
        return cls(config, np.ones(num_envs, np.float32), maps, keys, np.zeros(num_envs, np.int64))

    @property
    def develops(self) -> bool:
        """Whether pictures change at all after light has been measured."""
        return replace(self.config, textures=0.0, exposure=(1.0, 1.0), blur_length=1) != ColourConfig(blur_length=1)

    def start(
        self,
        rows: npt.NDArray[np.int64],
        seed: npt.NDArray[np.int64],
        env_index: npt.NDArray[np.int64],
        episode: npt.NDArray[np.int64],
    ) -> None:
        """Draw what `rows` [n] have in the episodes that begin; all [n]."""
        config = self.config
        u = rng.uniform(seed, env_index, episode, _FILM_STREAM, _NUMBERS).T
        ranges = (config.exposure, config.saturation, (-config.hue, config.hue), config.contrast, config.brightness)
        exposure, *others = (low + drawn * (high - low) for drawn, (low, high) in zip(u, ranges, strict=True))
        self.exposure[rows] = exposure
        self.maps[rows] = colour_maps(*others)
        self.keys[rows] = rng.words(seed, env_index, episode, _GRAIN_STREAM, _KEYS)

    def at(self, steps: npt.NDArray[np.int64]) -> Self:
        """The same at the steps [N] of the episodes."""
        return replace(self, steps=steps)

    def arrays(self, eye: int) -> tuple[Any, ...]:
        """For the left (0) or right (1) image, in the order that the kernels take."""
        config = self.config
        return (
            self.maps, self.keys, self.steps, eye, np.float32(config.noise_sigma), np.float32(config.blur),
            config.blur_length,
        )  # fmt: skip


def colour_maps(
    saturation: npt.NDArray[np.float64],
    hue: npt.NDArray[np.float64],
    contrast: npt.NDArray[np.float64],
    brightness: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    """Affine maps [n, 3, 4] of colours in 255 parts: saturation and hue about grey in YIQ, contrast, brightness; [n].

    YIQ as in Python's `colorsys` (FCC NTSC, 1953): saturation scales the plane (I, Q), hue turns it by so many turns.
    """
    across, up = saturation * np.cos(2 * np.pi * hue), saturation * np.sin(2 * np.pi * hue)
    zero, one = np.zeros_like(hue), np.ones_like(hue)
    turn = np.stack([one, zero, zero, zero, across, -up, zero, up, across], 1).reshape(-1, 3, 3)
    # Sums of products, whose bits do not depend on the batch size as those of a matrix product may.
    turned = (turn[:, :, :, None] * _TO_YIQ).sum(2)
    linear = (_FROM_YIQ[:, :, None] * turned[:, None]).sum(2)
    offset = 255.0 * brightness * 0.5 * (1.0 - contrast)
    maps = (contrast * brightness)[:, None, None] * linear
    return np.concatenate([maps, np.broadcast_to(offset[:, None, None], (len(maps), 3, 1))], 2).astype(np.float32)
