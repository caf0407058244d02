"""Objects from a folder of meshes, to draw them: turned, and so closed and curved as household things are."""

import tempfile
from pathlib import Path

import gymnasium
import numpy as np

from dexgrasp_envs.registration import STATE_ID
from dexgrasp_envs.vector_env import DexGraspVectorEnv

SECTIONS = 128
"""Corners of a turned outline's circles: 1,024 to 1,536 triangles each."""
OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "bottle": (
        (0.0, 0.0), (0.03, 0.0), (0.032, 0.01), (0.032, 0.1), (0.028, 0.12), (0.012, 0.14), (0.012, 0.17), (0.0, 0.17),
    ),
    "bowl": ((0.0, 0.0), (0.025, 0.0), (0.05, 0.02), (0.06, 0.05), (0.056, 0.05), (0.046, 0.023), (0.0, 0.006)),
    "cup": ((0.0, 0.0), (0.03, 0.0), (0.038, 0.08), (0.034, 0.08), (0.027, 0.005), (0.0, 0.005)),
    "plate": ((0.0, 0.0), (0.04, 0.0), (0.07, 0.012), (0.07, 0.016), (0.04, 0.006), (0.0, 0.006)),
    "vase": ((0.0, 0.0), (0.02, 0.0), (0.04, 0.05), (0.02, 0.10), (0.03, 0.13), (0.026, 0.13), (0.0, 0.11)),
}  # fmt: skip
"""(radius, height) from the axis back to it, m."""


def mesh_env(num_envs: int) -> DexGraspVectorEnv:
    """Environments at the start of episodes with these objects."""
    import trimesh

    with tempfile.TemporaryDirectory() as folder:
        for name, outline in OUTLINES.items():
            trimesh.creation.revolve(np.array(outline), sections=SECTIONS).export(Path(folder) / f"{name}.ply")
        env: DexGraspVectorEnv = gymnasium.make_vec(STATE_ID, num_envs=num_envs, objects=f"{folder}/").unwrapped  # type: ignore[assignment]
    env.reset(seed=0)
    return env
