"""Running statistics of the episodes in a vector environment."""

from collections.abc import Mapping
from typing import Any

import numpy as np


class EpisodeTracker:
    """Follows every environment's episode and tells the outcome of those that finish.

    `success_share` of an episode is the share of steps in the second half of the *full* episode length at which the
    object was at the goal: an episode that ends early because the object was lost counts as failing for the rest.

    Args:
        num_envs: N.
        max_steps: Full episode length, steps.
    """

    def __init__(self, num_envs: int, max_steps: int) -> None:
        self.half = max_steps // 2
        self.second_half = max_steps - self.half
        self.arrays: dict[str, np.ndarray] = {
            "length": np.zeros(num_envs, dtype=np.int64),
            "return": np.zeros(num_envs),
            "late_successes": np.zeros(num_envs, dtype=np.int64),
            "success_once": np.zeros(num_envs, dtype=bool),
            "lifted": np.zeros(num_envs, dtype=bool),
        }

    def step(
        self, reward: np.ndarray, infos: Mapping[str, Any], final_rows: Any, rows: slice = slice(None)
    ) -> dict[str, np.ndarray]:
        """Take in one step of all environments, or of some.

        Args:
            reward: [N], or of the rows that were stepped, as all that follows.
            infos: Infos of the step; those of finished rows already describe the next episode.
            final_rows: The rows of finished episodes, with `index` [K], counted from the first of `rows`, and `info`
                name -> [K].
            rows: Which were stepped.

        Returns:
            For the K finished episodes: `success_at_end`, `success_once`, `lifted` (at any time) bool, `success_share`,
            `return` float64, `length` int64.
        """
        now = {name: np.array(infos[name]) for name in ("success", "lifted")}
        if len(final_rows.index):
            for name, values in now.items():
                values[final_rows.index] = final_rows.info[name]
        arrays = {name: values[rows] for name, values in self.arrays.items()}
        arrays["length"] += 1
        arrays["return"] += reward
        arrays["late_successes"] += now["success"] & (arrays["length"] > self.half)
        arrays["success_once"] |= now["success"]
        arrays["lifted"] |= now["lifted"]

        finished = {name: values[final_rows.index] for name, values in arrays.items()}
        finished["success_share"] = finished.pop("late_successes") / self.second_half
        finished["success_at_end"] = now["success"][final_rows.index]
        for values in arrays.values():
            values[final_rows.index] = 0
        return finished

    def forget(self, rows: np.ndarray) -> None:
        """Start afresh at the rows given by index or mask."""
        for values in self.arrays.values():
            values[rows] = 0
