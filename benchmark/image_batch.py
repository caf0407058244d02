"""Environments that cost nothing or a given time, and give images: what is left of a step is its transport."""

import time
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

SIDE = 1024
"""Side of a square uint8 image, pixels: 1 MiB."""
_IMAGE = spaces.Dict({"image": spaces.Box(0, 255, (1, SIDE, SIDE), np.uint8)})
_ACTION = spaces.Box(-1.0, 1.0, (1,), np.float32)


class ImageBatch(VectorEnv[Any, Any, Any]):
    """N random images of 1 MiB, the same ones at each step.

    Args:
        num_envs: N.
        seconds: Time of a step, in which the processor is free.
    """

    def __init__(self, num_envs: int, seconds: float = 0.0):
        self.num_envs, self._seconds = num_envs, seconds
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
        self.single_observation_space, self.single_action_space = _IMAGE, _ACTION
        self.observation_space = batch_space(_IMAGE, num_envs)
        self.action_space = batch_space(_ACTION, num_envs)
        self._obs = {"image": np.random.default_rng(0).integers(0, 256, (num_envs, 1, SIDE, SIDE), np.uint8)}

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """The images."""
        return self._obs, {}

    def step(self, actions: Any) -> Any:
        """The images, after a while."""
        time.sleep(self._seconds)
        none = np.zeros(self.num_envs, bool)
        return self._obs, np.zeros(self.num_envs, np.float32), none, none.copy(), {}


class DrawnBatch(ImageBatch):
    """Images of 1 MiB that are drawn anew at each step, as fast as memory can be written, where they are wanted."""

    def __init__(self, num_envs: int, seconds: float = 0.0):
        super().__init__(num_envs, seconds)
        self._images = np.empty_like(self._obs["image"])
        self._into = self._images

    def observe_into(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """See `Operations`."""
        self._into = arrays.get("image", self._images)

    def step(self, actions: Any) -> Any:
        """The images."""
        _, *others = super().step(actions)
        np.copyto(self._into, self._obs["image"])
        return {"image": self._into}, *others


class Images(gymnasium.Env[Any, npt.NDArray[np.float32]]):
    """Some of them as one observation, for vector environments of single ones."""

    def __init__(self, images: int) -> None:
        self.observation_space = spaces.Box(0, 255, (images, SIDE, SIDE), np.uint8)
        self.action_space = _ACTION
        self._obs = np.random.default_rng(0).integers(0, 256, (images, SIDE, SIDE), np.uint8)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """The images."""
        return self._obs, {}

    def step(self, action: Any) -> Any:
        """The images."""
        return self._obs, 0.0, False, False, {}
