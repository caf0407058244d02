import dataclasses
import zipfile

import numpy as np
import pytest
import stable_baselines3
import torch
from gymnasium.vector.utils import batch_space

from baselines import checkpoint
from baselines.encoder import EncoderConfig
from baselines.ppo import PPO
from baselines.ppo_config import PPOConfig
from dexgrasp_envs.adapters.sb3 import SB3VecEnv
from dexgrasp_envs.config import EnvConfig, ObservationConfig
from dexgrasp_envs.errors import CheckpointError
from tests.baselines.fake_env import CAMERA, FAKE_CONFIG, FAKE_DEPTH_CONFIG, FakeVectorEnv


@pytest.fixture
def learner() -> PPO:
    return PPO(FakeVectorEnv(4), PPOConfig(n_steps=4, minibatch=8, hidden=(16,)), seed=2)


@pytest.fixture
def path(learner, tmp_path):
    learner.iterate()
    learner.save(tmp_path / "latest.pt", run={"minutes": 1})
    return tmp_path / "latest.pt"


def test_metadata_describes_the_training(path, learner):
    meta, _ = checkpoint.read(path)
    assert EnvConfig.from_json(meta.config) == FAKE_CONFIG and meta.config_hash == FAKE_CONFIG.hash()
    assert meta.observation_space["proprio"] == {"shape": [4], "dtype": "float32"}
    assert (meta.steps, meta.iterations, meta.seed, meta.run, meta.blind) == (16, 1, 2, {"minutes": 1}, False)


def test_the_policy_alone_is_small_and_acts_the_same(learner, tmp_path):
    learner.iterate()
    learner.save_policy(tmp_path / "policy.pt")
    policy, meta = checkpoint.load_policy(tmp_path / "policy.pt")
    obs, _ = FakeVectorEnv(4).reset(seed=0)
    np.testing.assert_array_equal(
        policy.predict(obs, deterministic=True)[0], learner.policy.predict(obs, deterministic=True)[0]
    )
    assert meta.kind == "policy" and (tmp_path / "policy.pt").stat().st_size < 5e6


def test_a_policy_that_sees_is_built_from_its_file_alone(tmp_path):
    env = FakeVectorEnv(4, FAKE_DEPTH_CONFIG, id_groups=("depth",))
    encoder = EncoderConfig((4, 8), (4, 3), (4, 2), 16)
    learner = PPO(env, PPOConfig(n_steps=4, minibatch=8, hidden=(16,), encoder=encoder), seed=2)
    learner.iterate()
    learner.save_policy(tmp_path / "policy.pt")
    obs, _ = env.reset(seed=0)
    policy, meta = checkpoint.load_policy(tmp_path / "policy.pt")
    np.testing.assert_array_equal(
        policy.predict(obs, deterministic=True)[0], learner.policy.predict(obs, deterministic=True)[0]
    )
    assert meta.observation_space["depth"] == {"shape": [1, 24, 32], "dtype": "uint16"}
    assert meta.sight["camera"] == CAMERA and not meta.blind


def test_writing_leaves_no_partial_files(path):
    assert [p.name for p in path.parent.iterdir()] == ["latest.pt"]


def test_missing_and_unreadable_files(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint"):
        checkpoint.read(tmp_path / "absent.pt")
    (tmp_path / "text.pt").write_text("not a checkpoint")
    with pytest.raises(CheckpointError, match="not a checkpoint of this package"):
        checkpoint.read(tmp_path / "text.pt")
    torch.save({"weights": torch.zeros(2)}, tmp_path / "foreign.pt")
    with pytest.raises(CheckpointError, match="not a checkpoint of this package"):
        checkpoint.read(tmp_path / "foreign.pt")


def test_truncated_file(path):
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="incomplete"):
        checkpoint.read(path)


def test_damaged_central_directory(path):
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at : at + 4] = b"XXXX"
    path.write_bytes(data)
    assert zipfile.is_zipfile(path)
    with pytest.raises(CheckpointError, match="not a checkpoint of this package"):
        checkpoint.read(path)


@pytest.mark.parametrize("name", ["policy", "optimizer", "rng", "rollouts"])
def test_a_missing_entry_is_named(path, name):
    meta, payload = checkpoint.read(path)
    del payload[name]
    checkpoint.write(path, meta, payload)
    with pytest.raises(CheckpointError, match=f"lacks {name}"):
        checkpoint.read(path)


def test_a_policy_file_without_policy(learner, tmp_path):
    checkpoint.write(tmp_path / "policy.pt", learner._meta("policy", None), {})
    with pytest.raises(CheckpointError, match="lacks policy"):
        checkpoint.load_policy(tmp_path / "policy.pt")


def test_an_unknown_kind(learner, tmp_path):
    checkpoint.write(tmp_path / "new.pt", learner._meta("student", None), {"policy": {}})
    with pytest.raises(CheckpointError, match="'student'"):
        checkpoint.read(tmp_path / "new.pt")


def change_optimizer(payload):
    payload["optimizer"]["param_groups"][0]["params"].pop()


def change_rollouts(payload):
    payload["rollouts"] = None


def change_environments(payload):
    del payload["rollouts"]["env"]


def change_generator(payload):
    payload["rng"] = torch.zeros(3)


@pytest.mark.parametrize("change", [change_optimizer, change_rollouts, change_environments, change_generator])
def test_a_training_state_that_does_not_fit(path, change):
    meta, payload = checkpoint.read(path)
    change(payload)
    checkpoint.write(path, meta, payload)
    with pytest.raises(CheckpointError, match="does not fit its metadata"):
        PPO.load(path, FakeVectorEnv(4))


@pytest.mark.parametrize("changes", [{"momentum": 0.9}, {"n_steps": 0}, {"encoder": {"channels": []}}])
def test_hyper_parameters_of_another_version(path, changes):
    meta, payload = checkpoint.read(path)
    checkpoint.write(path, dataclasses.replace(meta, ppo=meta.ppo | changes), payload)
    for load in (checkpoint.load_policy, lambda path: PPO.load(path, FakeVectorEnv(4))):
        with pytest.raises(CheckpointError, match=next(iter(changes))):
            load(path)


def test_a_configuration_of_another_version(path):
    meta, _ = checkpoint.read(path)
    with pytest.raises(CheckpointError, match="not one of this version"):
        checkpoint.config_of(dataclasses.replace(meta, config="{}"))


def test_another_fingerprint_is_refused(path):
    env = FakeVectorEnv(4)
    meta, _ = checkpoint.read(path)
    checkpoint.require_env(meta, env, ["proprio"])
    env.fingerprint = "another robot"
    with pytest.raises(CheckpointError, match="another robot"):
        checkpoint.require_env(meta, env, ["proprio"])


def test_code_in_a_file_is_not_run(tmp_path):
    torch.save({"meta": dataclasses}, tmp_path / "code.pt", pickle_module=__import__("cloudpickle"))
    with pytest.raises(CheckpointError):
        checkpoint.read(tmp_path / "code.pt")


def test_a_stock_archive_is_refused(tmp_path):
    stock = stable_baselines3.PPO("MultiInputPolicy", SB3VecEnv(FakeVectorEnv(2)), n_steps=4, batch_size=8)
    stock.save(tmp_path / "stock.zip")
    with pytest.raises(CheckpointError, match="stock Stable-Baselines3"):
        PPO.load(tmp_path / "stock.zip", FakeVectorEnv(2))


def test_another_schema_is_refused(learner, tmp_path):
    meta = dataclasses.replace(learner._meta("training", None), schema=99)
    checkpoint.write(tmp_path / "new.pt", meta, {})
    with pytest.raises(CheckpointError, match="schema 99"):
        checkpoint.read(tmp_path / "new.pt")


def test_another_environment_id_is_refused(learner, tmp_path):
    meta = dataclasses.replace(learner._meta("training", None), env_id="Other/Env-v3")
    checkpoint.write(tmp_path / "other.pt", meta, dict.fromkeys(checkpoint.ENTRIES["training"]))
    with pytest.raises(CheckpointError, match="Other/Env-v3"):
        PPO.load(tmp_path / "other.pt", FakeVectorEnv(4))


def test_other_observations_are_refused(path):
    env = FakeVectorEnv(4, FAKE_CONFIG.replace(observation=ObservationConfig()))
    with pytest.raises(CheckpointError, match="'privileged' is absent"):
        PPO.load(path, env)


def test_another_action_space_is_refused(path):
    env = FakeVectorEnv(4)
    env.single_action_space = type(env.single_action_space)(-2, 2, (2,), np.float32)
    env.action_space = batch_space(env.single_action_space, 4)
    with pytest.raises(CheckpointError, match="action space"):
        PPO.load(path, env)
