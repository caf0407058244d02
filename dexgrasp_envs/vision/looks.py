"""How geoms look: colours and textures by part, and what of it an episode draws."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import rng
from ..config import LightConfig
from ..objects import ObjectSet
from ..scene.bodies import Geom
from ..scene.scene import OBJECT, Scene
from .geom_table import padded
from .texture_kernels import CHECKER, NOISE, PLAIN

_LIGHT_STREAM = 4
_SKY = (0.80, 0.86, 0.92)
_PLAIN: tuple[int, tuple[float, float, float], float] = (PLAIN, (1.0, 1.0, 1.0), 1.0)
_TEXTURES = {
    "floor": (CHECKER, (4.0, 4.0, 4.0), 0.75),
    "table": (NOISE, (70.0, 5.0, 70.0), 0.70),
    OBJECT: (NOISE, (140.0, 140.0, 140.0), 0.55),
}
"""Of a part: texture, cells per m along the axes of its geoms, and how dark the second colour is beside the first."""


@dataclass(frozen=True)
class Looks:
    """Looks of geoms [...], in the order of a `GeomTable`."""

    textures: npt.NDArray[np.int64]
    """[...] codes of `texture_kernels`."""
    colours: npt.NDArray[np.float32]
    """[..., 2, 3] linear red, green and blue, between which the texture chooses."""
    scales: npt.NDArray[np.float32]
    """[..., 3] cells of the texture per m, along the geom's axes."""
    casts: npt.NDArray[np.bool_]
    """[...] whether it can shadow anything."""

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """In the order that the kernels take."""
        return self.textures, self.colours, self.scales, self.casts


def scene_looks(scene: Scene) -> Looks:
    """Of the geoms of `geom_table.scene_table`; nothing lies below the floor for it to shadow."""
    entries = [("floor", scene.floor)]
    entries += [(body.name, geom) for body in (*scene.fixtures, *scene.robot) for geom in body.geoms]
    return _looks(entries, casts=[name != "floor" for name, _ in entries])


def object_looks(objects: ObjectSet) -> Looks:
    """Of the geoms of `geom_table.object_table`, [O, K]."""
    most = max(len(obj.geoms) for obj in objects.objects)
    rows = [_looks([(OBJECT, geom) for geom in obj.geoms], [True] * len(obj.geoms)) for obj in objects.objects]
    columns = zip(*(row.arrays() for row in rows), strict=True)
    return Looks(*(np.stack([padded(part, most) for part in parts]) for parts in columns))


def draw_light(
    config: LightConfig,
    parts: int,
    seed: npt.NDArray[np.int64],
    env_index: npt.NDArray[np.int64],
    episode: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Lights [n, 5] and tints [n, parts + 1, 3] of episodes, as the kernels take them; inputs [n]."""
    u = rng.uniform(seed, env_index, episode, _LIGHT_STREAM, 4 + 3 * (parts + 1))
    bounds = np.array([config.azimuth, config.elevation, config.intensity, config.ambient])
    drawn = bounds[:, 0] + u[:, :4] * (bounds[:, 1] - bounds[:, 0])
    azimuth, elevation = np.radians(drawn[:, :2]).T
    direction = [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    lights = np.stack([*direction, drawn[:, 3], drawn[:, 2]], 1)
    tints = 1.0 + config.tint * (2.0 * u[:, 4:].reshape(-1, parts + 1, 3) - 1.0)
    tints[:, -1] *= np.square(_SKY)
    return lights.astype(np.float32), tints.astype(np.float32)


def _looks(entries: list[tuple[str, Geom]], casts: list[bool]) -> Looks:
    textures = [_TEXTURES.get(name, _PLAIN) for name, _ in entries]
    # What is drawn takes the square root, as displays expect it.
    linear = np.square([geom.rgba[:3] for _, geom in entries])
    darker = np.array([share for _, _, share in textures])[:, None]
    return Looks(
        textures=np.array([code for code, _, _ in textures], np.int64),
        colours=np.stack([linear, linear * darker], 1).astype(np.float32),
        scales=np.array([scale for _, scale, _ in textures], np.float32),
        casts=np.array(casts),
    )
