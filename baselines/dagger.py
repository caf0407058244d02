"""Online imitation of a teacher (DAgger, Ross et al. 2011): the student drives, the teacher says what it would do."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from math import inf
from time import perf_counter
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from torch import Tensor

from dexgrasp_envs.errors import ConfigError

from .encoder import EncoderConfig
from .episodes import EpisodeTracker
from .loss import locating_loss
from .policy import ActorCritic
from .recent_samples import RecentSamples
from .stereo_student import StereoStudent

MEAN_LIMIT = 1.2
"""Means of a teacher are imitated up to here: beyond 1 they all do the same, and may be far out."""
Student = ActorCritic | StereoStudent
"""Who can learn from a teacher."""
REPORT_STEPS = 16
"""Environment steps between two reports."""


@dataclass(frozen=True)
class DaggerConfig:
    """Settings of learning from a teacher.

    Raises:
        ConfigError: A value is not positive; the message names the field.
    """

    recent_steps: int = 100
    """Steps of all environments that are learned from, the last ones."""
    gradient_steps: int = 2
    """Gradient steps after each step of the environments."""
    minibatch: int = 512
    """Samples in a gradient step; of a student that remembers, in stretches of consecutive ones."""
    learning_rate: float = 1e-3
    """Step size of Adam at the start."""
    final_learning_rate: float = 1e-4
    """Step size at the end, to which it falls linearly."""
    position_weight: float = 10.0
    """Weight of the loss of the object's position as seen in images, beside that of the actions."""
    max_grad_norm: float = 1.0
    """Largest norm of the gradient over the parameters of the actor, and over those of the encoder."""
    warm_up_rounds: int = 40
    """Resets whose images teach the encoder to see beforehand."""
    warm_up_steps: int = 1000
    """Gradient steps of that lesson."""
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    """Network over depth images."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name != "encoder" and not 0 < value < inf:
                raise ConfigError(f"dagger's {name} must be positive and finite, got {value}")


class Dagger:
    """Steps the environments, lets teacher or student act, and trains the student's actor, core and encoder.

    The loss is the distance of the two means in units of the teacher's standard deviations, as DextrAH-RGB has it (the
    standard deviations themselves are the teacher's from the start), and that of the object's position. Critic, running
    statistics and standard deviations stay as they are. Every second row gets the teacher's
    exploration noise, so that the student learns to recover; the outcomes reported are those of the other rows. In the
    first episode length every row is reset once at a random step, so that what is learned from is not all of one age.

    Args:
        env: N environments that reset finished rows in the same step and deliver what both policies read.
        teacher: Whose mean actions are imitated.
        student: A policy that sees. What it remembers before a stretch of steps is what it remembered when it acted.
        config: Settings.
    """

    def __init__(self, env: VectorEnv, teacher: ActorCritic, student: Student, config: DaggerConfig) -> None:
        assert student.sight is not None and isinstance(env.single_observation_space, spaces.Dict)
        self.env, self.teacher, self.student, self.config = env, teacher, student, config
        self.sight = student.sight
        self.taught = student.taught
        self.optimizer = torch.optim.Adam([p for part in self.taught for p in part], eps=1e-5, fused=True)
        space, actions = env.single_observation_space, student.log_std.shape[0]
        groups = tuple(dict.fromkeys((*student.groups, "privileged")))
        self.recent = RecentSamples(space, groups, actions, student.state_size, config.recent_steps, env.num_envs)
        self.std = teacher.log_std.detach().exp()
        self.noisy = torch.arange(env.num_envs) % 2 == 1
        self.max_steps: int = env.unwrapped.config.max_steps  # type: ignore[attr-defined]
        self.finished: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=max(1, env.num_envs // 2)))
        self.obs: dict[str, np.ndarray] | None = None

    def start(self, seed: int) -> None:
        """Begin episodes in all environments, and draw when each is cut short once; to be called before `iterate`."""
        self.obs, _ = self.env.reset(seed=seed)
        self.starts = torch.ones(self.env.num_envs, dtype=torch.bool)
        self.state = torch.zeros(self.env.num_envs, self.student.state_size)
        self.steps = 0
        self.episodes = EpisodeTracker(self.env.num_envs, self.max_steps)
        self.forced_resets = np.random.default_rng(seed).integers(0, self.max_steps, self.env.num_envs)

    def iterate(self, teacher_share: float, learning_rate: float) -> dict[str, float]:
        """`REPORT_STEPS` steps, each followed by gradient steps.

        Args:
            teacher_share: Probability with which the teacher's mean is acted in a row, else the student's.
            learning_rate: Step size of Adam.

        Returns:
            `action_error` (root mean square difference of the two means, clipped, in observations not yet learned from)
            and `position_error_cm` there; losses; seconds by part; means over the last finished episodes.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        measured: dict[str, list[Tensor]] = defaultdict(list)
        env_seconds, start = 0.0, perf_counter()
        for _ in range(REPORT_STEPS):
            actions, measures = self._act(teacher_share)
            before = perf_counter()
            self._step(actions)
            env_seconds += perf_counter() - before
            for _ in range(self.config.gradient_steps):
                measures |= self._learn()
            for name, value in measures.items():
                measured[name].append(value)
        means = {name: torch.stack(values).mean().item() for name, values in measured.items()}
        seconds = perf_counter() - start
        return (
            means
            | self._outcomes()
            | {
                "action_error": means["action_error"] ** 0.5,
                "teacher_share": teacher_share,
                "lr": learning_rate,
                "env_seconds": env_seconds,
                "learning_seconds": seconds - env_seconds,
                "steps_per_second": REPORT_STEPS * self.env.num_envs / seconds,
            }
        )

    @torch.inference_mode()
    def _act(self, teacher_share: float) -> tuple[np.ndarray, dict[str, Tensor]]:
        """Actions [N, A] within the action space, and how far the student is off; the observations are stored."""
        assert self.obs is not None
        obs = {name: torch.as_tensor(values) for name, values in self.obs.items()}
        wanted = self.teacher(obs).clamp(-MEAN_LIMIT, MEAN_LIMIT)
        self.recent.store(self.obs, wanted, self.starts, self.state)
        now = {name: obs[name][None] for name in self.student.actor_groups}
        means, positions, self.state = self.student.unroll(now, self.state, self.starts[None])
        mean = means[0]
        by_teacher = torch.rand(len(mean), 1) < teacher_share
        noise = self.noisy[:, None] * self.std * torch.randn_like(mean)
        actions = torch.where(by_teacher, wanted, mean) + noise
        error = (mean.clamp(-1, 1) - wanted.clamp(-1, 1)).square().mean()
        _, position_error = locating_loss(self.sight, positions[0], obs["privileged"])
        return actions.clamp(-1, 1).numpy(), {"action_error": error, "position_error_cm": position_error}

    def _step(self, actions: np.ndarray) -> None:
        self.obs, reward, terminated, truncated, infos = self.env.step(actions)
        final = self.env.unwrapped.final_rows  # type: ignore[attr-defined]
        finished = self.episodes.step(reward, infos, final)
        undisturbed = ~self.noisy.numpy()[final.index]
        for name, values in finished.items():
            self.finished[name].extend(values[undisturbed].tolist())
        self.steps += 1
        dones = terminated | truncated
        forced = (self.forced_resets == self.steps) & ~dones
        self.starts = torch.as_tensor(dones | forced)
        if forced.any():
            self.episodes.forget(forced)
            self.obs, _ = self.env.reset(options={"reset_mask": forced})

    def _learn(self) -> dict[str, Tensor]:
        """One gradient step; losses to report."""
        stretch = self.student.stretch
        drawn = self.recent.draw(max(1, self.config.minibatch // stretch), stretch)
        means, positions, _ = self.student.unroll(drawn.obs, drawn.state, drawn.starts)
        action_loss = ((means - drawn.means) / self.std).norm(dim=-1).mean()
        position_loss, _ = locating_loss(self.sight, positions, drawn.obs["privileged"])
        loss = action_loss + self.config.position_weight * position_loss
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for part in self.taught:
            torch.nn.utils.clip_grad_norm_(part, self.config.max_grad_norm)
        self.optimizer.step()
        return {"action_loss": action_loss.detach(), "position_loss": position_loss.detach()}

    def _outcomes(self) -> dict[str, Any]:
        return {name: float(np.mean(values)) for name, values in self.finished.items() if values}
