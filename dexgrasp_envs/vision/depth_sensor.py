"""The depth camera of every environment: where it is, when it looks, and what it saw last."""

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..config import ObservationConfig
from ..objects import ObjectSet
from ..robots.robot import Robot
from ..scene.scene import Scene
from ..types import Arrays, SimState
from .camera import Intrinsics, depth_scale, mounted_poses
from .ray_caster import RayCaster


class DepthSensor:
    """One depth camera per environment, [N, 1, H, W] images of the state *now*.

    With an image period above 1, an image is taken at every n-th step of an episode, and at its start in any case.
    """

    def __init__(
        self, scene: Scene, robot: Robot, objects: ObjectSet, config: ObservationConfig, num_envs: int, threads: int
    ):
        """`threads` 0 means one per core."""
        self._config = config
        self._caster = RayCaster(scene, objects, threads)
        self._lens = Intrinsics.of(config)
        self._scale = depth_scale(config)
        mount = config.camera.mount
        self._mount = None if mount == "world" else robot.body_names.index(mount)
        self._mounted_pos = np.zeros((num_envs, 3), np.float32)
        self._mounted_rot = np.zeros((num_envs, 3, 3), np.float32)
        dtype: Any = np.dtype(config.depth_format)
        shape = (1, self._lens.height, self._lens.width)
        # Kept only where they are shown again.
        self._last = np.zeros((num_envs, *shape), dtype) if config.image_period > 1 else None
        high = config.camera.far if dtype.kind == "f" else round(config.camera.far / self._scale)
        self.space = gymnasium.spaces.Box(0, high, shape, dtype)
        """Of one environment."""

    def start(self, rows: Tensor, seed: Tensor, env_index: Tensor, episode: Tensor) -> None:
        """Place the cameras of `rows` [n], whose episodes begin; all [n] int64."""
        index = rows.numpy()
        self._mounted_pos[index], self._mounted_rot[index] = mounted_poses(
            self._config.camera, seed.numpy(), env_index.numpy(), episode.numpy()
        )

    def look(self, rows: Tensor, sim: SimState, object_index: Tensor, step: Tensor) -> Tensor:
        """Images [n, 1, H, W] of `rows` [n], fresh; sim, object_index and step (of the episode) hold all N rows.

        What is taken of a diverged row is zeros.
        """
        index = rows.numpy()
        if self._last is None:
            return torch.from_numpy(self._take(index, sim, object_index))
        due = index[step.numpy()[index] % self._config.image_period == 0]
        self._last[due] = self._take(due, sim, object_index)
        return torch.from_numpy(self._last[index])

    def get_state(self) -> Arrays:
        """Images that may be shown again."""
        return {} if self._last is None else {"camera.last": self._last.copy()}

    def set_state(self, arrays: Arrays) -> None:
        """The inverse of `get_state`; `start` places the cameras."""
        if self._last is not None:
            self._last[...] = arrays["camera.last"]

    def close(self) -> None:
        """Free the threads; may be called twice."""
        self._caster.close()

    def _take(self, index: npt.NDArray[np.int64], sim: SimState, object_index: Tensor) -> npt.NDArray[np.generic]:
        images = np.zeros((len(index), *self.space.shape), self.space.dtype)
        seen = ~sim.diverged.numpy()[index]
        out = images if seen.all() else images[seen]
        body_pos, body_rot = sim.body_pos.numpy(), sim.body_rot.numpy()
        self._caster.cast(
            index[seen],
            object_index.numpy(),
            body_pos,
            body_rot,
            *self._camera_poses(body_pos, body_rot),
            self._lens,
            self._config.camera.near,
            self._config.camera.far,
            self._scale,
            out[:, 0],
        )
        if out is not images:
            images[seen] = out
        return images

    def _camera_poses(
        self, body_pos: npt.NDArray[np.float32], body_rot: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """World positions [N, 3] and rotations [N, 3, 3]."""
        if self._mount is None:
            return self._mounted_pos, self._mounted_rot
        pos, rot = body_pos[:, self._mount], body_rot[:, self._mount]
        # Sums of products, whose bits do not depend on the batch size as those of a matrix product may.
        turned = (rot[:, :, :, None] * self._mounted_rot[:, None]).sum(2)
        return pos + (rot * self._mounted_pos[:, None]).sum(2), turned
