"""The cameras of every environment: where they are, when they look, and what they saw last."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..config import IMAGE_GROUPS, STEREO_GROUPS, ObservationConfig
from ..errors import ConfigError
from ..objects import ObjectSet
from ..robots.robot import Robot
from ..scene.scene import Scene
from ..types import Arrays, SimState
from .camera import Intrinsics, depth_scale, mounted_poses
from .depth_noise import DepthNoise
from .film import Film
from .geom_table import part_names
from .looks import draw_light
from .ray_caster import RayCaster, Shot
from .skins import draw_skins, own_looks, surfaces

NOWHERE: Mapping[str, npt.NDArray[Any]] = MappingProxyType({})
"""No arrays for images: they are fresh."""


class CameraRig:
    """One camera per environment, or a rectified pair, that takes images of the state *now*.

    `depth` [N, 1, H, W] and `left` [N, 3, H, W] are of the same camera and come from one pass; `right` [N, 3, H, W] is
    of a second one, a baseline away along the image's x axis.

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
        self._noise = DepthNoise.of(config.depth_noise, num_envs)
        self._film = Film.of(config.stereo.colour, num_envs)
        self._develops = self._film.develops
        self._surfaces = surfaces(scene)
        self._parts = len(part_names(scene))
        self._skins = own_looks(num_envs, self._parts)
        self._lights = np.zeros((num_envs, 5), np.float32)
        self._tints = np.zeros((num_envs, self._parts + 1, 3), np.float32)
        dtype: Any = np.dtype(config.depth_format)
        size = (self._lens.height, self._lens.width)
        high = config.camera.far if dtype.kind == "f" else round(config.camera.far / self._scale)
        colour = gymnasium.spaces.Box(0, 255, (3, *size), np.uint8)
        spaces = {"depth": gymnasium.spaces.Box(0, high, (1, *size), dtype), "left": colour, "right": colour}
        self.spaces = {name: spaces[name] for name in IMAGE_GROUPS if name in config.groups}
        """Of one environment, by observation group."""
        # Kept only where they are shown again.
        self._last = self._empty(num_envs) if config.image_period > 1 else None

    def start(
        self,
        rows: Tensor,
        seed: Tensor,
        env_index: Tensor,
        episode: Tensor,
        more_jitter: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None,
    ) -> None:
        """Place the cameras of `rows` [n], whose episodes begin; all [n] int64.

        `more_jitter` is added to the jitter of positions, m, and of rotations, degrees: [n] each.
        """
        index = rows.numpy()
        keys = seed.numpy(), env_index.numpy(), episode.numpy()
        self._mounted_pos[index], self._mounted_rot[index] = mounted_poses(self._config.camera, *keys, more_jitter)
        self._noise.start(index, *keys)
        if self._sees(*STEREO_GROUPS):
            stereo = self._config.stereo
            lights, tints = draw_light(stereo.light, self._parts, *keys)
            self._film.start(index, *keys)
            exposure = self._film.exposure[index, None]
            lights[:, 3:] *= exposure
            # The last one is the sky's, which is not lit.
            tints[:, -1] *= exposure
            self._lights[index], self._tints[index] = lights, tints
            self._skins[index] = draw_skins(stereo.colour.textures, self._surfaces, *keys)

    def look(
        self,
        rows: Tensor,
        sim: SimState,
        object_index: Tensor,
        step: Tensor,
        into: Mapping[str, npt.NDArray[Any]] = NOWHERE,
    ) -> dict[str, Tensor]:
        """Images [n, C, H, W] of `rows` [n] by group; sim, object_index and step (of the episode) hold all N.

        They are in the arrays `into` that there are, which may hold anything before, else in fresh ones. What is taken
        of a diverged row is zeros.
        """
        index = rows.numpy()
        if self._last is None:
            images = self._take(index, sim, object_index, step, into)
        else:
            due = index[step.numpy()[index] % self._config.image_period == 0]
            for name, taken in self._take(due, sim, object_index, step).items():
                self._last[name][due] = taken
            images = self._empty(len(index), into)
            for name, last in self._last.items():
                np.take(last, index, 0, images[name], mode="clip")
        return {name: torch.from_numpy(values) for name, values in images.items()}

    def fitting(self, arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Those of some arrays that images of all rows can be written into; ConfigError if one does not fit."""
        images = {name: arrays[name] for name in self.spaces if name in arrays}
        for name, array in images.items():
            dtype, shape = self.spaces[name].dtype, (len(self._mounted_pos), *self.spaces[name].shape)
            if array.shape != shape or array.dtype != dtype or not array.flags.carray:
                raise ConfigError(
                    f"{name} is written into a contiguous array of {dtype} {list(shape)}, got {array.dtype} "
                    f"{list(array.shape)}, strides {list(array.strides)}, writeable: {array.flags.writeable}"
                )
        return images

    def get_state(self) -> Arrays:
        """Images that may be shown again."""
        return {} if self._last is None else {f"camera.{name}": last.copy() for name, last in self._last.items()}

    def set_state(self, arrays: Arrays) -> None:
        """The inverse of `get_state`; `start` places the cameras."""
        for name, last in (self._last or {}).items():
            last[...] = arrays[f"camera.{name}"]

    def close(self) -> None:
        """Free the threads; may be called twice."""
        self._caster.close()

    def _sees(self, *groups: str) -> bool:
        return any(name in self.spaces for name in groups)

    def _empty(self, count: int, into: Mapping[str, npt.NDArray[Any]] = NOWHERE) -> dict[str, npt.NDArray[Any]]:
        return {
            name: into[name] if name in into else np.zeros((count, *box.shape), box.dtype)
            for name, box in self.spaces.items()
        }

    def _take(
        self,
        index: npt.NDArray[np.int64],
        sim: SimState,
        object_index: Tensor,
        step: Tensor,
        into: Mapping[str, npt.NDArray[Any]] = NOWHERE,
    ) -> dict[str, npt.NDArray[Any]]:
        seen = ~sim.diverged.numpy()[index]
        all_seen = seen.all()
        out = self._empty(int(seen.sum()), into if all_seen else NOWHERE)
        body_pos, body_rot = sim.body_pos.numpy(), sim.body_rot.numpy()
        pos, rot = self._camera_poses(body_pos, body_rot)
        camera = self._config.camera
        shot = Shot(
            index[seen], object_index.numpy(), body_pos, body_rot, pos, rot, self._lens, camera.near, camera.far,
            self._scale,
        )  # fmt: skip
        depth = out["depth"][:, 0] if "depth" in out else None
        noise = self._noise.at(step.numpy())
        film = self._film.at(step.numpy()) if self._develops else None
        colours = (self._lights, self._tints)
        if "left" in out:
            self._caster.shade(shot, *colours, out["left"], depth, noise=noise, skins=self._skins, film=film)
        elif depth is not None:
            self._caster.cast(shot, depth, noise=noise)
        if "right" in out:
            beside = pos + np.float32(self._config.stereo.baseline) * rot[:, :, 0]
            right = replace(shot, camera_pos=beside)
            self._caster.shade(right, *colours, out["right"], skins=self._skins, film=film, eye=1)
        if all_seen:
            return out
        images = self._empty(len(index), into)
        for name, taken in out.items():
            images[name][seen] = taken
            images[name][~seen] = 0
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
