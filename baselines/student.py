"""A student that sees, made from a teacher that is told: its environment, its networks, what it inherits."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from dexgrasp_envs.config import GROUPS, EnvConfig
from dexgrasp_envs.errors import CheckpointError, ConfigError
from dexgrasp_envs.remote.identity import differences
from dexgrasp_envs.tiers import on_tier

from .checkpoint import CheckpointMeta, require_task
from .policy import ActorCritic
from .ppo_config import PPOConfig
from .sight import Sight
from .stereo_student import StereoStudent, StereoStudentConfig

ACTOR_GROUPS = ("proprio", "depth")
"""What a depth student acts from."""
CRITIC_GROUPS = ("proprio", "privileged")
"""What its critic reads, which is the teacher's."""


def student_config(taught: EnvConfig, image_size: tuple[int, int], *groups: str, noisy: bool = False) -> EnvConfig:
    """The teacher's task as the student meets it once it is alone: with `groups` beside those of its id.

    A `noisy` one sees through a camera that errs as that of the tier `hard`.
    """
    observation = replace(taught.observation, groups=groups, image_size=image_size)
    if noisy:
        erring = on_tier(taught, "hard").observation
        observation = replace(observation, camera=erring.camera, depth_noise=erring.depth_noise)
    return taught.replace(observation=observation)


def teaching_config(config: EnvConfig, teacher_groups: Sequence[str]) -> EnvConfig:
    """A student's configuration with what its teacher reads besides, and the truth."""
    return config.observing("privileged", *(group for group in teacher_groups if group in GROUPS))


def require_teacher(teacher: CheckpointMeta, env: VectorEnv, critic: bool) -> None:
    """Raise unless the teacher can act in `env` and, if asked for, its critic can be handed on.

    Raises:
        ConfigError: The environment does not deliver an observation group that the teacher reads.
        CheckpointError: The teacher learned another task, reads groups of other shapes, sees through another camera,
            or has a critic that PPO with a student cannot go on with.
    """
    assert isinstance(env.single_observation_space, spaces.Dict)
    delivered = env.single_observation_space.spaces
    missing = [group for group in teacher.actor_groups if group not in delivered]
    if missing:
        raise ConfigError(
            f"the teacher reads the observation groups {', '.join(missing)}, which this environment does not deliver; "
            f"it has {', '.join(delivered)}: take another teacher"
        )
    if critic and tuple(teacher.critic_groups) != CRITIC_GROUPS:
        raise CheckpointError(
            f"the teacher's critic reads {', '.join(teacher.critic_groups)}, but the student's, which it becomes, "
            f"reads {', '.join(CRITIC_GROUPS)}; take a teacher that was trained with privileged observations"
        )
    require_task(teacher, env, [*teacher.actor_groups, *(CRITIC_GROUPS if critic else ())])
    if teacher.sight is not None:
        camera, taught = env.metadata["camera"], teacher.sight["camera"]
        found = list(differences({name: camera.get(name) for name in taught}, taught, "camera"))
        if found:
            raise CheckpointError(f"the teacher sees through another camera than its student: {'; '.join(found)}")


def make_depth_student(teacher: ActorCritic, env: VectorEnv, config: PPOConfig) -> ActorCritic:
    """A policy of depth images with the teacher's critic, running statistics and standard deviations, all else new."""
    assert isinstance(env.single_observation_space, spaces.Dict)
    assert isinstance(env.single_action_space, spaces.Box)
    student = ActorCritic(
        env.single_observation_space,
        env.single_action_space,
        ACTOR_GROUPS,
        CRITIC_GROUPS,
        config.hidden,
        sight=Sight.of(env),
        encoder=config.encoder,
    )
    for group, normalizer in student.normalizers.items():
        normalizer.load_state_dict(teacher.normalizers[group].state_dict())
    student.return_normalizer.load_state_dict(teacher.return_normalizer.state_dict())
    student.critic.load_state_dict(teacher.critic.state_dict())
    with torch.no_grad():
        student.log_std.copy_(teacher.log_std)
    return student


def make_stereo_student(teacher: ActorCritic, env: VectorEnv, config: StereoStudentConfig) -> StereoStudent:
    """A student of stereo pairs with the teacher's statistics of `proprio` and standard deviations, all else new."""
    assert isinstance(env.single_observation_space, spaces.Dict)
    assert isinstance(env.single_action_space, spaces.Box)
    student = StereoStudent(env.single_observation_space, env.single_action_space, Sight.of(env), config)
    student.normalizer.load_state_dict(teacher.normalizers["proprio"].state_dict())
    with torch.no_grad():
        student.log_std.copy_(teacher.log_std)
    return student
