"""The single environment: the one-row face of the vector environment."""

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode
from torch import Tensor

from .arguments import not_negative
from .config import EnvConfig
from .errors import ActionError, ConfigError
from .types import Arrays
from .vector_env import DexGraspVectorEnv

Observation = dict[str, npt.NDArray[np.generic]]


class DexGraspEnv(gymnasium.Env[Observation, npt.NDArray[np.float32]]):
    """One grasping environment, equal to environment 0 of the vector environment with the same seed.

    Example:
        >>> import gymnasium, dexgrasp_envs
        >>> env = gymnasium.make("DexGrasp/KukaAllegro-State-v0", render_mode="rgb_array")
        >>> obs, info = env.reset(seed=0)
        >>> obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
        >>> picture = env.render()
        >>> env.close()

    Options are those of `DexGraspVectorEnv`, without num_envs, autoreset_mode and output.
    """

    metadata = {"render_modes": ["rgb_array"]}

    def __init__(self, *, render_mode: str | None = None, threads: int = 1, **options: Any):
        for name in ("num_envs", "autoreset_mode", "output"):
            if name in options:
                raise ConfigError(f"{name} is an option of gymnasium.make_vec, not of a single environment")
        self._envs = DexGraspVectorEnv(
            1, render_mode=render_mode, threads=threads, autoreset_mode=AutoresetMode.DISABLED, **options
        )
        self.metadata = {key: value for key, value in self._envs.metadata.items() if key != "autoreset_mode"}
        self.render_mode = render_mode
        self.observation_space = self._envs.single_observation_space
        self.action_space = self._envs.single_action_space

    @property
    def config(self) -> EnvConfig:
        """The configuration in force."""
        return self._envs.config

    @property
    def object_names(self) -> tuple[str, ...]:
        """Names of the objects, by the index in `info["object"]`."""
        return self._envs.object_names

    @property
    def adr_level(self) -> int:
        """Level of randomisation of the next episode, 0 .. `config.ADR_LEVELS`."""
        return int(self._envs.adr_level[0])

    @adr_level.setter
    def adr_level(self, level: int) -> None:
        self._envs.set_adr_level(level)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode; options as for the vector environment."""
        seed = None if seed is None else not_negative("seed", seed)
        obs, infos = self._envs.reset(seed=seed, options=options)
        super().reset(seed=seed)
        return _first(obs), _info(infos)

    def step(self, action: npt.ArrayLike | Tensor) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Advance by one action [A]; errors as for the vector environment."""
        try:
            shape = tuple(np.shape(action))
        except ValueError as error:
            raise ActionError(f"an action must be an array of numbers: {error}; nothing was stepped") from error
        if shape != self.action_space.shape:
            raise ActionError(f"an action must have shape {self.action_space.shape}, got {shape}; nothing was stepped")
        batch = action[None] if isinstance(action, Tensor) else np.asarray(action)[None]
        obs, reward, terminated, truncated, infos = self._envs.step(batch)
        return _first(obs), float(reward[0]), bool(terminated[0]), bool(truncated[0]), _info(infos)

    def render(self) -> npt.NDArray[np.uint8] | None:
        """A uint8 image [H, W, 3], or None without `render_mode="rgb_array"`."""
        pictures = self._envs.render()
        return None if pictures is None else pictures[0]

    def get_state(self) -> Arrays:
        """Everything that decides the future, as named arrays."""
        return self._envs.get_state()

    def set_state(self, state: Arrays) -> None:
        """Continue from a state of `get_state`; the rollout is the same bits."""
        self._envs.set_state(state)

    def close(self) -> None:
        """Free threads, memory and the OpenGL context."""
        self._envs.close()


def _first(obs: Any) -> Observation:
    return {name: values[0] for name, values in obs.items()}


def _info(infos: dict[str, Any]) -> dict[str, Any]:
    return {name: values[0].item() for name, values in infos.items() if not name.startswith("_")}
