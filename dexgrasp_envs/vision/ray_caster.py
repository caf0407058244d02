"""Depth and segmentation images of a batch of environments, on a pool of native threads."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from ..objects import ObjectSet
from ..scene.scene import Scene
from .camera import Intrinsics
from .geom_table import object_table, scene_table
from .ray_kernels import cast_frames

_CHUNK = 4
"""Most frames that a thread takes at a time: small, so that threads end together."""


class RayCaster:
    """Casts rays at the primitive shapes of robot, object, fixtures and floor.

    A frame depends only on its own environment, so results do not depend on grouping nor on the number of threads.
    """

    def __init__(self, scene: Scene, objects: ObjectSet, threads: int):
        """`threads` 0 means one per core."""
        self._fixed = scene_table(scene).arrays()
        self._objects = object_table(scene, objects).arrays()
        self._threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._threads) if self._threads > 1 else None

    def cast(
        self,
        rows: npt.NDArray[np.int64],
        object_index: npt.NDArray[np.int64],
        body_pos: npt.NDArray[np.float32],
        body_rot: npt.NDArray[np.float32],
        camera_pos: npt.NDArray[np.float32],
        camera_rot: npt.NDArray[np.float32],
        lens: Intrinsics,
        near: float,
        far: float,
        scale: float,
        out: npt.NDArray[np.generic],
        ids: npt.NDArray[np.int16] | None = None,
    ) -> None:
        """Draw the environments `rows` [n] into out [n, H, W] and, if given, part ids into ids [n, H, W].

        object_index [N]; body_pos [N, B, 3] m and body_rot [N, B, 3, 3] in the order of `SimState`; camera_pos [N, 3] m
        and camera_rot [N, 3, 3] in the world frame. Depth along the optical axis in units of `scale` m, in the dtype of
        `out`, rounded if that is an integer; 0 (and id -1) where nothing lies between near and far, m.
        """
        rounding = np.float32(0.0 if out.dtype.kind == "f" else 0.5)
        lens_and_range = (lens.rays(), np.float32(near), np.float32(far), np.float32(scale), rounding)

        def draw(start: int) -> None:
            chunk = slice(start, start + size)
            scratch = np.empty((1, lens.height, lens.width), np.int16) if ids is None else ids[chunk]
            cast_frames(
                rows[chunk], self._fixed, self._objects, object_index, body_pos, body_rot, camera_pos, camera_rot,
                *lens_and_range, out[chunk], scratch,
            )  # fmt: skip

        size = len(rows) if self._pool is None else max(1, min(_CHUNK, -(-len(rows) // self._threads)))
        starts = range(0, len(rows), max(1, size))
        if self._pool is None:
            for start in starts:
                draw(start)
        else:
            list(self._pool.map(draw, starts))

    def close(self) -> None:
        """Free the threads; may be called twice."""
        if self._pool is not None:
            self._pool.shutdown()
