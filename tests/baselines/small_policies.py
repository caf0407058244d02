"""Checkpoints of small policies of the fake environments that have learned nothing."""

import dataclasses
from pathlib import Path
from typing import Any

from baselines import checkpoint
from baselines.ppo import PPO
from baselines.ppo_config import PPOConfig
from tests.baselines.fake_env import (
    FAKE_CONFIG,
    FAKE_DEPTH_CONFIG,
    FAKE_DEPTH_ID,
    FAKE_ID,
    SMALL_DEPTH_PPO,
    FakeVectorEnv,
)


def save_policy(path: Path, sees: bool = False, **changes: Any) -> Path:
    """Write one that sees or one that is told, with these fields of its metadata."""
    if sees:
        learner = PPO(FakeVectorEnv(4, FAKE_DEPTH_CONFIG, id_groups=("depth",)), SMALL_DEPTH_PPO)
    else:
        learner = PPO(FakeVectorEnv(4, FAKE_CONFIG), PPOConfig(n_steps=4, minibatch=8, hidden=(16,)))
    meta = dataclasses.replace(learner._meta("policy", None), env_id=FAKE_DEPTH_ID if sees else FAKE_ID, **changes)
    checkpoint.write(path, meta, {"policy": learner.policy.state_dict()})
    return path
