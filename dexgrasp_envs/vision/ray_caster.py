"""Depth, segmentation and colour images of a batch of environments, on a pool of native threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..objects import ObjectSet
from ..scene.scene import Scene
from .camera import Intrinsics
from .depth_noise import NO_NOISE, DepthNoise
from .film import Film
from .film_kernels import develop_frames
from .geom_table import object_table, part_names, scene_table
from .looks import object_looks, scene_looks
from .ray_kernels import cast_frames
from .shade_kernels import shade_frames
from .skins import own_looks

_CHUNK = 4
"""Most frames that a thread takes at a time: small, so that threads end together."""


@dataclass(frozen=True)
class Shot:
    """What is drawn: some of N environments, how everything stands in them, and the camera of each."""

    rows: npt.NDArray[np.int64]
    """Environments to draw, [n]."""
    object_index: npt.NDArray[np.int64]
    """[N]."""
    body_pos: npt.NDArray[np.float32]
    """[N, B, 3], in the order of `SimState`, m."""
    body_rot: npt.NDArray[np.float32]
    """[N, B, 3, 3]."""
    camera_pos: npt.NDArray[np.float32]
    """[N, 3], world frame, m."""
    camera_rot: npt.NDArray[np.float32]
    """[N, 3, 3]."""
    lens: Intrinsics
    """The same for all."""
    near: float
    """Nothing nearer is drawn, m."""
    far: float
    """Depth beyond this is invalid, m."""
    scale: float
    """Unit of depth, m."""

    def optics(self, dtype: np.dtype[Any]) -> tuple[Any, np.float32, np.float32, np.float32, np.float32]:
        """In the order that the kernels take, with the rounding of a dtype of depth."""
        rounding = np.float32(0.0 if dtype.kind == "f" else 0.5)
        return self.lens.rays(), np.float32(self.near), np.float32(self.far), np.float32(self.scale), rounding


class RayCaster:
    """Casts rays at the primitive shapes of robot, object, fixtures and floor.

    A frame depends only on its own environment, so results do not depend on grouping nor on the number of threads.
    """

    def __init__(self, scene: Scene, objects: ObjectSet, threads: int):
        """`threads` 0 means one per core."""
        self._fixed = scene_table(scene).arrays()
        self._objects = object_table(scene, objects).arrays()
        self._looks = scene_looks(scene).arrays(), object_looks(objects).arrays()
        self._own_looks = own_looks(1, len(part_names(scene)))
        self._threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._threads) if self._threads > 1 else None

    def cast(
        self,
        shot: Shot,
        out: npt.NDArray[np.generic],
        ids: npt.NDArray[np.int16] | None = None,
        noise: DepthNoise = NO_NOISE,
    ) -> None:
        """Draw depth into out [n, H, W] and, if given, part ids into ids [n, H, W].

        Depth along the optical axis in units of `shot.scale`, in the dtype of `out`, rounded if that is an integer; 0
        (and id -1) where nothing lies between near and far, or noise has made it invalid.
        """
        optics = shot.optics(out.dtype)

        def draw(chunk: slice) -> None:
            scratch = np.empty((1, shot.lens.height, shot.lens.width), np.int16) if ids is None else ids[chunk]
            cast_frames(
                shot.rows[chunk], self._fixed, self._objects, shot.object_index, shot.body_pos, shot.body_rot,
                shot.camera_pos, shot.camera_rot, *optics, *noise.arrays(), out[chunk], scratch,
            )  # fmt: skip

        self._share_out(len(shot.rows), draw)

    def shade(
        self,
        shot: Shot,
        lights: npt.NDArray[np.float32],
        tints: npt.NDArray[np.float32],
        images: npt.NDArray[np.uint8],
        out: npt.NDArray[np.generic] | None = None,
        ids: npt.NDArray[np.int16] | None = None,
        noise: DepthNoise = NO_NOISE,
        skins: npt.NDArray[np.float32] | None = None,
        film: Film | None = None,
        eye: int = 0,
    ) -> None:
        """As `cast`, and in the same pass draw colour into images [n, 3, H, W]; without far clip in colour and ids.

        lights [N, 5] and tints [N, P + 1, 3] as `looks.draw_light` gives them, skins [N, P, 8] as `skins.draw_skins`
        does. Red, green and blue are the square root (gamma 2, close to sRGB) of linear light, in 255 parts. If there
        is a film, images are developed as those of the left (0) or right (1) eye.
        """
        size = (shot.lens.height, shot.lens.width)
        depths = np.empty((0, *size), np.uint16) if out is None else out
        parts = np.empty((0, *size), np.int16) if ids is None else ids
        worn = self._own_looks if skins is None else skins
        optics = shot.optics(depths.dtype)

        def draw(chunk: slice) -> None:
            shade_frames(
                shot.rows[chunk], self._fixed, self._objects, shot.object_index, *self._looks, shot.body_pos,
                shot.body_rot, shot.camera_pos, shot.camera_rot, *optics, *noise.arrays(), lights, tints, worn,
                images[chunk], depths[chunk], parts[chunk],
            )  # fmt: skip
            if film is not None:
                develop_frames(shot.rows[chunk], *film.arrays(eye), images[chunk])

        self._share_out(len(shot.rows), draw)

    def _share_out(self, count: int, draw: Callable[[slice], None]) -> None:
        """Draw so many frames, in slices."""
        size = max(1, count if self._pool is None else min(_CHUNK, -(-count // self._threads)))
        chunks = [slice(start, start + size) for start in range(0, count, size)]
        if self._pool is None:
            for chunk in chunks:
                draw(chunk)
        else:
            list(self._pool.map(draw, chunks))

    def close(self) -> None:
        """Free the threads; may be called twice."""
        if self._pool is not None:
            self._pool.shutdown()
