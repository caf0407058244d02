"""Videos of a policy, streamed to the encoder frame by frame."""

from pathlib import Path
from typing import Any

import gymnasium
import imageio.v2 as imageio

from dexgrasp_envs.config import EnvConfig

from .evaluation import Policy


def record_video(
    policy: Policy, env_id: str, config: EnvConfig, path: Path, episodes: int = 4, seed: int = 1000
) -> int:
    """Film the first episodes of environment 0 and return the number of frames.

    Raises:
        RenderingError: OpenGL is missing.
    """
    env = gymnasium.make(env_id, config=config, render_mode="rgb_array", disable_env_checker=True)
    frames = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        obs, _ = env.reset(seed=seed)
        first = env.render()
        encoder: Any = imageio.get_writer(path, fps=env.metadata["render_fps"], macro_block_size=2)
        with encoder as writer:
            writer.append_data(first)
            frames += 1
            while episodes:
                action = policy.act({group: values[None] for group, values in obs.items()})[0]
                obs, _, terminated, truncated, _ = env.step(action)
                writer.append_data(env.render())
                frames += 1
                if terminated or truncated:
                    episodes -= 1
                    obs, _ = env.reset()
    finally:
        env.close()
    return frames
