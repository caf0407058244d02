"""Videos of a policy, with what it sees beside the scene."""

from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.viewing.policies import Observation, Starts
from dexgrasp_envs.viewing.rollout import frame, rollout
from dexgrasp_envs.viewing.video import write_video

from .evaluation import Policy


def record_video(
    policy: Policy, env_id: str, config: EnvConfig, path: Path, episodes: int = 4, seed: int = 1000
) -> int:
    """Film the first episodes of environment 0 and return the number of frames.

    Raises:
        ConfigError: The name of the video does not end in .mp4, or its folder cannot be made.
        RenderingError: OpenGL is missing.
    """
    options: dict[str, Any] = {"config": config, "render_mode": "rgb_array", "autoreset_mode": "Disabled"}
    with closing(gymnasium.make_vec(env_id, 1, **options)) as env:
        frames = (frame(env, moment) for moment in rollout(env, Remembering(policy), seed, episodes))
        return write_video(path, frames, env.metadata["render_fps"])


class Remembering:
    """A policy with its memory, as `dexgrasp_envs.viewing` takes it; deterministic."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.state: tuple[np.ndarray, ...] | None = None

    def __call__(self, obs: Observation, starts: Starts) -> np.ndarray:
        """Actions [N, A] for observations [N, ...]; episodes begin in the rows `starts` [N]."""
        actions, self.state = self.policy.predict(obs, self.state, starts, deterministic=True)
        return actions
