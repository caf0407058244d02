"""Storage of one rollout, in the dtypes of the observation space."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor


@dataclass(frozen=True)
class Minibatch:
    """Samples of a rollout in random order."""

    obs: dict[str, Tensor]
    """Observation group -> [B, ...], in the dtype of its space."""
    seen: Tensor | None
    """What the encoder made of the images at sampling time, [B, E + 3]; None without one."""
    actions: Tensor
    """Sampled actions before clipping, [B, A]."""
    means: Tensor
    """Action means at sampling time, [B, A]."""
    log_probs: Tensor
    """Log densities at sampling time, [B]."""
    critic_outputs: Tensor
    """Value estimates at sampling time in the normalised returns of then, [B]."""
    returns: Tensor
    """GAE returns in reward units, [B]."""
    advantages: Tensor
    """Advantages, [B]."""


class RolloutBuffer:
    """T steps of N environments as [T, N, ...] tensors; images stay uint8 / uint16, minibatches gather by index.

    Args:
        space: Observation space of one environment.
        groups: Observation groups to keep; others are never stored.
        action_size: Number of actions, A.
        steps: T.
        num_envs: N.
        seen_size: Numbers that an encoder makes of an image; 0 without one.
    """

    def __init__(
        self,
        space: spaces.Dict,
        groups: Sequence[str],
        action_size: int,
        steps: int,
        num_envs: int,
        seen_size: int = 0,
    ) -> None:
        self.steps = steps
        self.num_envs = num_envs
        self.obs = {group: _empty(steps, num_envs, space[group]) for group in groups}
        self.seen = torch.zeros(steps, num_envs, seen_size) if seen_size else None
        self.actions = torch.zeros(steps, num_envs, action_size)
        self.means = torch.zeros(steps, num_envs, action_size)
        self.log_probs = torch.zeros(steps, num_envs)
        self.rewards = torch.zeros(steps, num_envs)
        self.critic_outputs = torch.zeros(steps, num_envs)
        self.values = torch.zeros(steps, num_envs)
        self.returns = torch.zeros(steps, num_envs)
        self.advantages = torch.zeros(steps, num_envs)
        self.dones = torch.zeros(steps, num_envs, dtype=torch.bool)
        self.used = torch.ones(steps, num_envs, dtype=torch.bool)
        """Which samples are learned from; not those of rows whose server was lost."""

    @property
    def nbytes(self) -> int:
        """Memory held, bytes."""
        return sum(t.nbytes for t in (*self.obs.values(), *(v for v in vars(self).values() if isinstance(v, Tensor))))

    def store_obs(self, step: int, obs: Mapping[str, np.ndarray], rows: slice = slice(None)) -> dict[str, Tensor]:
        """Copy the observations of all environments, or of some rows, to `step`, and return them there as tensors."""
        for group, stored in self.obs.items():
            stored[step, rows].copy_(torch.as_tensor(obs[group]))
        return {group: stored[step, rows] for group, stored in self.obs.items()}

    def learned(self, values: Tensor) -> Tensor:
        """Of values [T, N] those of the samples that are used; as they are if all are."""
        return values if bool(self.used.all()) else values[self.used]

    def flat_obs(self) -> dict[str, Tensor]:
        """Observations as views [T * N, ...]."""
        return {group: stored.flatten(0, 1) for group, stored in self.obs.items()}

    def compute_advantages(self, last_values: Tensor, gamma: float, gae_lambda: float) -> None:
        """Generalised advantage estimation (Schulman et al. 2016) from `rewards`, `values`, `dones`.

        The rewards of truncated rows already hold gamma V(final observation); nothing crosses a row with `dones` set.

        Args:
            last_values: Values of the observations after the last step, [N], reward units.
            gamma: Discount per step.
            gae_lambda: Trace decay.
        """
        advantage = torch.zeros(self.num_envs)
        next_values = last_values
        for step in reversed(range(self.steps)):
            alive = (~self.dones[step]).float()
            delta = self.rewards[step] + gamma * alive * next_values - self.values[step]
            advantage = delta + gamma * gae_lambda * alive * advantage
            self.advantages[step] = advantage
            next_values = self.values[step]
        torch.add(self.advantages, self.values, out=self.returns)

    def minibatches(self, size: int) -> Iterator[Minibatch]:
        """One random pass over all samples that are used, in minibatches of `size`; only these rows are copied."""
        used = self.used.flatten().nonzero().squeeze(1)
        obs = self.flat_obs()
        for index in used[torch.randperm(len(used))].split(size):
            yield Minibatch(
                obs={group: values[index] for group, values in obs.items()},
                seen=None if self.seen is None else self.seen.flatten(0, 1)[index],
                actions=self.actions.flatten(0, 1)[index],
                means=self.means.flatten(0, 1)[index],
                log_probs=self.log_probs.flatten()[index],
                critic_outputs=self.critic_outputs.flatten()[index],
                returns=self.returns.flatten()[index],
                advantages=self.advantages.flatten()[index],
            )


def _empty(steps: int, num_envs: int, box: spaces.Space[Any]) -> Tensor:
    assert isinstance(box, spaces.Box)
    sample = torch.from_numpy(np.zeros(1, dtype=box.dtype))
    return torch.zeros(steps * num_envs * prod(box.shape), dtype=sample.dtype).view(steps, num_envs, *box.shape)
