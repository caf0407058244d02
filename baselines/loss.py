"""The loss of PPO on a minibatch."""

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from .encoder import POSITION_UNIT
from .policy import ActorCritic
from .ppo_config import PPOConfig
from .rollout_buffer import Minibatch
from .sight import Sight


def ppo_loss(
    policy: ActorCritic, batch: Minibatch, config: PPOConfig, old_log_std: Tensor, look: bool = True
) -> tuple[Tensor, dict[str, Tensor]]:
    """Clipped surrogate, clipped value loss, entropy bonus (Schulman et al. 2017) and bound penalty.

    The value clip is around what the critic put out during the rollout, in normalised units: when the running
    statistics of the returns grow, all values grow with them and the critic need not climb there 0.2 at a time.

    Args:
        policy: Networks to differentiate.
        batch: Samples of the rollout, with normalised advantages.
        config: Weights and clip ranges.
        old_log_std: Log standard deviations of the policy that sampled the batch, [A].
        look: Whether the encoder looks at the images; else the actor reads what it saw in them during the rollout.

    Returns:
        The loss, and named scalars to log; `position_error` in cm.
    """
    mean, position = policy.act_and_locate(batch.obs, None if look else batch.seen)
    ratio = torch.exp(policy.log_prob(mean, batch.actions) - batch.log_probs)
    clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
    policy_loss = -torch.min(batch.advantages * ratio, batch.advantages * clipped).mean()

    returns = policy.return_normalizer(batch.returns)
    values = policy.normalized_values(batch.obs)
    near = batch.critic_outputs + (values - batch.critic_outputs).clamp(-config.value_clip, config.value_clip)
    value_loss = torch.max((values - returns).square(), (near - returns).square()).mean()

    bound_loss = (mean.abs() - 1).clamp(min=0).square().sum(-1).mean()
    loss = (
        policy_loss
        + config.value_weight * value_loss
        - config.entropy_weight * policy.entropy()
        + config.bound_weight * bound_loss
    )
    measures = {
        "policy_loss": policy_loss,
        "value_loss": value_loss,
        "bound_loss": bound_loss,
        "clip_share": (ratio != clipped).float().mean(),
        "kl": gaussian_kl(batch.means, old_log_std, mean.detach(), policy.log_std.detach()),
    }
    if position is not None and policy.sight is not None:
        measures["position_error"] = locating_loss(policy.sight, position, batch.obs["privileged"])[1]
    return loss, measures


def locating_loss(sight: Sight, position: Tensor, privileged: Tensor) -> tuple[Tensor, Tensor]:
    """Smooth L1 loss of predicted object positions [B, 3], and their mean error in cm.

    In units of 0.1 m, quadratic within half of that; `privileged` [B, size] knows the truth.
    """
    error = position - sight.object_position(privileged)
    loss = smooth_l1_loss(error / POSITION_UNIT, torch.zeros_like(error), beta=0.5)
    return loss, 100 * error.detach().norm(dim=-1).mean()


def gaussian_kl(old_mean: Tensor, old_log_std: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Mean KL(old || new) of diagonal Gaussians with means [B, A] and log standard deviations [A]."""
    spread = (2 * (old_log_std - log_std)).exp() + ((old_mean - mean) * torch.exp(-log_std)).square()
    return (log_std - old_log_std + 0.5 * (spread - 1)).sum(-1).mean()
