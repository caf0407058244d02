import json

import gymnasium
import numpy as np
import pytest
import torch
from rich.console import Console

from baselines.evaluate import Args, evaluate_checkpoint, film, make_record
from baselines.ppo import PPO
from baselines.ppo_config import PPOConfig
from baselines.record import write_record
from dexgrasp_envs.config import EnvConfig, SpawnConfig
from dexgrasp_envs.errors import CheckpointError, ConfigError
from dexgrasp_envs.tiers import TIERS, on_tier
from tests.baselines.fake_env import (
    FAKE_CONFIG,
    FAKE_DEPTH_CONFIG,
    FAKE_DEPTH_ID,
    FAKE_ID,
    FakeVectorEnv,
)


@pytest.fixture
def path(tmp_path, monkeypatch):
    learner = PPO(FakeVectorEnv(4), PPOConfig(n_steps=4, minibatch=8, hidden=(16,)))
    monkeypatch.setattr("baselines.checkpoint._id_of", lambda env: FAKE_ID)
    learner.save_policy(tmp_path / "policy.pt")
    return tmp_path / "policy.pt"


def test_the_record_holds_what_regenerates_it(path, tmp_path):
    args = Args(path, num_envs=6, episodes_per_env=2, seed=11)
    write_record(tmp_path / "raw" / "record.json", make_record(args, evaluate_checkpoint(path, 6, 2, 11)))
    record = json.loads((tmp_path / "raw" / "record.json").read_text())
    assert record["config_hashes"] == {FAKE_ID: FAKE_CONFIG.hash()} and record["env_id"] == FAKE_ID
    assert record["seed"] == 11 and record["checkpoint"]["blind"] is False
    assert record["machine"]["cores"] >= 1 and "torch" in record["versions"]
    assert all(len(values) == 12 for values in record["episodes"].values())
    assert record["metrics"]["success_at_end"]["rate"] == np.mean(record["episodes"]["success_at_end"])


def test_the_spawn_is_the_fixed_one_whatever_the_training_had(tmp_path, monkeypatch):
    monkeypatch.setattr("baselines.checkpoint._id_of", lambda env: FAKE_ID)
    trained_on = FAKE_CONFIG.replace(spawn=SpawnConfig(half_extent=(0.01, 0.01)))
    PPO(FakeVectorEnv(4, trained_on), PPOConfig(n_steps=4, minibatch=8, hidden=(16,))).save_policy(tmp_path / "p.pt")
    evaluation = evaluate_checkpoint(tmp_path / "p.pt", 2, 1, 0)
    assert evaluation.config == FAKE_CONFIG and EnvConfig.from_json(evaluation.meta.config) == trained_on
    record = make_record(Args(tmp_path / "p.pt"), evaluation)
    assert record["config"]["spawn"]["half_extent"] == list(SpawnConfig().half_extent)
    assert record["config_hashes"] == {FAKE_ID: FAKE_CONFIG.hash()}
    assert record["checkpoint"]["config_hash"] == trained_on.hash()
    for about, config in ((record, FAKE_CONFIG), (record["checkpoint"], trained_on)):
        assert about["fingerprint"] == f"fake {config.hash()}"


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_is_evaluated_and_told_with_the_hashes_of_both_configurations(path, tmp_path, tier):
    evaluation = evaluate_checkpoint(path, 4, 1, 11, tier=tier)
    record = make_record(Args(path, num_envs=4, episodes_per_env=1, seed=11, tier=tier), evaluation)
    write_record(tmp_path / "record.json", record)
    assert record["tier"] == tier and record["config"]["objects"] == TIERS[tier].objects
    assert record["config_hashes"] == {FAKE_ID: on_tier(FAKE_CONFIG, tier).hash()}
    assert record["checkpoint"]["config_hash"] == FAKE_CONFIG.hash()
    assert (f"--tier {tier}" in record["command"]) is (tier != "easy")


def test_shuffled_images_are_told_in_the_record(tmp_path):
    env = gymnasium.make_vec(FAKE_DEPTH_ID, num_envs=4, config=FAKE_DEPTH_CONFIG)
    learner = PPO(env, PPOConfig(n_steps=4, minibatch=8, hidden=(16,)))
    torch.nn.init.orthogonal_(learner.policy.actor[-1].weight, 1.0)
    learner.save_policy(tmp_path / "policy.pt")
    args = Args(tmp_path / "policy.pt", shuffle_images=True)
    seeing, misled = (evaluate_checkpoint(tmp_path / "policy.pt", 6, 1, 11, shuffle) for shuffle in (False, True))
    assert not make_record(args, seeing)["shuffled_images"] and make_record(args, misled)["shuffled_images"]
    assert (seeing.result.episodes["return"] != misled.result.episodes["return"]).all()


def test_there_must_be_images_to_shuffle(path):
    with pytest.raises(ConfigError, match="leave the shuffling out"):
        evaluate_checkpoint(path, 6, 1, 11, shuffle_images=True)


def test_a_changed_robot_is_refused(path, monkeypatch):
    build = FakeVectorEnv.__init__

    def changed(self, *args, **kwargs):
        build(self, *args, **kwargs)
        self.fingerprint = "another robot"

    monkeypatch.setattr(FakeVectorEnv, "__init__", changed)
    with pytest.raises(CheckpointError, match="another robot"):
        evaluate_checkpoint(path, 2, 1, 0)


def test_the_same_seed_gives_the_same_episodes(path):
    first, second = (evaluate_checkpoint(path, 6, 2, 11).result for _ in range(2))
    for name, values in first.episodes.items():
        np.testing.assert_array_equal(values, second.episodes[name])


def test_missing_opengl_is_told_and_does_not_fail(path, tmp_path):
    console = Console(record=True, width=200)
    film(evaluate_checkpoint(path, 2, 1, 0), tmp_path / "video.mp4", 1, 0, console)
    assert "install libegl1" in console.export_text()


def test_a_video_has_a_frame_for_every_step(path, tmp_path, monkeypatch):
    monkeypatch.setattr(FakeVectorEnv, "render", lambda self: np.zeros((1, 32, 48, 3), np.uint8))
    console = Console(record=True, width=200)
    film(evaluate_checkpoint(path, 2, 1, 0), tmp_path / "video.mp4", 1, 0, console)
    assert "31 frames" in console.export_text() and (tmp_path / "video.mp4").stat().st_size > 0
