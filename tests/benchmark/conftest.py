from pathlib import Path

import gymnasium
import pytest

import dexgrasp_envs  # noqa: F401  registers the environments
from baselines.ppo import PPO
from baselines.ppo_config import PPOConfig


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A policy that has learned nothing."""
    env = gymnasium.make_vec("DexGrasp/KukaAllegro-State-v0", num_envs=2, privileged=True, threads=1)
    PPO(env, PPOConfig(n_steps=2, minibatch=2, hidden=(8,))).save_policy(tmp_path / "policy.pt")
    env.close()
    return tmp_path / "policy.pt"
