import os

import pandas as pd
import pytest
from rich.console import Console

from baselines.adr import ADR, named_randomisation
from baselines.checkpoint import read
from baselines.evaluate import Args as EvaluationArgs
from baselines.evaluate import evaluate_checkpoint, make_record
from baselines.ppo_config import PPOConfig
from baselines.record import validate
from baselines.train import STATE_CONFIG, Args, make_learner, train
from dexgrasp_envs.config import ADR_LEVELS, RANDOMISATIONS
from dexgrasp_envs.errors import ConfigError
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_ID

SMALL = PPOConfig(n_steps=8, minibatch=32, hidden=(16,))


def test_the_level_rises_by_one_after_enough_success_and_enough_time():
    adr = ADR(max_steps=10)
    assert [adr.update(0.41, 10) for _ in range(11)] == [False] * 4 + [True] + [False] * 4 + [True, False]
    assert adr.level == 2


def test_the_level_stays_while_success_is_rare_and_is_never_lowered():
    adr = ADR(max_steps=10, level=3)
    assert not any(adr.update(0.4, 100) for _ in range(5))
    assert adr.update(0.5, 1)
    assert not any(adr.update(0.0, 100) for _ in range(5))
    assert adr.level == 4


def test_the_last_level_is_the_last():
    adr = ADR(max_steps=1, level=ADR_LEVELS)
    assert not adr.update(1.0, 1000) and adr.level == ADR_LEVELS


def test_the_rule_goes_on_from_its_state():
    adr = ADR(max_steps=10, level=3)
    adr.update(1.0, 45)
    other = ADR(max_steps=10)
    other.set_state(adr.get_state())
    assert not other.update(1.0, 4) and other.update(1.0, 1) and other.level == 4


def test_an_unknown_randomisation_is_named():
    with pytest.raises(ConfigError, match="must be one of none, paper, got 'all'"):
        named_randomisation("all")


@pytest.fixture
def console() -> Console:
    return Console(width=120, record=True, file=open(os.devnull, "w"))


def arguments(out, **changes) -> Args:
    settings = {
        "minutes": None,
        "steps": 256,
        "num_envs": 8,
        "ppo": SMALL,
        "env": FAKE_CONFIG,
        "randomisation": "paper",
    }
    return Args(FAKE_ID, out=out, **(settings | changes))


@pytest.fixture
def always_up(monkeypatch):
    """A rule that raises the level after every rollout."""

    def update(self: ADR, success: float, steps: int) -> bool:
        self.level += 1
        return True

    monkeypatch.setattr(ADR, "update", update)


@pytest.mark.usefixtures("always_up")
def test_training_raises_the_level_and_tells_it_everywhere(tmp_path, console):
    learner = train(arguments(tmp_path, adr_level=2), console)
    assert pd.read_csv(tmp_path / "progress.csv")["adr_level"].tolist() == [2, 3, 4, 5]
    assert learner.vector_env.unwrapped.adr_level.tolist() == [6] * 8
    assert read(tmp_path / "policy.pt")[0].adr_level == 6
    assert "level of randomisation" in console.export_text()


@pytest.mark.usefixtures("always_up")
def test_a_resumed_run_goes_on_at_its_level(tmp_path, console):
    train(arguments(tmp_path), console)
    learner = make_learner(arguments(tmp_path, resume=tmp_path / "latest.pt", env=STATE_CONFIG, randomisation=None))
    assert learner.adr is not None and learner.adr.level == 4
    assert learner.vector_env.unwrapped.adr_level.tolist() == [4] * 8
    with pytest.raises(ConfigError, match="leave --adr-level out"):
        make_learner(arguments(tmp_path, resume=tmp_path / "latest.pt", adr_level=1))
    with pytest.raises(ConfigError, match="--env differs"):
        make_learner(arguments(tmp_path, resume=tmp_path / "latest.pt", randomisation="none"))


def test_without_randomisation_there_is_no_level(tmp_path, console):
    learner = make_learner(arguments(tmp_path, randomisation=None))
    assert learner.adr is None
    with pytest.raises(ConfigError, match="give --randomisation too"):
        make_learner(arguments(tmp_path, randomisation=None, adr_level=1))


def test_an_evaluation_at_a_level_says_so(tmp_path):
    make_learner(arguments(tmp_path)).save_policy(tmp_path / "policy.pt")
    evaluation = evaluate_checkpoint(tmp_path / "policy.pt", 4, 1, seed=3, adr_level=20)
    assert evaluation.adr_level == 20 and evaluation.config.randomisation == RANDOMISATIONS["paper"]
    record = make_record(EvaluationArgs(tmp_path / "policy.pt", adr_level=20), evaluation)
    validate(record)
    assert record["adr_level"] == 20 and "--adr-level 20" in record["command"]


def test_an_evaluation_at_a_level_takes_ranges(tmp_path):
    make_learner(arguments(tmp_path, randomisation=None)).save_policy(tmp_path / "policy.pt")
    with pytest.raises(ConfigError, match="give --randomisation too"):
        evaluate_checkpoint(tmp_path / "policy.pt", 4, 1, seed=3, adr_level=20)
    evaluation = evaluate_checkpoint(tmp_path / "policy.pt", 4, 1, 3, adr_level=20, randomisation="paper")
    assert evaluation.config.randomisation == RANDOMISATIONS["paper"]
