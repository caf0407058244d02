import os
import signal
import sys
import threading
from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console

from baselines.checkpoint import read
from baselines.encoder import EncoderConfig
from baselines.ppo import PPO
from baselines.ppo_config import DEPTH_PPO, PPOConfig
from baselines.train import COLUMNS, DEPTH_CONFIG, STATE_CONFIG, Args, default_args, main, make_learner, plan, train
from dexgrasp_envs.config import EnvConfig, EpisodeConfig, ObservationConfig
from dexgrasp_envs.errors import CheckpointError, ConfigError
from dexgrasp_envs.registration import DEPTH_ID, ID_GROUPS, STATE_ID
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_DEPTH_CONFIG, FAKE_DEPTH_ID, FAKE_ID, SMALL_DEPTH_PPO

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


def test_a_policy_tells_what_was_asked_for_beyond_the_usual(tmp_path, console):
    train(arguments(tmp_path, env=FAKE_CONFIG.replace(episode=EpisodeConfig(seconds=3.0))), console)
    train(arguments(tmp_path, resume=tmp_path / "latest.pt", steps=704, ppo=PPOConfig(), env=STATE_CONFIG), console)
    run = read(tmp_path / "policy.pt")[0].run
    assert run["ppo"] == {"n_steps": 8, "minibatch": 32, "hidden": [16]}
    assert run["env"]["episode.seconds"] == 3.0 and "objects" not in run["env"]


def test_resume_appends_and_keeps_the_settings(tmp_path, console):
    train(arguments(tmp_path), console)
    train(arguments(tmp_path, resume=tmp_path / "latest.pt", steps=1280, ppo=PPOConfig()), console)
    progress = pd.read_csv(tmp_path / "progress.csv")
    assert progress["steps"].tolist() == list(range(64, 1281, 64))
    assert progress["seconds"].is_monotonic_increasing
    assert read(tmp_path / "latest.pt")[0].ppo["n_steps"] == 8


def test_resume_drops_the_rows_after_the_checkpoint(tmp_path, console):
    train(arguments(tmp_path), console)
    with (tmp_path / "progress.csv").open("a") as file:
        file.write("704,11" + "," * (len(COLUMNS) - 2) + "\r\n12")
    train(arguments(tmp_path, resume=tmp_path / "latest.pt", steps=768), console)
    progress = pd.read_csv(tmp_path / "progress.csv")
    assert progress["steps"].tolist() == list(range(64, 769, 64))


def test_resume_averages_over_the_episodes_before_it_too(tmp_path, console):
    straight = train(arguments(tmp_path / "a", steps=1280), console)
    train(arguments(tmp_path / "b", steps=1216), console)
    resumed = train(arguments(tmp_path / "b", steps=1280, resume=tmp_path / "b" / "latest.pt"), console)
    names = ("length", "return", "lifted", "success_share")
    rows = [pd.read_csv(tmp_path / run / "progress.csv")[list(names)] for run in "ab"]
    pd.testing.assert_frame_equal(*rows)
    assert straight.collector.statistics() == resumed.collector.statistics()


def test_resume_keeps_the_number_of_environments(tmp_path, console):
    train(arguments(tmp_path, num_envs=4, steps=64), console)
    learner = train(arguments(tmp_path, num_envs=None, resume=tmp_path / "latest.pt", steps=96), console)
    assert learner.n_envs == 4 and "start anew" not in console.export_text()


def test_resume_with_other_environments_says_that_episodes_restart(tmp_path, console):
    train(arguments(tmp_path, steps=64), console)
    train(arguments(tmp_path, num_envs=4, resume=tmp_path / "latest.pt", steps=96), console)
    assert "episodes start anew" in console.export_text()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 7),
        ("blind", True),
        ("ppo", PPOConfig(gamma=0.9)),
        ("env", FAKE_CONFIG.replace(episode=EpisodeConfig(seconds=4.0))),
    ],
)
def test_what_a_resume_would_ignore_is_refused(tmp_path, console, name, value):
    train(arguments(tmp_path, steps=64), console)
    with pytest.raises(ConfigError, match=f"--{name} differs"):
        train(arguments(tmp_path, steps=128, resume=tmp_path / "latest.pt", **{name: value}), console)


def test_resume_beyond_the_limit_trains_no_more(tmp_path, console):
    train(arguments(tmp_path, steps=128), console)
    learner = train(arguments(tmp_path, steps=64, resume=tmp_path / "latest.pt"), console)
    assert learner.num_timesteps == 128 and len(pd.read_csv(tmp_path / "progress.csv")) == 2


def test_resume_from_what_is_no_training_state(tmp_path, console):
    train(arguments(tmp_path, steps=64), console)
    with pytest.raises(CheckpointError, match="a policy alone"):
        train(arguments(tmp_path, resume=tmp_path / "policy.pt"), console)


@pytest.mark.parametrize(
    "changes", [{"minutes": 0.0}, {"steps": 0}, {"minutes": -1.0}, {"minutes": float("nan")}, {"checkpoint_minutes": 0}]
)
def test_limits_must_be_positive(tmp_path, console, changes):
    with pytest.raises(ConfigError, match="must be positive"):
        train(arguments(tmp_path, **changes), console)
    assert not list(tmp_path.iterdir())


def test_a_new_run_has_256_environments(tmp_path, console, monkeypatch):
    monkeypatch.setattr(PPO, "iterate", lambda self: pytest.fail("only the learner is made"))
    assert make_learner(arguments(tmp_path, num_envs=None)).n_envs == 256


def test_blind_hides_the_object_from_the_actor(tmp_path, console):
    learner = train(arguments(tmp_path, blind=True, steps=64), console)
    assert learner.actor_groups == ("proprio",) and learner.critic_groups == ("proprio", "privileged")
    assert read(tmp_path / "policy.pt")[0].blind


def test_what_suits_an_id_is_taken_by_default():
    state, depth = default_args(STATE_ID), default_args(DEPTH_ID)
    assert (state.ppo, state.env) == (PPOConfig(), STATE_CONFIG)
    assert (depth.ppo, depth.env) == (DEPTH_PPO, DEPTH_CONFIG)
    assert depth.env.observation.image_size == (48, 64) and "privileged" in depth.env.observation.groups


def parse(monkeypatch, *words: str) -> Args:
    parsed = []
    monkeypatch.setattr(sys, "argv", ["baselines.train", *words])
    monkeypatch.setattr("baselines.train.train", parsed.append)
    main()
    return parsed[0]


def test_the_command_line_starts_from_what_suits_the_id(monkeypatch):
    assert parse(monkeypatch, "--seed", "3", DEPTH_ID) == replace(default_args(DEPTH_ID), seed=3)
    assert parse(monkeypatch, STATE_ID, "--seed", "3") == replace(default_args(STATE_ID), seed=3)


def test_what_the_command_line_says_prevails(monkeypatch):
    words = "--env.observation.image-size 60 80 --ppo.minibatch 512 --ppo.encoder.channels 8 8 8"
    args = parse(monkeypatch, DEPTH_ID, *words.split())
    assert args.env.observation == replace(DEPTH_CONFIG.observation, image_size=(60, 80))
    assert args.ppo == replace(DEPTH_PPO, minibatch=512, encoder=EncoderConfig(channels=(8, 8, 8)))


def test_an_id_must_be_given(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        parse(monkeypatch, "--seed", "3")
    assert "required" in capsys.readouterr().err.lower()


def seeing(out, **changes) -> Args:
    return replace(arguments(out, ppo=SMALL_DEPTH_PPO, env=FAKE_DEPTH_CONFIG, **changes), env_id=FAKE_DEPTH_ID)


def test_training_from_images_learns_to_see_and_tells_so(tmp_path, console):
    train(seeing(tmp_path, steps=256), console)
    progress = pd.read_csv(tmp_path / "progress.csv")
    assert progress["position_error"].gt(0).all()
    text = console.export_text()
    assert "depth uint16, 1.5 KiB each, 1.5 MB/s at 1,000 steps/s" in text and "in this process" in text
    assert "learning to see" in text or "sees to" in text


def test_simulators_elsewhere_are_asked_for_and_may_change_on_resume(tmp_path, console):
    first = make_learner(seeing(tmp_path, sim="spawn:2"))
    assert first.vector_env.unwrapped.remote == "spawn:2"
    first.save(tmp_path / "latest.pt")
    resumed = make_learner(seeing(tmp_path, resume=tmp_path / "latest.pt"))
    assert resumed.vector_env.unwrapped.remote is None
    assert "spawn:2" in plan_text(console, plan(first, "spawn:2"))


def test_servers_are_asked_with_keys(tmp_path):
    learner = make_learner(seeing(tmp_path, sim="tcp://there:5555", keys=tmp_path))
    assert learner.vector_env.unwrapped.keys == tmp_path


def plan_text(console, table) -> str:
    console.print(table)
    return console.export_text()


def test_a_resume_may_repeat_what_the_run_was_started_with(tmp_path, console, monkeypatch):
    monkeypatch.setitem(ID_GROUPS, FAKE_DEPTH_ID, ("depth",))
    config = EnvConfig(observation=ObservationConfig(groups=("privileged",), image_size=(24, 32)))
    make_learner(replace(seeing(tmp_path), env=config)).save(tmp_path / "latest.pt")
    again = replace(seeing(tmp_path, resume=tmp_path / "latest.pt"), env=config)
    assert make_learner(again).vector_env.unwrapped.config == config.observing("depth")
    other = replace(again, env=config.replace(episode=EpisodeConfig(seconds=4.0)))
    with pytest.raises(ConfigError, match="--env differs"):
        make_learner(other)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_saves_and_ends(tmp_path, console, number):
    threading.Timer(1.0, os.kill, (os.getpid(), number)).start()
    train(arguments(tmp_path, steps=10**9), console)
    assert read(tmp_path / "latest.pt")[0].steps > 0
