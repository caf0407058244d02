"""A Gymnasium vector environment as a Stable-Baselines3 `VecEnv`."""

from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers.vector import DictInfoToList
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

from ..errors import ConfigError


class SB3VecEnv(VecEnv):
    """View of a vector environment that resets finished rows in the same step, for stock SB3 algorithms.

    The info of a row that just finished describes its last step, with `terminal_observation`, `TimeLimit.truncated`
    (False where the simulation diverged: that observation has no value) and, where the environment tells `success`,
    `is_success`. Attributes and methods belong to the vector environment as a whole, so they are the same for every
    index.

    Raises:
        ConfigError: The environment does not use `AutoresetMode.SAME_STEP`.

    Example:
        >>> env = SB3VecEnv(gymnasium.make_vec("DexGrasp/KukaAllegro-State-v0", num_envs=64))  # doctest: +SKIP
        >>> stable_baselines3.PPO("MultiInputPolicy", env).learn(100_000)  # doctest: +SKIP
    """

    def __init__(self, env: VectorEnv) -> None:
        mode = env.metadata.get("autoreset_mode")
        if mode is not AutoresetMode.SAME_STEP:
            raise ConfigError(
                f"SB3 needs an environment that resets finished rows in the same step, this one has autoreset mode "
                f"{mode}; make it with autoreset_mode=AutoresetMode.SAME_STEP"
            )
        self.env = env
        self._listed = DictInfoToList(env)
        self._actions = np.empty(0)
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> VecEnvObs:
        """Reset every environment with the seed and options set before; they are used once."""
        options = self._options[0]
        if any(other != options for other in self._options):
            raise ConfigError("the environments of a batched simulator share their reset options; give one dictionary")
        obs, self.reset_infos = self._listed.reset(seed=self._seeds[0], options=options or None)
        self._reset_seeds()
        self._reset_options()
        return obs

    def step_async(self, actions: np.ndarray) -> None:
        """Hold `actions` [N, A] for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Observations, rewards float32 [N], dones bool [N], one info dictionary for each row."""
        obs, reward, terminated, truncated, rows = self._listed.step(self._actions)
        dones = terminated | truncated
        for i, row in enumerate(rows):
            row["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
            if dones[i]:
                self.reset_infos[i] = {key: value for key, value in row.items() if not key.startswith("final_")}
                row.update(row.pop("final_info"))
                row["terminal_observation"] = row.pop("final_obs")
                row["TimeLimit.truncated"] &= not row.get("diverged", False)
                if "success" in row:
                    row["is_success"] = bool(row["success"])
        return obs, np.asarray(reward, dtype=np.float32), dones, rows

    def close(self) -> None:
        """Close the vector environment."""
        self.env.close()

    def get_images(self) -> Sequence[np.ndarray | None]:
        """One rendered frame for each environment."""
        frames: Any = self.env.render()
        return [None] * self.num_envs if frames is None else list(frames)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute of the vector environment, once for each index."""
        return [getattr(self.env, attr_name)] * len(self._listed_indices(indices))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of the vector environment; it cannot differ between indices."""
        self._require_all(indices, f"attribute {attr_name!r}")
        setattr(self.env.unwrapped, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of the vector environment once; its result stands for every index."""
        self._require_all(indices, f"method {method_name!r}")
        return [getattr(self.env, method_name)(*method_args, **method_kwargs)] * self.num_envs

    def env_is_wrapped(self, wrapper_class: type[gymnasium.Wrapper], indices: VecEnvIndices = None) -> list[bool]:
        """Always False: there are no single environments inside that could be wrapped."""
        return [False] * len(self._listed_indices(indices))

    def _listed_indices(self, indices: VecEnvIndices) -> list[int]:
        chosen: Iterable[int] = self._get_indices(indices)
        return list(chosen)

    def _require_all(self, indices: VecEnvIndices, what: str) -> None:
        if sorted(self._listed_indices(indices)) != list(range(self.num_envs)):
            raise ConfigError(f"{what} belongs to the whole vector environment; leave out `indices`")
