"""Draw docs/images/stereo.png: left, right and the depth of the left, of a state policy's grasps in two lights.

Run from the root of the project: `python docs/stereo_picture.py`.
"""

from pathlib import Path
from typing import Any

import gymnasium
import imageio.v2 as imageio
import numpy as np

from baselines.checkpoint import load_policy
from baselines.video import beside_depth
from dexgrasp_envs.registration import STEREO_ID

STEPS = 45
"""Actions before the picture: time to grasp and lift."""
OUT = Path("docs/images/stereo.png")


def main() -> None:
    """Entry point."""
    policy, _ = load_policy(Path("results/checkpoints/state.pt"))
    rows = [
        grasp(policy, light, name) for light, name in (("fixed", "cylinder_small_12cm"), ("random", "cuboid_large_8cm"))
    ]
    imageio.imwrite(OUT, np.concatenate(rows))
    print(f"wrote {OUT}")


def grasp(policy: Any, light: str, name: str) -> np.ndarray:
    """One row of the picture, [H, 3 W, 3]."""
    envs = gymnasium.make_vec(
        STEREO_ID, num_envs=1, groups=("depth", "state"), image_size=(240, 320), light=light, threads=1
    )
    obs, _ = envs.reset(seed=8, options={"object": name})
    for _ in range(STEPS):
        obs, *_ = envs.step(policy.act(obs))
    envs.close()
    pair = [obs[group][0].transpose(1, 2, 0) for group in ("left", "right")]
    return beside_depth(np.concatenate(pair, 1), {"depth": obs["depth"][0]})


if __name__ == "__main__":
    main()
