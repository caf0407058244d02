from pathlib import Path

import gymnasium
import pytest

import baselines  # noqa: F401  sets OpenMP's waiting before torch is imported
from baselines.ppo import PPO
from baselines.ppo_config import PPOConfig
from benchmark.grasps import grasps


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A policy that has learned nothing."""
    env = gymnasium.make_vec("DexGrasp/KukaAllegro-State-v0", num_envs=2, privileged=True, threads=1)
    PPO(env, PPOConfig(n_steps=2, minibatch=2, hidden=(8,))).save_policy(tmp_path / "policy.pt")
    env.close()
    return tmp_path / "policy.pt"


def test_grasps_of_a_policy_that_holds_nothing_have_no_hold_figures(checkpoint: Path) -> None:
    metrics = grasps(checkpoint, episodes=2, seed=0)
    assert metrics["success_at_end"] == 0
    assert metrics["carried_share_of_weight"] is None and metrics["penetration_in_hold_mm"] is None
    assert metrics["object_speed_m_s"]["max"] >= 0.0
