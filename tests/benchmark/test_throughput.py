from pathlib import Path

import pytest

import baselines  # noqa: F401  sets OpenMP's waiting before torch is imported
from benchmark.throughput import throughput


def test_throughput_compares_the_same_work(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Takes three processes; a test of its own measures it.
    monkeypatch.setattr("benchmark.throughput.memory_per_env", lambda *args: 25.0)
    told: list[str] = []
    metrics = throughput(checkpoint, num_envs=4, steps=3, rounds=2, warm_up=2, sizes=(1, 2), tell=told.append)
    rates = metrics["env_steps_per_second"]
    assert metrics["ratio_to_fastest_bare"] == rates["dexgrasp_envs"] / rates[metrics["fastest_bare"]]
    assert set(metrics["scaling"]) == {"1", "2"}
    assert sum(metrics["share_of_step"].values()) == pytest.approx(1.0)
    assert metrics["memory_per_env_kib"] == 25.0
    assert "round 2 of 2" in told and "scaling: 2 environments" in told
