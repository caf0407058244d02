"""Draw docs/images/stereo.png: left, right and the depth of the left, of a state policy's grasps in two lights.

Run from the root of the project: `python docs/stereo_picture.py`.
"""

from pathlib import Path
from typing import Any

import gymnasium
import imageio.v2 as imageio
import numpy as np

from baselines.checkpoint import load_policy
from dexgrasp_envs.registration import STEREO_ID
from dexgrasp_envs.viewing.panes import panes

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
        obs, *_ = envs.step(policy.predict(obs, deterministic=True)[0])
    envs.close()
    return np.concatenate(list(panes({group: values[0] for group, values in obs.items()}).values()), 1)


if __name__ == "__main__":
    main()
