import os
import signal
import threading

import pandas as pd
import pytest
from rich.console import Console

from baselines.checkpoint import read
from baselines.ppo_config import PPOConfig
from baselines.train import COLUMNS, Args, train
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_ID

SMALL = PPOConfig(n_steps=8, minibatch=32, hidden=(16,))


def arguments(out, **changes) -> Args:
    settings = {"minutes": None, "steps": 640, "num_envs": 8, "ppo": SMALL, "env": FAKE_CONFIG} | changes
    return Args(FAKE_ID, out=out, **settings)


@pytest.fixture
def console() -> Console:
    return Console(width=120, record=True, file=open(os.devnull, "w"))


def test_a_run_leaves_its_folder(tmp_path, console):
    train(arguments(tmp_path), console)
    assert {"first.pt", "latest.pt", "policy.pt", "progress.csv", "tensorboard"} == {p.name for p in tmp_path.iterdir()}
    progress = pd.read_csv(tmp_path / "progress.csv")
    assert tuple(progress.columns) == COLUMNS
    assert progress["steps"].tolist() == list(range(64, 641, 64))
    assert read(tmp_path / "first.pt")[0].iterations == 0
    assert read(tmp_path / "policy.pt")[0].steps == 640
    assert "proprio (4,), privileged (3,)" in console.export_text()


def test_resume_appends_and_keeps_the_settings(tmp_path, console):
    train(arguments(tmp_path), console)
    train(arguments(tmp_path, resume=tmp_path / "latest.pt", steps=1280, ppo=PPOConfig()), console)
    progress = pd.read_csv(tmp_path / "progress.csv")
    assert progress["steps"].tolist() == list(range(64, 1281, 64))
    assert progress["seconds"].is_monotonic_increasing
    assert read(tmp_path / "latest.pt")[0].ppo["n_steps"] == 8


def test_blind_hides_the_object_from_the_actor(tmp_path, console):
    learner = train(arguments(tmp_path, blind=True, steps=64), console)
    assert learner.actor_groups == ("proprio",) and learner.critic_groups == ("proprio", "privileged")
    assert read(tmp_path / "policy.pt")[0].blind


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_saves_and_ends(tmp_path, console, number):
    threading.Timer(1.0, os.kill, (os.getpid(), number)).start()
    train(arguments(tmp_path, steps=10**9), console)
    assert read(tmp_path / "latest.pt")[0].steps > 0
