"""The last observations and infos of the environments that a step finished, compactly."""

from dataclasses import dataclass
from typing import Any, Self

import gymnasium
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class FinalRows:
    """K finished rows of a batch; what Gymnasium spreads over N entries of `final_obs` and `final_info`."""

    index: npt.NDArray[np.int64]
    """[K] rows of the batch, ascending."""
    obs: dict[str, npt.NDArray[np.generic]]
    """Observation groups, [K, ...] each."""
    info: dict[str, npt.NDArray[np.generic]]
    """Infos, [K] each."""

    @classmethod
    def none(cls, space: gymnasium.spaces.Dict) -> Self:
        """No rows of a single-environment observation space."""
        obs = {name: np.zeros((0, *box.shape), box.dtype) for name, box in space.items() if box.shape is not None}
        return cls(np.zeros(0, np.int64), obs, {})

    def as_infos(self, num_envs: int) -> dict[str, Any]:
        """`final_obs` (object array of dicts of views) and `final_info`, as Gymnasium's vector environments give."""
        mask = np.zeros(num_envs, bool)
        mask[self.index] = True
        final_obs = np.full(num_envs, None, dtype=object)
        for k, row in enumerate(self.index):
            final_obs[row] = {name: values[k] for name, values in self.obs.items()}
        final_info: dict[str, Any] = {}
        for name, values in self.info.items():
            spread = np.zeros((num_envs, *values.shape[1:]), values.dtype)
            spread[self.index] = values
            final_info[name], final_info[f"_{name}"] = spread, mask.copy()
        return {"final_obs": final_obs, "_final_obs": mask, "final_info": final_info, "_final_info": mask.copy()}
