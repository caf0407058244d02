import os
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import torch
from rich.console import Console

from baselines import checkpoint
from baselines.dagger import DaggerConfig
from baselines.distill import STUDENTS, Args, Distillation, distill
from baselines.encoder import EncoderConfig
from baselines.evaluate import evaluate_checkpoint
from baselines.evaluation import evaluate
from baselines.stereo_student import StereoStudent
from dexgrasp_envs.errors import CheckpointError, ConfigError
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_STEREO_ID, FakeVectorEnv
from tests.baselines.teachers import write_teacher

SMALL = DaggerConfig(
    recent_steps=48,
    minibatch=256,
    learning_rate=3e-3,
    warm_up_rounds=2,
    warm_up_steps=20,
    encoder=EncoderConfig((8, 16), (4, 3), (2, 2), 32, 32),
)
SECOND = 1 / 60


@pytest.fixture(autouse=True, scope="module")
def small_world():
    """Students act in the fake environment, and every look at the clock takes a second."""
    ticks = count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STUDENTS, "stereo", FAKE_STEREO_ID)
        patch.setattr("baselines.distill.perf_counter", lambda: float(next(ticks)))
        patch.setattr("baselines.sight_training.MINIBATCH", 32)
        yield


def arguments(folder, **changes) -> Args:
    settings = {"minutes": 4 * SECOND, "teacher_minutes": SECOND, "num_envs": 8, "image_size": (24, 32)}
    teacher = write_teacher(folder / "teacher.pt")
    settings |= {"dagger": SMALL, "student": "stereo", "out": folder / "run"}
    return Args(teacher, **(settings | changes))


def run(args: Args) -> Distillation:
    return distill(args, Console(file=open(os.devnull, "w")))


@pytest.fixture(scope="module")
def ran(small_world, tmp_path_factory) -> tuple[Args, Distillation]:
    """A run that has ended."""
    args = arguments(tmp_path_factory.mktemp("ran"))
    return args, run(args)


def test_the_student_learns_to_act_like_the_teacher(tmp_path):
    learner = Distillation(arguments(tmp_path, num_envs=32))
    for _ in learner.warm_up():
        pass
    learner.dagger.start(seed=0)
    env = FakeVectorEnv(64, FAKE_CONFIG.replace(observation=learner.env.unwrapped.config.observation))
    before = evaluate(learner.student, env, 1, seed=9).rate("success_at_end").estimate
    for i in range(12):
        learner.dagger.iterate(max(0.0, 1 - i / 4), 3e-3)
    assert before < 0.3 < 0.7 < evaluate(learner.student, env, 1, seed=9).rate("success_at_end").estimate


def test_what_is_remembered_goes_with_the_episodes(tmp_path):
    dagger = Distillation(arguments(tmp_path)).dagger
    dagger.start(seed=0)
    dagger.iterate(1.0, 1e-3)
    recent = dagger.recent
    obs = {group: values[:16] for group, values in recent.obs.items()}
    assert recent.starts[0].all() and not recent.states[0].any() and recent.states[1].any()
    assert recent.starts[1:16].any() and obs["left"].dtype == torch.uint8


def test_a_student_is_evaluated_from_its_file(ran):
    args, learner = ran
    evaluation = evaluate_checkpoint(args.out / "policy.pt", 8, 1, seed=9)
    assert isinstance(evaluation.policy, StereoStudent) and evaluation.result.summary()["episodes"] == 8
    obs, _ = learner.env.reset(seed=9)
    for mine, theirs in zip(
        learner.student.predict(obs, deterministic=True)[1], evaluation.policy.predict(obs)[1], strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_a_student_needs_nothing_of_what_it_was_taught_with(ran):
    meta, _ = checkpoint.read(ran[0].out / "policy.pt")
    assert meta.env_id == FAKE_STEREO_ID and set(meta.observation_space) == {"proprio", "left", "right"}
    assert checkpoint.config_of(meta).observation.groups == ("left", "right")


def test_resume_restores_weights_and_optimiser(ran):
    args, first = ran
    second = Distillation(replace(args, resume=args.out / "latest.pt"))
    for name, value in first.student.state_dict().items():
        assert torch.equal(value, second.student.state_dict()[name]), name


def test_a_recurrent_student_cannot_teach_nor_be_trained_by_ppo(ran):
    args, _ = ran
    with pytest.raises(CheckpointError, match="recurrent student"):
        Distillation(replace(args, teacher=args.out / "policy.pt"))


def test_a_teacher_that_reads_what_is_not_delivered_is_refused_before_the_first_step(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "baselines.distill.teaching_config", lambda config, groups: config.observing("privileged", "left", "right")
    )
    with pytest.raises(ConfigError, match="observation groups state"):
        run(arguments(tmp_path))
    assert not (tmp_path / "run").exists()
