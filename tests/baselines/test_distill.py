import os
import signal
import sys
import threading
from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console

from baselines import checkpoint
from baselines.dagger import DaggerConfig
from baselines.distill import COLUMNS, STUDENTS, Args, Distillation, distill, main
from baselines.encoder import EncoderConfig
from baselines.evaluate import evaluate_checkpoint
from dexgrasp_envs.errors import CheckpointError, ConfigError
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_DEPTH_CONFIG, FAKE_DEPTH_ID
from tests.baselines.teachers import write_teacher

SMALL = DaggerConfig(
    minibatch=8,
    learning_rate=3e-3,
    warm_up_rounds=2,
    warm_up_steps=1,
    encoder=EncoderConfig((8, 16), (4, 3), (2, 2), 32),
)
SECOND = 1 / 60


@pytest.fixture(autouse=True, scope="module")
def small_world():
    """Students act in the fake environment, and every look at the clock takes a second."""
    ticks = count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STUDENTS, "depth", FAKE_DEPTH_ID)
        patch.setattr("baselines.distill.perf_counter", lambda: float(next(ticks)))
        yield


@pytest.fixture
def console() -> Console:
    return make_console()


@pytest.fixture(scope="module")
def finished(small_world, tmp_path_factory) -> tuple[Distillation, str]:
    """A run that is over, and what it printed; its folder is left as it is."""
    console = make_console()
    return distill(arguments(tmp_path_factory.mktemp("finished")), console), console.export_text()


def make_console() -> Console:
    return Console(width=160, record=True, file=open(os.devnull, "w"))


def arguments(folder, **changes) -> Args:
    """Every iteration and the warm-up take a second; the teacher helps for 3 of 8."""
    teacher = folder / "teacher.pt"
    settings = {"minutes": 8 * SECOND, "teacher_minutes": 3 * SECOND, "num_envs": 8, "image_size": (24, 32)}
    return Args(
        teacher if teacher.exists() else write_teacher(teacher),
        out=folder / "run",
        **(settings | {"dagger": SMALL} | changes),
    )


def test_servers_are_asked_with_keys(tmp_path):
    env = Distillation(arguments(tmp_path, sim="tcp://there:5555", keys=tmp_path)).env.unwrapped
    assert (env.remote, env.keys) == ("tcp://there:5555", tmp_path)


def test_a_run_leaves_its_folder(finished):
    run, printed = finished
    left = {path.name for path in run.args.out.iterdir()}
    assert left == {"latest.pt", "policy.pt", "progress.csv", "tensorboard"}
    progress = pd.read_csv(run.args.out / "progress.csv")
    assert tuple(progress.columns) == COLUMNS and progress[["action_error", "position_error_cm"]].gt(0).all(axis=None)
    assert progress["steps"].diff().dropna().eq(16 * 8).all() and progress["iterations"].tolist() == list(range(1, 8))
    assert "proprio (7,), state (2,)" in printed and "proprio (7,), depth (1, 24, 32)" in printed


def test_the_teachers_share_falls_to_nothing_and_the_learning_rate_to_its_end(finished):
    progress = pd.read_csv(finished[0].args.out / "progress.csv")
    assert progress["teacher_share"].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0, 0, 0, 0])
    rates = progress["lr"]
    assert rates.is_monotonic_decreasing and 1e-4 < rates.iloc[-1] < 0.2 * SMALL.learning_rate


def test_a_student_is_evaluated_from_its_file(finished):
    run, _ = finished
    evaluation = evaluate_checkpoint(run.args.out / "policy.pt", 8, 1, seed=9)
    obs, _ = run.env.reset(seed=9)
    np.testing.assert_array_equal(
        evaluation.policy.predict(obs, deterministic=True)[0], run.student.predict(obs, deterministic=True)[0]
    )
    assert evaluation.result.summary()["episodes"] == 8


def test_a_student_is_made_for_the_environment_that_ppo_trains_it_in(finished):
    args = finished[0].args
    meta, _ = checkpoint.read(args.out / "policy.pt")
    assert checkpoint.config_of(meta) == FAKE_DEPTH_CONFIG and meta.env_id == FAKE_DEPTH_ID
    assert set(meta.observation_space) == {"proprio", "depth", "privileged"} and meta.kind == "policy"
    assert (meta.ppo["hidden"], meta.ppo["encoder"]["embedding"]) == ([8], 32)


def test_a_student_tells_who_taught_it(finished):
    args = finished[0].args
    run = checkpoint.read(args.out / "policy.pt")[0].run
    assert (run["teacher"], run["teacher_steps"], run["teacher_seconds"]) == (str(args.teacher), 1000, 60.0)


def test_resume_goes_on(tmp_path, console):
    args = arguments(tmp_path, minutes=5 * SECOND)
    first = distill(args, console)
    second = distill(replace(args, minutes=8 * SECOND, resume=args.out / "latest.pt"), console)
    progress = pd.read_csv(args.out / "progress.csv")
    assert progress["iterations"].tolist() == list(range(1, 8)) and progress["seconds"].is_monotonic_increasing
    assert progress["teacher_share"].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0, 0, 0, 0])
    assert second.steps == first.steps + 3 * 16 * 8
    assert "resumed at" in console.export_text()


def test_resume_restores_weights_and_optimiser(finished):
    first, _ = finished
    second = Distillation(replace(first.args, resume=first.args.out / "latest.pt"))
    for name, value in first.student.state_dict().items():
        assert torch.equal(value, second.student.state_dict()[name]), name
    moments = [run.dagger.optimizer.state_dict()["state"][0]["exp_avg"] for run in (first, second)]
    assert torch.equal(*moments) and moments[0].any()


def test_resume_takes_the_arguments_of_the_run(finished):
    args = finished[0].args
    with pytest.raises(ConfigError, match=r"dagger\.minibatch is 32, expected 8"):
        Distillation(replace(args, resume=args.out / "latest.pt", dagger=replace(SMALL, minibatch=32)))


def test_resume_with_a_teacher_of_another_task_is_refused(finished, tmp_path):
    args = finished[0].args
    other = write_teacher(tmp_path / "other.pt", FAKE_CONFIG.replace(objects="others"))
    with pytest.raises(CheckpointError, match="objects is 'others', expected 'primitives12'"):
        Distillation(replace(args, resume=args.out / "latest.pt", teacher=other))


def test_a_policy_alone_cannot_be_resumed(finished):
    args = finished[0].args
    with pytest.raises(CheckpointError, match="a policy alone"):
        Distillation(replace(args, resume=args.out / "policy.pt"))


def test_a_damaged_state_cannot_be_resumed(finished, tmp_path):
    args = finished[0].args
    meta, payload = checkpoint.read(args.out / "latest.pt")
    checkpoint.write(tmp_path / "latest.pt", meta, payload | {"progress": {}})
    with pytest.raises(CheckpointError, match="does not fit its metadata"):
        Distillation(replace(args, resume=tmp_path / "latest.pt"))


def test_a_teacher_that_reads_what_is_not_delivered_is_refused_before_the_first_step(tmp_path, monkeypatch, console):
    monkeypatch.setattr("baselines.distill.teaching_config", lambda config, groups: config)
    with pytest.raises(ConfigError, match="observation groups state"):
        distill(arguments(tmp_path), console)
    assert not (tmp_path / "run").exists()


def test_the_environment_is_closed_when_a_teacher_is_refused(tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr("gymnasium.vector.VectorEnv.close", lambda self, **options: closed.append(self))
    args = arguments(tmp_path)
    write_teacher(args.teacher, task_fingerprint="another robot")
    with pytest.raises(CheckpointError, match="another robot"):
        Distillation(args)
    assert closed


@pytest.mark.parametrize(
    ("name", "value"), [("minutes", 0.0), ("teacher_minutes", -1.0), ("checkpoint_minutes", 0.0), ("student", "blind")]
)
def test_impossible_arguments_are_named(tmp_path, console, name, value):
    with pytest.raises(ConfigError, match=f"--{name.replace('_', '-')} must be"):
        distill(arguments(tmp_path, **{name: value}), console)


def test_an_interrupt_saves_and_ends(tmp_path, console):
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    run = distill(arguments(tmp_path, minutes=1e6), console)
    assert checkpoint.read(tmp_path / "run" / "latest.pt")[0].iterations == run.iterations


def test_what_was_learned_before_a_crash_is_kept(tmp_path, console, monkeypatch):
    def crash_later(run, iterate=Distillation.iterate):
        return iterate(run) if run.iterations < 4 else pytest.fail("a simulator was lost")

    monkeypatch.setattr(Distillation, "iterate", crash_later)
    with pytest.raises(pytest.fail.Exception, match="lost"):
        distill(arguments(tmp_path, checkpoint_minutes=2 * SECOND), console)
    assert checkpoint.read(tmp_path / "run" / "latest.pt")[0].iterations > 0


def test_the_command_line(monkeypatch, tmp_path):
    parsed = []
    monkeypatch.setattr(sys, "argv", ["baselines.distill", "--teacher", "a.pt", "--image-size", "60", "80"])
    monkeypatch.setattr("baselines.distill.distill", parsed.append)
    main()
    assert parsed[0].image_size == (60, 80) and str(parsed[0].teacher) == "a.pt" and parsed[0].minutes == 5.0
