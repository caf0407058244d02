from dataclasses import replace
from pathlib import Path

import pytest

from baselines.ppo import PPO
from baselines.ppo_config import PPOConfig
from baselines.record import read_record
from benchmark import suites
from benchmark.suites import QUICK, WITHOUT_DATA, Adr, Grasps, RobotFit, Success, Throughput
from dexgrasp_envs.errors import CheckpointError, ConfigError
from tests import records
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_ID, FakeVectorEnv


def silent(_):
    pass


@pytest.fixture
def policy(tmp_path, monkeypatch):
    """A shipped checkpoint of an environment that is fast."""
    monkeypatch.setattr("baselines.checkpoint._id_of", lambda env: FAKE_ID)
    folder = tmp_path / "checkpoints"
    PPO(FakeVectorEnv(4), PPOConfig(n_steps=4, minibatch=8, hidden=(16,))).save_policy(folder / "state.pt")
    return folder / "state.pt"


def test_a_record_holds_figures_hashes_seed_and_command(policy, tmp_path, monkeypatch):
    monkeypatch.setattr(suites, "grasps", lambda checkpoint, episodes, seed: records.grasps()["metrics"])
    suite = Grasps(checkpoint=policy, seed=7, out=tmp_path / "out")
    made = suite.run(silent)
    assert list(made) == ["grasps"] and read_record(tmp_path / "out" / "grasps.json") == made["grasps"]
    record = made["grasps"]
    assert (record["kind"], record["seed"], record["metrics"]) == ("grasps", 7, records.grasps()["metrics"])
    assert record["config_hashes"] == {FAKE_ID: FAKE_CONFIG.hash()}
    assert record["command"] == (
        f"python -m benchmark.run grasps --out {tmp_path / 'out'} --checkpoint {policy} --seed 7"
    )


def test_commands_say_what_differs_from_the_usual():
    assert Throughput().arguments() == ["throughput"]
    assert Throughput(num_envs=4, sizes=(1, 2)).arguments() == ["throughput", "--num-envs", "4", "--sizes", "1", "2"]


def test_commands_of_quick_records_say_what_differs_from_the_quick_settings():
    assert replace(QUICK[Throughput], steps=7).arguments() == ["throughput", "--quick", "--steps", "7"]


def test_commands_do_not_name_somebodys_folder_of_meshes():
    assert RobotFit(data=Path("somewhere")).arguments() == ["robotfit", "--data", "FOLDER_WITH_URDF_AND_MESHES"]


def test_quick_settings_are_smaller():
    for suite in (Throughput, suites.Render):
        usual, quick = suite(), QUICK[suite]
        assert quick.num_envs * quick.steps * quick.rounds < usual.num_envs * usual.steps * usual.rounds / 5
    assert QUICK[Success].episodes_per_env < Success().episodes_per_env
    assert all(QUICK[suite].quick for suite in WITHOUT_DATA)


def test_success_writes_an_evaluation_of_every_checkpoint(policy, tmp_path):
    told = []
    suite = Success(checkpoints=policy.parent, num_envs=4, episodes_per_env=2, tiers=("easy",), out=tmp_path / "out")
    made = suite.run(told.append)
    assert told == ["state"] and made["state"]["metrics"]["episodes"] == 8
    assert read_record(tmp_path / "out" / "state.json") == made["state"]


def test_adr_writes_an_evaluation_of_every_policy_and_level(policy, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(suites, "evaluate_and_save", asked.append)
    monkeypatch.setattr(suites, "read_record", lambda path: path.name)
    suite = Adr(checkpoints=policy.parent, policies=("state",), levels=(10, 50), out=tmp_path)
    assert suite.run(silent) == {f"state_full_level{n}": f"state_full_level{n}.json" for n in (10, 50)}
    assert [(args.adr_level, args.tier, args.randomisation) for args in asked] == [
        (10, "full", "paper"),
        (50, "full", "paper"),
    ]


def test_an_unknown_policy_is_an_error_that_lists_the_valid_ones(policy):
    with pytest.raises(ConfigError, match="valid are state"):
        Success(checkpoints=policy.parent, policies=("x",)).run(silent)


def test_checkpoints_that_do_not_fit_fail_the_suite_after_the_others(policy, tmp_path):
    (policy.parent / "broken.pt").write_text("no checkpoint")
    suite = Success(checkpoints=policy.parent, num_envs=4, episodes_per_env=1, out=tmp_path / "out")
    with pytest.raises(CheckpointError, match=r"broken\.pt is left out"):
        suite.run(silent)
    assert (tmp_path / "out" / "state.json").exists()
