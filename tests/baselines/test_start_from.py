import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

from baselines.checkpoint import read
from baselines.ppo import PPO
from baselines.train import Args, make_learner, train
from dexgrasp_envs.config import ObservationConfig, PhysicsConfig
from dexgrasp_envs.errors import CheckpointError, ConfigError
from tests.baselines.fake_env import (
    FAKE_CONFIG,
    FAKE_DEPTH_CONFIG,
    FAKE_DEPTH_ID,
    FAKE_ID,
    SMALL_DEPTH_PPO,
    FakeVectorEnv,
)


@pytest.fixture
def console() -> Console:
    return Console(width=120, record=True, file=open(os.devnull, "w"))


@pytest.fixture
def source(tmp_path):
    """A policy that has learned a little, with statistics and a standard deviation of its own."""
    learner = PPO(FakeVectorEnv(8, FAKE_DEPTH_CONFIG, id_groups=("depth",)), SMALL_DEPTH_PPO, seed=7)
    learner.vector_env.spec = type("Spec", (), {"id": FAKE_DEPTH_ID})
    learner.iterate()
    learner.policy.log_std.data.fill_(-1.25)
    learner.save_policy(tmp_path / "student.pt", {"teacher": "state.pt"})
    return tmp_path / "student.pt", learner


def arguments(folder, **changes) -> Args:
    settings = {"minutes": None, "steps": 256, "num_envs": 8, "ppo": SMALL_DEPTH_PPO, "env": FAKE_DEPTH_CONFIG}
    return Args(**({"env_id": FAKE_DEPTH_ID, "out": folder / "run"} | settings | changes))


def test_all_weights_are_taken_and_the_optimiser_is_new(tmp_path, source):
    path, origin = source
    learner = make_learner(arguments(tmp_path, start_from=path))
    for name, value in origin.policy.state_dict().items():
        assert torch.equal(value, learner.policy.state_dict()[name]), name
    assert not learner.policy.optimizer.state_dict()["state"]


def test_a_training_state_serves_as_well(tmp_path, source):
    _, origin = source
    origin.save(tmp_path / "latest.pt")
    learner = make_learner(arguments(tmp_path, start_from=tmp_path / "latest.pt"))
    obs, _ = learner.vector_env.reset(seed=1)
    np.testing.assert_array_equal(
        learner.policy.predict(obs, deterministic=True)[0], origin.policy.predict(obs, deterministic=True)[0]
    )


def test_what_went_into_it_is_noted_but_not_counted(tmp_path, console, source):
    path, origin = source
    learner = train(arguments(tmp_path, start_from=path), console)
    meta, _ = read(tmp_path / "run" / "first.pt")
    assert (meta.steps, meta.iterations) == (0, 0)
    noted = {
        "path": str(path),
        "steps": 64,
        "seconds": origin.seconds,
        "run": {"teacher": "state.pt"},
        "other_task": [],
    }
    assert read(tmp_path / "run" / "policy.pt")[0].run["start_from"] == noted | {"other_task": []}
    assert f"{path.name}, 64 steps" in console.export_text().replace("\n", "")
    assert learner.num_timesteps >= 256


def test_a_resume_goes_on_noting_it(tmp_path, console, source):
    path, _ = source
    train(arguments(tmp_path, start_from=path), console)
    train(arguments(tmp_path, steps=512, resume=tmp_path / "run" / "latest.pt"), console)
    assert read(tmp_path / "run" / "policy.pt")[0].run["start_from"]["steps"] == 64


def test_an_encoder_that_sees_is_not_taught_again(tmp_path, console, monkeypatch, source):
    monkeypatch.setattr(PPO, "warm_up", lambda self: pytest.fail("a lesson was given"))
    train(arguments(tmp_path, start_from=source[0]), console)
    assert read(tmp_path / "run" / "policy.pt")[0].steps == 256  # none of them for a lesson


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"env": FAKE_CONFIG, "env_id": FAKE_ID}, "'proprio' is float32"),
        ({"blind": True}, "actor_groups is"),
        ({"ppo": replace(SMALL_DEPTH_PPO, hidden=(32,))}, r"hidden is \(32,\)"),
        (
            {"ppo": replace(SMALL_DEPTH_PPO, encoder=replace(SMALL_DEPTH_PPO.encoder, embedding=64))},
            r"encoder\.embedding is 64",
        ),
    ],
)
def test_a_misfit_is_refused_with_the_reason(tmp_path, source, changes, what):
    with pytest.raises(CheckpointError, match=what):
        make_learner(arguments(tmp_path, start_from=source[0], **changes))


def test_another_camera_is_refused(tmp_path, source, monkeypatch):
    monkeypatch.setitem(__import__("tests.baselines.fake_env", fromlist=["CAMERA"]).CAMERA, "fx", 31.0)
    with pytest.raises(CheckpointError, match=r"sight\.camera\.fx is 31\.0"):
        make_learner(arguments(tmp_path, start_from=source[0]))


def test_a_policy_of_another_task_is_taken_and_the_difference_told(tmp_path, console, source):
    config = FAKE_DEPTH_CONFIG.replace(physics=PhysicsConfig(friction=0.5))
    train(arguments(tmp_path, start_from=source[0], env=config), console)
    noted = read(tmp_path / "run" / "policy.pt")[0].run["start_from"]["other_task"]
    assert len(noted) == 1 and "physics.friction is 1.0" in noted[0] and noted[0] in console.export_text()


def test_other_observations_of_the_same_task_do_not_matter(tmp_path, source):
    observation = ObservationConfig(groups=("state", "privileged"), image_size=(24, 32), image_period=2)
    make_learner(arguments(tmp_path, start_from=source[0], env=FAKE_CONFIG.replace(observation=observation)))


def test_a_run_begins_once(tmp_path, source):
    with pytest.raises(ConfigError, match="leave one of them out"):
        make_learner(arguments(tmp_path, start_from=source[0], resume=source[0]))
