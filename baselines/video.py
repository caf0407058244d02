"""Videos of a policy, with what it sees beside the scene."""

from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium

from dexgrasp_envs.config import EnvConfig
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
        moments = rollout(env, policy.act, seed, episodes)
        return write_video(path, (frame(env, moment) for moment in moments), env.metadata["render_fps"])
