import dataclasses

import gymnasium
import pytest
import torch

from baselines import checkpoint
from baselines.encoder import EncoderConfig
from baselines.ppo_config import DEPTH_PPO
from baselines.student import make_depth_student, require_teacher, student_config, teaching_config
from dexgrasp_envs.config import EnvConfig, EpisodeConfig, RewardConfig
from dexgrasp_envs.errors import CheckpointError, ConfigError
from dexgrasp_envs.tiers import TIERS
from tests.baselines.fake_env import CAMERA, FAKE_DEPTH_CONFIG, FAKE_DEPTH_ID
from tests.baselines.teachers import HIDDEN, make_teacher, write_teacher

TEACHING = FAKE_DEPTH_CONFIG.observing("state")


def make_env(config: EnvConfig = TEACHING):
    return gymnasium.make_vec(FAKE_DEPTH_ID, num_envs=2, config=config)


@pytest.fixture
def teacher_meta(tmp_path) -> checkpoint.CheckpointMeta:
    return checkpoint.read(write_teacher(tmp_path / "teacher.pt"))[0]


def test_a_student_meets_its_teachers_task_with_its_own_observations():
    taught = EnvConfig(reward=RewardConfig(lift=7.0)).observing("state", "privileged")
    config = student_config(taught, (24, 32), "privileged")
    assert config.reward.lift == 7.0 and config.observation.image_size == (24, 32)
    assert config.observation.groups == ("privileged",)
    assert config.observation.camera == taught.observation.camera


def test_a_noisy_student_sees_through_the_camera_of_the_hard_tier_and_meets_the_same_task():
    taught = EnvConfig(objects="train").observing("state", "privileged")
    exact, noisy = (student_config(taught, (24, 32), "depth", noisy=noisy) for noisy in (False, True))
    hard = TIERS["hard"]
    assert noisy.observation.depth_noise == hard.depth_noise != exact.observation.depth_noise
    camera = noisy.observation.camera
    assert (camera.position_jitter, camera.rotation_jitter) == (hard.position_jitter, hard.rotation_jitter) != (0, 0)
    assert noisy.replace(observation=exact.observation) == exact


def test_while_taught_it_is_delivered_what_the_teacher_reads():
    config = student_config(EnvConfig(), (24, 32))
    assert teaching_config(config, ("proprio", "state")).observation.groups == ("state", "privileged")


def test_a_student_inherits_all_that_does_not_see():
    config = dataclasses.replace(DEPTH_PPO, hidden=HIDDEN, encoder=EncoderConfig((8, 16), (4, 3), (2, 2), 32))
    teacher = make_teacher()
    student = make_depth_student(teacher, make_env(), config)
    assert student.actor_groups == ("proprio", "depth") and student.critic_groups == ("proprio", "privileged")
    known = teacher.state_dict()
    inherited = ("normalizers.proprio", "normalizers.privileged", "return_normalizer", "critic", "log_std")
    for name, value in student.state_dict().items():
        if name.startswith(inherited):
            assert torch.equal(value, known[name]), name
    obs = {name: torch.as_tensor(values) for name, values in make_env().reset(seed=0)[0].items()}
    torch.testing.assert_close(student.values(obs), teacher.values(obs))


def test_a_teacher_that_fits_is_taken(teacher_meta):
    require_teacher(teacher_meta, make_env(), critic=True)


def test_a_group_that_is_not_delivered_is_named(teacher_meta):
    with pytest.raises(ConfigError, match="reads the observation groups state, which"):
        require_teacher(teacher_meta, make_env(FAKE_DEPTH_CONFIG), critic=True)


def test_a_teacher_of_another_task_is_refused_and_told_what_differs(teacher_meta):
    other = TEACHING.replace(episode=EpisodeConfig(seconds=4.0))
    with pytest.raises(CheckpointError, match=r"episode\.seconds is 4\.0, expected 2\.0"):
        require_teacher(teacher_meta, make_env(other), critic=True)


def test_a_teacher_with_another_robot_is_refused(teacher_meta):
    env = make_env()
    env.unwrapped.task_fingerprint = "another robot"
    with pytest.raises(CheckpointError, match="another robot"):
        require_teacher(teacher_meta, env, critic=True)


def test_a_teacher_that_reads_a_group_of_another_size_is_refused(teacher_meta):
    spaces = teacher_meta.observation_space | {"state": {"shape": [5], "dtype": "float32"}}
    with pytest.raises(CheckpointError, match="'state' is float32"):
        require_teacher(dataclasses.replace(teacher_meta, observation_space=spaces), make_env(), critic=True)


def test_a_critic_that_ppo_could_not_go_on_with_is_refused(teacher_meta):
    with pytest.raises(CheckpointError, match="critic reads proprio, state"):
        require_teacher(dataclasses.replace(teacher_meta, critic_groups=["proprio", "state"]), make_env(), critic=True)


def test_a_teacher_that_sees_through_another_camera_is_refused(teacher_meta):
    sight = {"camera": CAMERA | {"fx": 31.0}}
    with pytest.raises(CheckpointError, match=r"camera\.fx is 29\.0, expected 31\.0"):
        require_teacher(dataclasses.replace(teacher_meta, sight=sight), make_env(), critic=True)
