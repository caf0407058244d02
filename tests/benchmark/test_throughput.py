from pathlib import Path

import gymnasium
import pytest

import baselines  # noqa: F401  sets OpenMP's waiting before torch is imported
from baselines.ppo import PPO
from baselines.ppo_config import PPOConfig
from benchmark.throughput import throughput


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A policy that has learned nothing."""
    env = gymnasium.make_vec("DexGrasp/KukaAllegro-State-v0", num_envs=2, privileged=True, threads=1)
    PPO(env, PPOConfig(n_steps=2, minibatch=2, hidden=(8,))).save_policy(tmp_path / "policy.pt")
    env.close()
    return tmp_path / "policy.pt"


def test_throughput_compares_the_same_work(checkpoint: Path) -> None:
    told: list[str] = []
    metrics = throughput(checkpoint, num_envs=4, steps=3, rounds=2, warm_up=2, sizes=(1, 2), tell=told.append)
    rates = metrics["env_steps_per_second"]
    assert metrics["ratio_to_fastest_bare"] == rates["dexgrasp_envs"] / rates[metrics["fastest_bare"]]
    assert set(metrics["scaling"]) == {"1", "2"}
    assert sum(metrics["share_of_step"].values()) == pytest.approx(1.0)
    assert "round 2 of 2" in told and "scaling: 2 environments" in told
