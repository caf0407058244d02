import json

import numpy as np
import pytest
from rich.console import Console

from baselines.evaluate import Args, evaluate_checkpoint, film, make_record
from baselines.ppo import PPO
from baselines.ppo_config import PPOConfig
from baselines.record import write_json
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_ID, FakeEnv, FakeVectorEnv


@pytest.fixture
def path(tmp_path, monkeypatch):
    learner = PPO(FakeVectorEnv(4), PPOConfig(n_steps=4, minibatch=8, hidden=(16,)))
    monkeypatch.setattr("baselines.checkpoint._id_of", lambda env: FAKE_ID)
    learner.save_policy(tmp_path / "policy.pt")
    return tmp_path / "policy.pt"


def test_the_record_holds_what_regenerates_it(path, tmp_path):
    args = Args(path, num_envs=6, episodes_per_env=2, seed=11)
    result, _, meta = evaluate_checkpoint(path, 6, 2, 11)
    write_json(tmp_path / "raw" / "record.json", make_record(args, result, meta))
    record = json.loads((tmp_path / "raw" / "record.json").read_text())
    assert record["config_hash"] == FAKE_CONFIG.hash() and record["env_id"] == FAKE_ID
    assert record["seed"] == 11 and record["checkpoint"]["blind"] is False
    assert record["machine"]["cores"] >= 1 and "torch" in record["versions"]
    assert all(len(values) == 12 for values in record["episodes"].values())
    assert record["summary"]["success_at_end"]["rate"] == np.mean(record["episodes"]["success_at_end"])


def test_the_same_seed_gives_the_same_episodes(path):
    first, second = (evaluate_checkpoint(path, 6, 2, 11)[0] for _ in range(2))
    for name, values in first.episodes.items():
        np.testing.assert_array_equal(values, second.episodes[name])


def test_missing_opengl_is_told_and_does_not_fail(path, tmp_path):
    _, policy, meta = evaluate_checkpoint(path, 2, 1, 0)
    console = Console(record=True, width=200)
    film(policy, meta, tmp_path / "video.mp4", 1, 0, console)
    assert "install libegl1" in console.export_text()


def test_a_video_has_a_frame_for_every_step(path, tmp_path, monkeypatch):
    monkeypatch.setattr(FakeEnv, "render", lambda self: np.zeros((32, 48, 3), np.uint8))
    _, policy, meta = evaluate_checkpoint(path, 2, 1, 0)
    console = Console(record=True, width=200)
    film(policy, meta, tmp_path / "video.mp4", 1, 0, console)
    assert "31 frames" in console.export_text() and (tmp_path / "video.mp4").stat().st_size > 0
