"""Videos of a policy, the depth view beside the scene, streamed to the encoder frame by frame."""

from pathlib import Path
from typing import Any

import gymnasium
import imageio.v2 as imageio
import matplotlib
import numpy as np

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
        first = beside_depth(env.render(), obs)
        encoder: Any = imageio.get_writer(path, fps=env.metadata["render_fps"], macro_block_size=2)
        with encoder as writer:
            writer.append_data(first)
            frames += 1
            state, starts = None, np.ones(1, dtype=bool)
            while episodes:
                batch = {group: values[None] for group, values in obs.items()}
                actions, state = policy.predict(batch, state, starts, deterministic=True)
                obs, _, terminated, truncated, _ = env.step(actions[0])
                starts[:] = terminated or truncated
                writer.append_data(beside_depth(env.render(), obs))
                frames += 1
                if terminated or truncated:
                    episodes -= 1
                    obs, _ = env.reset()
    finally:
        env.close()
    return frames


def beside_depth(picture: Any, obs: dict[str, np.ndarray]) -> np.ndarray:
    """The picture [H, W, 3] with the depth image of `obs`, if there is one, in colours and enlarged to its right."""
    if "depth" not in obs:
        return np.asarray(picture)
    depth = obs["depth"][0].astype(np.float64)
    seen = depth > 0
    low, high = (depth[seen].min(), depth[seen].max()) if seen.any() else (0.0, 1.0)
    colours = matplotlib.colormaps["viridis_r"]((depth - low) / max(high - low, 1e-9))[..., :3]
    colours[~seen] = 0.0
    height = picture.shape[0]
    rows = np.arange(height) * depth.shape[0] // height
    width = height * depth.shape[1] // depth.shape[0]
    columns = np.arange(width) * depth.shape[1] // width
    return np.concatenate([picture, (255 * colours[rows][:, columns]).astype(np.uint8)], 1)
