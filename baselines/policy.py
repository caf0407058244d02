"""The actor-critic: separate networks over named observation groups."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log, pi, prod

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from torch import Tensor, nn

from dexgrasp_envs.errors import ConfigError

from .normalizer import RunningNormalizer

Observation = Mapping[str, Tensor]


def default_groups(space: spaces.Dict, blind: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Groups of (actor, critic): proprio + state, and proprio + privileged where there is one.

    A blind actor sees only `proprio`, which holds nothing about the object.
    """
    actor = ("proprio",) if blind else tuple(g for g in ("proprio", "state") if g in space.spaces)
    critic = ("proprio", "privileged") if "privileged" in space.spaces else actor
    return actor, critic


class ActorCritic(BasePolicy):
    """Gaussian policy with a state-independent standard deviation, and a value function with its own inputs.

    `forward` is the mean action for a dictionary of the actor groups, which is what an export needs. The critic works
    in units of normalised returns; `values` gives reward units.
    """

    observation_space: spaces.Dict
    action_space: spaces.Box

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Box,
        actor_groups: Sequence[str],
        critic_groups: Sequence[str],
        hidden: Sequence[int] = (256, 256),
        log_std: float = -0.7,
    ) -> None:
        super().__init__(observation_space, action_space)
        self.actor_groups = tuple(actor_groups)
        self.critic_groups = tuple(critic_groups)
        self.hidden = tuple(hidden)
        widths = {group: _width(observation_space, group) for group in self.groups}
        actions = prod(action_space.shape)
        self.normalizers = nn.ModuleDict({group: RunningNormalizer(width) for group, width in widths.items()})
        self.return_normalizer = RunningNormalizer(1)
        self.actor = _mlp(sum(widths[g] for g in self.actor_groups), self.hidden, actions, last_gain=0.01)
        self.critic = _mlp(sum(widths[g] for g in self.critic_groups), self.hidden, 1, last_gain=1.0)
        self.log_std = nn.Parameter(torch.full((actions,), log_std))

    @property
    def groups(self) -> tuple[str, ...]:
        """Every observation group that the actor or the critic reads."""
        return tuple(dict.fromkeys(self.actor_groups + self.critic_groups))

    def forward(self, obs: Observation) -> Tensor:
        """Mean action [N, A], not clipped."""
        return self.actor(torch.cat([self.normalizers[g](obs[g]) for g in self.actor_groups], dim=-1))

    def normalized_values(self, obs: Observation) -> Tensor:
        """Value estimates [N] in units of the normalised return."""
        return self.critic(torch.cat([self.normalizers[g](obs[g]) for g in self.critic_groups], dim=-1)).squeeze(-1)

    def values(self, obs: Observation) -> Tensor:
        """Value estimates [N] in reward units."""
        return self.return_normalizer.denormalize(self.normalized_values(obs))

    def log_prob(self, mean: Tensor, actions: Tensor) -> Tensor:
        """Log density [N] of actions [N, A] under Gaussians at mean [N, A]."""
        scaled = (actions - mean) * torch.exp(-self.log_std)
        return -0.5 * scaled.square().sum(-1) - self.log_std.sum() - 0.5 * log(2 * pi) * mean.shape[-1]

    def entropy(self) -> Tensor:
        """Differential entropy of the action distribution, the same for every observation."""
        return (self.log_std + 0.5 * log(2 * pi * np.e)).sum()

    def merge_statistics(self, obs: Observation) -> None:
        """Merge observations [..., size] into the running statistics of their groups."""
        for group, normalizer in self.normalizers.items():
            normalizer.merge(obs[group])  # type: ignore[operator]

    @torch.inference_mode()
    def act(self, obs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Mean action [N, A] within the action space for a batch of observations: what an evaluation uses."""
        mean = self({group: torch.as_tensor(obs[group], device=self.device) for group in self.actor_groups})
        return np.clip(mean.cpu().numpy(), self.action_space.low, self.action_space.high)

    def _predict(self, observation: Observation, deterministic: bool = False) -> Tensor:  # type: ignore[override]
        mean = self(observation)
        return mean if deterministic else mean + torch.exp(self.log_std) * torch.randn_like(mean)


def _width(space: spaces.Dict, group: str) -> int:
    box = space.spaces.get(group)
    if box is None:
        raise ConfigError(f"there is no observation group {group!r}; this environment has {', '.join(space.spaces)}")
    if not isinstance(box, spaces.Box) or len(box.shape) != 1:
        raise ConfigError(f"group {group!r} is {box}; this policy reads flat groups, choose others")
    return box.shape[0]


def _mlp(inputs: int, hidden: Sequence[int], outputs: int, last_gain: float) -> nn.Sequential:
    """Linear layers with ELU between them, orthogonal weights (gain sqrt 2, `last_gain` at the end), zero biases."""
    sizes = [inputs, *hidden, outputs]
    layers: list[nn.Module] = []
    for i, (size, following) in enumerate(pairwise(sizes)):
        linear = nn.Linear(size, following)
        nn.init.orthogonal_(linear.weight, last_gain if i == len(hidden) else 2**0.5)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ELU()]
    return nn.Sequential(*layers[:-1])
