"""Skins: the textures and colours that robot, object, table and floor have in an episode instead of their own."""

import numpy as np
import numpy.typing as npt

from .. import rng
from ..scene.scene import OBJECT, Scene
from .geom_table import part_names
from .texture_kernels import CHECKER, NOISE, PLAIN

_SKIN_STREAM = 17
_KINDS = np.array([PLAIN, CHECKER, NOISE])
_CELLS = np.array([30.0, 60.0, 15.0, 4.0])
"""Usual cells per m of a texture on robot, object, table and floor."""
_SPREAD = 3.0
"""Cells are at most so many times more or fewer, log-uniformly."""
_NUMBERS = 9
SKIN = 8
"""Numbers of a skin: texture (-1 for the part's own looks), cells per m, and two linear colours."""
OWN = -1.0


def surfaces(scene: Scene) -> npt.NDArray[np.int64]:
    """Of each of `part_names` [P]: 0 for the robot, 1 for the object, 2 for fixtures, 3 for the floor."""
    known = {OBJECT: 1, "floor": 3} | {body.name: 2 for body in scene.fixtures}
    return np.array([known.get(name, 0) for name in part_names(scene)], np.int64)


def own_looks(num_envs: int, parts: int) -> npt.NDArray[np.float32]:
    """Skins [N, P, 8] of parts that look as they are."""
    return np.full((num_envs, parts, SKIN), OWN, np.float32)


def draw_skins(
    share: float,
    surface: npt.NDArray[np.int64],
    seed: npt.NDArray[np.int64],
    env_index: npt.NDArray[np.int64],
    episode: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """Skins [n, P, 8] of episodes; `share` of the surfaces have one. The parts of a surface have the same; inputs [n].

    Two colours are drawn uniformly as they are displayed: the square root of linear light.
    """
    u = rng.uniform(seed, env_index, episode, _SKIN_STREAM, len(_CELLS) * _NUMBERS).reshape(-1, len(_CELLS), _NUMBERS)
    kind = np.where(u[..., 0] < share, _KINDS[(u[..., 1] * len(_KINDS)).astype(np.int64)], OWN)
    cells = _CELLS * _SPREAD ** (2.0 * u[..., 2] - 1.0)
    skins = np.concatenate([kind[..., None], cells[..., None], np.square(u[..., 3:])], 2)
    return skins[:, surface].astype(np.float32)
