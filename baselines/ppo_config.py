"""Hyper-parameters of PPO."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any, Self

from dexgrasp_envs.errors import ConfigError

from .encoder import EncoderConfig, with_tuples


@dataclass(frozen=True)
class PPOConfig:
    """Settings that learned to grasp from state on two CPU cores; an object held near the goal earns about 1 per step.

    Raises:
        ConfigError: A value is out of range; the message names the field.
    """

    n_steps: int = 16
    """Steps of every environment in one rollout."""
    n_epochs: int = 4
    """Passes over a rollout in one update, fewer when the policy moves too far."""
    encoder_epochs: int = 1
    """Passes in which an encoder is trained too; in later ones the actor reads what it saw during the rollout."""
    minibatch: int = 2048
    """Samples in a gradient step."""
    gamma: float = 0.99
    """Discount per step (15 steps are one second)."""
    gae_lambda: float = 0.95
    """Decay of the advantage trace."""
    clip: float = 0.2
    """Half width of the clipping range of the probability ratio."""
    value_clip: float = 0.2
    """Largest change of a value estimate that the value loss rewards, in normalised returns."""
    value_weight: float = 0.5
    """Weight of the value loss."""
    entropy_weight: float = 0.002
    """Weight of the entropy bonus."""
    bound_weight: float = 0.005
    """Weight of the squared distance of action means beyond +-1, where clipping would hide a drift from the reward."""
    learning_rate: float = 5e-4
    """Step size of Adam, the initial one where the KL divergence of each update adapts it."""
    encoder_learning_rate: float = 2e-5
    """Step size of PPO for an encoder, never adapted; at ten times this, its noise made encoders forget the object."""
    adaptive_lr: bool = True
    """Whether the learning rate is steered to `target_kl`; actors that see learn with a fixed one."""
    learning_rate_range: tuple[float, float] = (1e-5, 1e-3)
    """Limits of the adapted learning rate."""
    target_kl: float = 0.016
    """KL divergence between old and new policy that the learning rate is steered to; at 2.5 times it, epochs end."""
    max_grad_norm: float = 1.0
    """Largest norm of the gradient over all parameters."""
    hidden: tuple[int, ...] = (256, 256)
    """Units of the hidden layers of actor and critic."""
    warm_up_rounds: int = 40
    """Resets whose images teach an encoder to see before PPO starts."""
    warm_up_steps: int = 1000
    """Gradient steps of that lesson."""
    sight_steps: int = 14
    """Gradient steps of the encoder's own training after each update."""
    sight_new_images: int = 1024
    """Images of each rollout that its memory takes in."""
    sight_fewest_images: int = 8192
    """The memory holds so many before it is learned from; fewer would be learned by heart."""
    sight_learning_rate: float = 1e-4
    """Step size of Adam in it; at 3e-4 the policy changed by a KL divergence of 0.036 an update by that alone."""
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    """Network over depth images."""
    log_std: float = -0.7
    """Initial log standard deviation of every action."""
    desynchronise: bool = True
    """Reset every environment once at a random time in the first episode, so that episodes do not end together."""

    def __post_init__(self) -> None:
        ranges: dict[str, tuple[float, float]] = {
            "n_steps": (1, inf),
            "n_epochs": (1, inf),
            "encoder_epochs": (1, inf),
            "minibatch": (2, inf),
        }
        ranges |= dict.fromkeys(
            ("warm_up_rounds", "warm_up_steps", "sight_steps", "sight_new_images", "sight_fewest_images"), (1, inf)
        )
        ranges |= dict.fromkeys(("gamma", "gae_lambda"), (0, 1))
        ranges |= dict.fromkeys(("value_weight", "entropy_weight", "bound_weight"), (0, inf))
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not (low <= value <= high and isfinite(value)):
                raise ConfigError(f"PPO's {name} must be within [{low:g}, {high:g}] and finite, got {value}")
        for name in (
            "clip",
            "value_clip",
            "encoder_learning_rate",
            "sight_learning_rate",
            "learning_rate",
            "target_kl",
            "max_grad_norm",
        ):
            value = getattr(self, name)
            if not 0 < value < inf:
                raise ConfigError(f"PPO's {name} must be positive and finite, got {value}")
        lowest, highest = self.learning_rate_range
        if not 0 < lowest <= highest < inf:
            raise ConfigError(f"PPO's learning_rate_range must be 0 < low <= high, got {self.learning_rate_range}")
        if not all(units >= 1 for units in self.hidden):
            raise ConfigError(f"PPO's hidden must list layers of at least 1 unit, got {self.hidden}")
        if not isfinite(self.log_std):
            raise ConfigError(f"PPO's log_std must be finite, got {self.log_std}")

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Self:
        """From what JSON makes of `asdict` of one; TypeError for an unknown field, ConfigError for a bad value."""
        settings = with_tuples(data)
        if "encoder" in settings:
            settings["encoder"] = EncoderConfig.from_plain(settings["encoder"])
        return cls(**settings)


DEPTH_PPO = PPOConfig(minibatch=1024, learning_rate=2e-4, adaptive_lr=False)
"""Where to start from with depth images: the divergence of a camera's actor misleads the adapted learning rate."""
