import dataclasses
import shutil

import pytest
from rich.console import Console

from baselines import checkpoint
from baselines.demo import Args, demo, shipped_words
from baselines.evaluate import evaluate_checkpoint
from baselines.ppo import PPO
from baselines.ppo_config import PPOConfig
from dexgrasp_envs.config import EpisodeConfig, SpawnConfig
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_ID, FakeVectorEnv


def save_policy(path, config=FAKE_CONFIG, **changes):
    learner = PPO(FakeVectorEnv(4, config), PPOConfig(n_steps=4, minibatch=8, hidden=(16,)))
    meta = dataclasses.replace(learner._meta("policy", None), env_id=FAKE_ID, **changes)
    checkpoint.write(path, meta, {"policy": learner.policy.state_dict()})


@pytest.fixture
def last(tmp_path):
    save_policy(tmp_path / "policy.pt")
    return evaluate_checkpoint(tmp_path / "policy.pt", 4, 1, 1000)


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    monkeypatch.setattr("baselines.demo.SHIPPED", tmp_path / "shipped.pt")
    return tmp_path / "shipped.pt"


def test_the_demo_compares_first_and_last(tmp_path):
    console = Console(record=True, width=160)
    demo(Args(minutes=0.02, env_id=FAKE_ID, out=tmp_path, episodes=8, env=FAKE_CONFIG), console)
    text = console.export_text()
    assert "success_at_end" in text and "points" in text and "no video" in text


def test_a_shipped_policy_of_an_older_schema_does_not_abort_the_demo(tmp_path, shipped):
    save_policy(shipped, schema=0)
    console = Console(record=True, width=400)
    demo(Args(minutes=0.005, env_id=FAKE_ID, out=tmp_path / "run", episodes=8, env=FAKE_CONFIG), console)
    text = console.export_text()
    assert "left out" in text and "schema 0" in text and "no video" in text


def test_a_shipped_policy_that_fits_is_evaluated_though_its_training_began_elsewhere(last, shipped):
    save_policy(shipped, FAKE_CONFIG.replace(spawn=SpawnConfig(half_extent=(0.01, 0.01))))
    assert "success_at_end" in shipped_words(last, 4)


def test_a_shipped_policy_that_does_not_fit_is_left_out(last, shipped):
    save_policy(shipped, FAKE_CONFIG.replace(episode=EpisodeConfig(seconds=3.0)))
    assert "another environment or configuration" in shipped_words(last, 4)
    save_policy(shipped, fingerprint="another robot")
    assert "another robot" in shipped_words(last, 4)
    shutil.copy(__file__, shipped)
    assert "not a checkpoint" in shipped_words(last, 4)
