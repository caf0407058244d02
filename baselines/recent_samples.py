"""A ring of recent samples for learning by imitation, in the dtypes of the observation space."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor


class RecentSamples:
    """The observations of the last T steps of N environments, with what a teacher would have done; images stay uint16.

    Args:
        space: Observation space of one environment.
        groups: Observation groups to keep.
        action_size: Number of actions, A.
        steps: T.
        num_envs: N.
    """

    def __init__(self, space: spaces.Dict, groups: Sequence[str], action_size: int, steps: int, num_envs: int) -> None:
        boxes = {group: space[group] for group in groups}
        self.obs = {
            group: torch.from_numpy(np.zeros((steps, num_envs, *box.shape), box.dtype))  # type: ignore[misc]
            for group, box in boxes.items()
        }
        self.means = torch.zeros(steps, num_envs, action_size)
        self.stored = 0

    def __len__(self) -> int:
        """Samples held."""
        steps, num_envs = self.means.shape[:2]
        return min(self.stored, steps) * num_envs

    @property
    def nbytes(self) -> int:
        """Memory held when full, bytes."""
        return self.means.nbytes + sum(values.nbytes for values in self.obs.values())

    def store(self, obs: Mapping[str, np.ndarray], means: Tensor) -> None:
        """Copy observations [N, ...] and the teacher's means [N, A] over the oldest step."""
        step = self.stored % len(self.means)
        for group, values in self.obs.items():
            values[step].copy_(torch.as_tensor(obs[group]))
        self.means[step] = means
        self.stored += 1

    def draw(self, size: int) -> tuple[dict[str, Tensor], Tensor]:
        """Observations {group: [size, ...]} and means [size, A] of random samples, with replacement."""
        index = torch.randint(len(self), (size,))
        obs = {group: values.flatten(0, 1)[index] for group, values in self.obs.items()}
        return obs, self.means.flatten(0, 1)[index]
