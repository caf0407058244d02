"""A ring of recent steps for learning by imitation, in the dtypes of the observation space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor


@dataclass(frozen=True)
class Stretch:
    """L consecutive steps of B rows."""

    obs: dict[str, Tensor]
    """Observation group -> [L, B, ...]."""
    means: Tensor
    """What a teacher would have done, [L, B, A]."""
    starts: Tensor
    """Whether an episode begins, bool [L, B]."""
    state: Tensor
    """What the student remembered before the first of them, [B, S]."""


class RecentSamples:
    """The observations of the last T steps of N environments, with what a teacher would have done; images stay as is.

    Args:
        space: Observation space of one environment.
        groups: Observation groups to keep.
        action_size: Number of actions, A.
        state_size: Size of what the student remembers, S.
        steps: T.
        num_envs: N.
    """

    def __init__(
        self, space: spaces.Dict, groups: Sequence[str], action_size: int, state_size: int, steps: int, num_envs: int
    ) -> None:
        boxes = {group: space[group] for group in groups}
        self.obs = {
            group: torch.from_numpy(np.zeros((steps, num_envs, *box.shape), box.dtype))  # type: ignore[misc]
            for group, box in boxes.items()
        }
        self.means = torch.zeros(steps, num_envs, action_size)
        self.starts = torch.zeros(steps, num_envs, dtype=torch.bool)
        self.states = torch.zeros(steps, num_envs, state_size)
        self.stored = 0

    def __len__(self) -> int:
        """Steps held."""
        return min(self.stored, len(self.means))

    @property
    def nbytes(self) -> int:
        """Memory held when full, bytes."""
        flat = (self.means, self.starts, self.states)
        return sum(values.nbytes for values in (*flat, *self.obs.values()))

    def store(self, obs: Mapping[str, np.ndarray], means: Tensor, starts: Tensor, state: Tensor) -> None:
        """Copy observations [N, ...], means [N, A], starts [N] and states before them [N, S] over the oldest step."""
        step = self.stored % len(self.means)
        for group, values in self.obs.items():
            values[step].copy_(torch.as_tensor(obs[group]))
        self.means[step], self.starts[step], self.states[step] = means, starts, state
        self.stored += 1

    def draw(self, rows: int, length: int) -> Stretch:
        """`rows` random stretches of `length` steps, with replacement; shorter ones while fewer steps are held."""
        length = min(length, len(self))
        oldest = self.stored - len(self)
        first = oldest + torch.randint(len(self) - length + 1, (rows,))
        step = (first + torch.arange(length)[:, None]) % len(self.means)
        env = torch.randint(self.means.shape[1], (rows,)).expand(length, rows)
        return Stretch(
            {group: values[step, env] for group, values in self.obs.items()},
            self.means[step, env],
            self.starts[step, env],
            self.states[step[0], env[0]],
        )
