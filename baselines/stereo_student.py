"""A student that sees in stereo and remembers: encoder, gated recurrent unit, actor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from .encoder import POSITION_UNIT, EncoderConfig, with_tuples
from .normalizer import CLIP, RunningNormalizer
from .policy import Observation, flat_width, mlp
from .sight import Sight
from .stereo_encoder import StereoEncoder

Memory = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class StereoStudentConfig:
    """Architecture of a `StereoStudent`."""

    hidden: tuple[int, ...] = (256, 256)
    """Units of the actor's hidden layers."""
    core: int = 256
    """Units of the recurrent core."""
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    """Network over images."""

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Self:
        """From what JSON makes of `asdict` of one; TypeError for an unknown field, ConfigError for a bad value."""
        return cls(**with_tuples(data) | {"encoder": EncoderConfig.from_plain(data["encoder"])})


class StereoStudent(nn.Module):
    """Acts from a stereo pair and proprioception; a recurrent core remembers what a hand has come to hide.

    The core corrects the encoder's guess of where the object is.

    Args:
        observation_space: Of one environment, with `proprio`, `left` and `right`.
        action_space: Of one environment.
        sight: Of the environment.
        config: Architecture.
    """

    actor_groups = ("proprio", "left", "right")
    critic_groups = ()
    stretch = 16
    """Steps over which gradients flow back; one second."""

    def __init__(
        self, observation_space: spaces.Dict, action_space: spaces.Box, sight: Sight, config: StereoStudentConfig
    ) -> None:
        super().__init__()
        self.sight, self.config = sight, config
        self.low, self.high = action_space.low, action_space.high
        proprio, actions = flat_width(observation_space, "proprio"), action_space.shape[0]
        self.encoder = StereoEncoder(sight.camera, proprio, config.encoder)
        self.normalizer = RunningNormalizer(proprio)
        self.core = nn.GRUCell(config.encoder.embedding + 3 + proprio, config.core)
        self.correct = nn.Linear(config.core, 3)
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)
        self.actor = mlp(config.core + 3 + proprio, config.hidden, actions, last_gain=0.01)
        self.log_std = nn.Parameter(torch.zeros(actions), requires_grad=False)

    @property
    def groups(self) -> tuple[str, ...]:
        """Every observation group that is read."""
        return self.actor_groups

    @property
    def state_size(self) -> int:
        """Size of what is remembered of a row."""
        return self.config.core

    @property
    def taught(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """What imitation trains: parameters of core and actor, and those of the encoder."""
        rest = [*self.core.parameters(), *self.correct.parameters(), *self.actor.parameters()]
        return rest, list(self.encoder.parameters())

    def unroll(self, obs: Observation, state: Tensor, starts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Act through L steps of B rows.

        Args:
            obs: Observation group -> [L, B, ...].
            state: What is remembered before the first step, [B, S].
            starts: Whether an episode begins with a step, bool [L, B].

        Returns:
            Mean actions [L, B, A], not clipped; where the object is taken to be [L, B, 3], world frame, m; the state
            after the last step.
        """
        steps, rows = starts.shape
        seen = (obs[group].flatten(0, 1) for group in self.encoder.groups)
        embedding, position = (values.unflatten(0, (steps, rows)) for values in self.encoder(*seen))
        palm, body = self.sight.palm_position(obs["proprio"]), self.normalizer(obs["proprio"])
        inputs = torch.cat([embedding, _from_palm(position, palm), body], dim=-1)
        states = []
        for step in range(steps):
            state = self.core(inputs[step], state * ~starts[step, :, None])
            states.append(state)
        memory = torch.stack(states)
        position = position + POSITION_UNIT * self.correct(memory)
        mean = self.actor(torch.cat([memory, _from_palm(position, palm), body], dim=-1))
        return mean, position, state

    @torch.inference_mode()
    def predict(
        self,
        observation: Mapping[str, np.ndarray],
        state: Memory | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, Memory]:
        """Actions [N, A] within the action space for observation groups [N, ...], and what is remembered."""
        obs = {group: torch.as_tensor(observation[group])[None] for group in self.actor_groups}
        rows = obs["proprio"].shape[1]
        before = torch.zeros(rows, self.state_size) if state is None else torch.as_tensor(state[0])
        starts = np.zeros(rows, dtype=bool) if episode_start is None else episode_start
        mean, _, after = self.unroll(obs, before, torch.as_tensor(starts)[None])
        actions = mean[0] if deterministic else mean[0] + self.log_std.exp() * torch.randn_like(mean[0])
        return np.clip(actions.numpy(), self.low, self.high), (after.numpy(),)


def _from_palm(position: Tensor, palm: Tensor) -> Tensor:
    """What the networks read of a position: relative to the palm, scaled; they do not bend it."""
    return ((position.detach() - palm) / POSITION_UNIT).clamp(-CLIP, CLIP)
