"""The reward: named terms, each [N] float32, whose scaled sum the learner sees."""

import torch
from torch import Tensor

from ..config import EpisodeConfig, RewardConfig
from .geometry import HandObject, length
from .outcome import Outcome

REWARD_TERMS = ("reach", "contact", "goal", "lift", "success", "curl")
"""Names of the terms."""


def reward_terms(
    scene: HandObject,
    now: Outcome,
    rest_height: Tensor,
    finger_contacts: Tensor,
    hand_pos: Tensor,
    hand_nominal: Tensor,
    config: RewardConfig,
    episode: EpisodeConfig,
) -> dict[str, Tensor]:
    """All terms, weighted and scaled.

    rest_height [N] m; finger_contacts [N, F] counts, the thumb last; hand_pos [N, 16] and hand_nominal [16] rad.
    `goal` and `lift` are measured against the same object at rest where it stands, so that an object which is pushed or
    left alone earns exactly nothing from them: a constant there teaches the policy not to touch.
    """
    goal = scene.object_pos.new_tensor(episode.goal)
    farthest = length(scene.points - scene.object_pos[:, None]).amax(1)
    touching = finger_contacts > 0
    thumb, finger = touching[:, -1], touching[:, :-1].any(1)
    grade = 0.5 * (thumb & finger) + 0.25 * thumb + 0.25 * finger
    at_rest = torch.cat([scene.object_pos[:, :2], rest_height[:, None]], 1)
    rest_distance = length(at_rest - goal)
    sharpness = config.goal_sharpness
    nearness = torch.exp(-sharpness * now.goal_distance) - torch.exp(-sharpness * rest_distance)
    progress = 1.0 - now.goal_distance / rest_distance.clamp_min(episode.success_radius)
    posture = hand_pos - hand_nominal
    terms = {
        "reach": config.reach * torch.exp(-config.reach_sharpness * farthest),
        "contact": config.contact * grade,
        "goal": config.goal * nearness,
        "lift": config.lift * torch.clamp(progress, 0.0, 1.0),
        "success": config.success * now.success,
        "curl": config.curl * (posture * posture).sum(1),
    }
    return {name: config.scale * terms[name] for name in REWARD_TERMS}
