"""The usual way to get depth on a CPU: a plain MuJoCo simulation with its OpenGL renderer, as a Gymnasium environment.

Its only work is what cannot be left out: the physics substeps towards given set-points, and one depth image.
"""

import os
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import numpy.typing as npt

from dexgrasp_envs.scene.scene import ViewCamera
from dexgrasp_envs.sim.mujoco.offscreen import free_camera


class PeerEnv(gymnasium.Env[Any, npt.NDArray[np.float64]]):
    """Steps a compiled model from a saved state; the action is the servo set-points [S, J] of all substeps."""

    def __init__(self, folder: str, row: int, substeps: int, image_size: tuple[int, int], camera: ViewCamera):
        """`folder` holds the model of each row, and work.npz with the states [N, ...]."""
        self._model = mujoco.MjModel.from_binary_path(str(Path(folder) / f"model{row}.mjb"))
        work = np.load(Path(folder) / "work.npz")
        self._start = work["state"][row]
        self._data = mujoco.MjData(self._model)
        fastest_settings(self._model)
        self._model.vis.global_.fovy = camera.fovy
        self._camera = free_camera(camera)
        self._renderer = mujoco.Renderer(self._model, *image_size)
        self._renderer.enable_depth_rendering()
        joints = self._model.nu
        self.observation_space = gymnasium.spaces.Dict(
            {
                "depth": gymnasium.spaces.Box(0.0, np.inf, image_size, np.float32),
                "joints": gymnasium.spaces.Box(-np.inf, np.inf, (joints,), np.float32),
            }
        )
        self.action_space = gymnasium.spaces.Box(-np.inf, np.inf, (substeps, joints), np.float64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Go back to the saved state."""
        super().reset(seed=seed)
        mujoco.mj_setState(self._model, self._data, self._start, mujoco.mjtState.mjSTATE_INTEGRATION)
        mujoco.mj_forward(self._model, self._data)
        return self._observe(), {}

    def step(self, action: npt.NDArray[np.float64]) -> Any:
        """All substeps and one image."""
        for setpoints in action:
            self._data.ctrl[:] = setpoints
            mujoco.mj_step(self._model, self._data)
        return self._observe(), 0.0, False, False, {}

    def close(self) -> None:
        """Free the OpenGL context."""
        self._renderer.close()

    def _observe(self) -> dict[str, npt.NDArray[np.float32]]:
        self._renderer.update_scene(self._data, self._camera)
        joints = self._data.qpos[: self._model.nu].astype(np.float32)
        return {"depth": self._renderer.render(), "joints": joints}


def fastest_settings(model: mujoco.MjModel) -> None:
    """No multisampling, no shadows."""
    model.vis.quality.offsamples = 0
    model.vis.quality.shadowsize = 0
    model.light_castshadow[:] = False


def use_one_thread_each() -> None:
    """Keep the software renderer of every worker to one thread: more workers than cores would only trip each other."""
    os.environ.setdefault("LP_NUM_THREADS", "1")
