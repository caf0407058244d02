"""The actor-critic: separate networks over named observation groups, flat ones and depth images."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log, pi, prod

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from torch import Tensor, nn

from dexgrasp_envs.errors import ConfigError

from .depth_encoder import DepthEncoder
from .encoder import POSITION_UNIT, EncoderConfig
from .normalizer import CLIP, RunningNormalizer
from .sight import Sight

Observation = Mapping[str, Tensor]


def default_groups(space: spaces.Dict, blind: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Groups of (actor, critic): proprio + depth, else + state; and proprio + privileged where there is one.

    A blind actor sees only `proprio`, which holds nothing about the object. A critic never sees images.
    """
    seen = () if blind else tuple(group for group in ("depth", "state") if group in space.spaces)[:1]
    critic = ("privileged",) if "privileged" in space.spaces else tuple(group for group in seen if group != "depth")
    return ("proprio", *seen), ("proprio", *critic)


class ActorCritic(BasePolicy):
    """Gaussian policy with a state-independent standard deviation, and a value function with its own inputs.

    `forward` is the mean action for a dictionary of the actor groups, which is what an export needs. The critic works
    in units of normalised returns; `values` gives reward units.

    An actor of depth images reads their embedding and where the encoder takes the object to be, from the palm. It
    learns from that position but does not bend it: the encoder's guess is trained on the truth alone.

    Args:
        observation_space: Of one environment, with at least the groups named next.
        action_space: Of one environment.
        actor_groups: Flat groups, `depth` or both; `depth` takes `proprio` beside it.
        critic_groups: Flat groups.
        hidden: Units of the hidden layers of both networks.
        log_std: Initial log standard deviation of every action.
        sight: Of the environment, for an actor of `depth`.
        encoder: Architecture of the network over images.

    Raises:
        ConfigError: A group is missing, an image where flat groups are read, or images come without what they take.
    """

    observation_space: spaces.Dict
    action_space: spaces.Box
    stretch = 1
    """Steps over which gradients flow back: there is no memory."""

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Box,
        actor_groups: Sequence[str],
        critic_groups: Sequence[str],
        hidden: Sequence[int] = (256, 256),
        log_std: float = -0.7,
        sight: Sight | None = None,
        encoder: EncoderConfig | None = None,
    ) -> None:
        super().__init__(observation_space, action_space)
        self.actor_groups = tuple(actor_groups)
        self.critic_groups = tuple(critic_groups)
        self.hidden = tuple(hidden)
        self.sight = sight
        self.encoder: DepthEncoder | None = None
        self.seen_size = 0
        if "depth" in self.actor_groups:
            encoder = encoder or EncoderConfig()
            self.encoder = _encoder(observation_space, self.actor_groups, sight, encoder)
            self.seen_size = encoder.embedding + 3
        self.flat_actor_groups = tuple(group for group in self.actor_groups if group != "depth")
        flat = dict.fromkeys(self.flat_actor_groups + self.critic_groups)
        widths = {group: flat_width(observation_space, group) for group in flat}
        actions = prod(action_space.shape)
        self.normalizers = nn.ModuleDict({group: RunningNormalizer(width) for group, width in widths.items()})
        self.return_normalizer = RunningNormalizer(1)
        inputs = sum(widths[g] for g in self.flat_actor_groups) + self.seen_size
        self.actor = mlp(inputs, self.hidden, actions, last_gain=0.01)
        self.critic = mlp(sum(widths[g] for g in self.critic_groups), self.hidden, 1, last_gain=1.0)
        self.log_std = nn.Parameter(torch.full((actions,), log_std))

    @property
    def state_size(self) -> int:
        """Size of what is remembered of a row: nothing."""
        return 0

    @property
    def groups(self) -> tuple[str, ...]:
        """Every observation group that the actor or the critic reads."""
        return tuple(dict.fromkeys(self.actor_groups + self.critic_groups))

    def parts(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Parameters of actor and critic, and those of the encoder."""
        encoder = [] if self.encoder is None else list(self.encoder.parameters())
        known = set(encoder)
        return [parameter for parameter in self.parameters() if parameter not in known], encoder

    @property
    def taught(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """What imitation trains: parameters of the actor, and those of the encoder."""
        return list(self.actor.parameters()), self.parts()[1]

    def forward(self, obs: Observation) -> Tensor:
        """Mean action [N, A], not clipped."""
        return self.act_and_locate(obs)[0]

    def see(self, obs: Observation) -> Tensor | None:
        """What the encoder makes of images: embedding and predicted position side by side [N, E + 3]; None without."""
        return None if self.encoder is None else torch.cat(self.encoder(obs["depth"], obs["proprio"]), dim=-1)

    def act_and_locate(self, obs: Observation, seen: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Mean action [N, A], and the object's position [N, 3] that the encoder predicts (world, m; None without).

        With `seen`, what `see` told of these observations, images are not looked at again.
        """
        inputs = [self.normalizers[g](obs[g]) for g in self.flat_actor_groups]
        seen = self.see(obs) if seen is None else seen
        position = None
        if seen is not None:
            assert self.sight is not None
            embedding, position = seen[:, :-3], seen[:, -3:]
            from_palm = (position.detach() - self.sight.palm_position(obs["proprio"])) / POSITION_UNIT
            inputs += [embedding, from_palm.clamp(-CLIP, CLIP)]
        return self.actor(torch.cat(inputs, dim=-1)), position

    def unroll(self, obs: Observation, state: Tensor, starts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Act through L steps of B rows as if each were alone, for an actor of `depth`; see `StereoStudent.unroll`."""
        mean, position = self.act_and_locate({group: obs[group].flatten(0, 1) for group in self.actor_groups})
        assert position is not None
        return mean.unflatten(0, starts.shape), position.unflatten(0, starts.shape), state

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
        """Merge observations [..., size] into the running statistics of their groups; images have none."""
        for group, normalizer in self.normalizers.items():
            normalizer.merge(obs[group])  # type: ignore[operator]

    @torch.inference_mode()
    def predict(  # type: ignore[override]
        self,
        observation: Mapping[str, np.ndarray],
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, None]:
        """Actions [N, A] within the action space for observation groups [N, ...]; there is no memory."""
        obs = {group: torch.as_tensor(observation[group], device=self.device) for group in self.actor_groups}
        actions = self._predict(obs, deterministic)
        return np.clip(actions.cpu().numpy(), self.action_space.low, self.action_space.high), None

    def _predict(self, observation: Observation, deterministic: bool = False) -> Tensor:  # type: ignore[override]
        mean = self(observation)
        return mean if deterministic else mean + torch.exp(self.log_std) * torch.randn_like(mean)


def _encoder(
    space: spaces.Dict, actor_groups: tuple[str, ...], sight: Sight | None, config: EncoderConfig
) -> DepthEncoder:
    if "depth" not in space.spaces:
        raise ConfigError(f"there is no observation group 'depth'; this environment has {', '.join(space.spaces)}")
    if sight is None or "proprio" not in actor_groups:
        raise ConfigError("an actor of depth images takes the environment's `Sight` and the group `proprio` beside it")
    return DepthEncoder(sight.camera, flat_width(space, "proprio"), config)


def flat_width(space: spaces.Dict, group: str) -> int:
    """Size of a flat observation group; ConfigError if it is missing or not flat."""
    box = space.spaces.get(group)
    if box is None:
        raise ConfigError(f"there is no observation group {group!r}; this environment has {', '.join(space.spaces)}")
    if not isinstance(box, spaces.Box) or len(box.shape) != 1:
        raise ConfigError(f"group {group!r} is {box}; this policy reads flat groups, choose others")
    return box.shape[0]


def mlp(inputs: int, hidden: Sequence[int], outputs: int, last_gain: float) -> nn.Sequential:
    """Linear layers with ELU between them, orthogonal weights (gain sqrt 2, `last_gain` at the end), zero biases."""
    sizes = [inputs, *hidden, outputs]
    layers: list[nn.Module] = []
    for i, (size, following) in enumerate(pairwise(sizes)):
        linear = nn.Linear(size, following)
        nn.init.orthogonal_(linear.weight, last_gain if i == len(hidden) else 2**0.5)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ELU()]
    return nn.Sequential(*layers[:-1])
