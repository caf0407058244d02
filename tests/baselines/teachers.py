"""A policy that knows how to drive the point to its goal, for tests of who learns from it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import gymnasium
import torch

from baselines import checkpoint
from baselines.policy import ActorCritic
from baselines.ppo_config import PPOConfig
from dexgrasp_envs.config import EnvConfig
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_TABLE_ID

HIDDEN = (8,)
ACTOR, CRITIC = ("proprio", "state"), ("proprio", "privileged")


def make_teacher() -> ActorCritic:
    """Acts 4 (goal - position); its critic and running statistics are not those of a new policy."""
    torch.manual_seed(5)
    env = gymnasium.make_vec(FAKE_TABLE_ID, num_envs=1, config=FAKE_CONFIG)
    policy = ActorCritic(env.single_observation_space, env.single_action_space, ACTOR, CRITIC, HIDDEN, log_std=-1.5)
    first, _, last = policy.actor
    with torch.no_grad():
        for layer in (first, last):
            layer.weight.zero_()
            layer.bias.zero_()
        for axis in range(2):
            first.weight[axis, axis], first.weight[axis, 7 + axis] = -1.0, 1.0
            last.weight[axis, axis] = 4.0
        first.bias += 50  # so far from zero an ELU is the identity
        last.bias -= 200
    for normalizer in policy.normalizers.values():
        normalizer.count += 1000
    policy.return_normalizer.merge(torch.linspace(5, 25, 100))
    return policy


def write_teacher(path: Path, config: EnvConfig = FAKE_CONFIG, **changes: Any) -> Path:
    """A checkpoint of that teacher, trained in `config`, with other metadata on request."""
    env = gymnasium.make_vec(FAKE_TABLE_ID, num_envs=1, config=config)
    meta = {
        **checkpoint.describe_env(env, ["proprio", "state", "privileged"]),
        "actor_groups": list(ACTOR),
        "critic_groups": list(CRITIC),
        "ppo": asdict(PPOConfig(hidden=HIDDEN)),
        "seed": 3,
        "steps": 1000,
        "iterations": 10,
        "seconds": 60.0,
        "kind": "policy",
    }
    checkpoint.write(path, checkpoint.CheckpointMeta(**(meta | changes)), {"policy": make_teacher().state_dict()})
    return path
