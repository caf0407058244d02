"""Success, lifted and lost."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import EpisodeConfig
from .geometry import HandObject, length


@dataclass(frozen=True)
class Outcome:
    """What holds at this instant."""

    goal_distance: Tensor
    """[N] from the object's centre to the goal, m."""
    success: Tensor
    """[N] bool: within the success radius of the goal."""
    lifted: Tensor
    """[N] bool: risen by more than the lift height above its lowest height in the episode."""
    lost: Tensor
    """[N] bool: outside the box in which the object can be grasped."""


def outcome(scene: HandObject, rest_height: Tensor, config: EpisodeConfig) -> Outcome:
    """The outcome of each row; rest_height [N] in m."""
    position = scene.object_pos
    low, high = position.new_tensor(config.lost_low), position.new_tensor(config.lost_high)
    goal_distance = length(position - position.new_tensor(config.goal))
    return Outcome(
        goal_distance=goal_distance,
        success=goal_distance < config.success_radius,
        lifted=position[:, 2] - rest_height > config.lift_height,
        lost=torch.logical_or(position < low, position > high).any(1),
    )
