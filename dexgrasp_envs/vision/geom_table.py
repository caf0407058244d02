"""The geoms of a scene as arrays, the way the ray-casting kernels take them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..objects import ObjectSet
from ..robots.rotations import rotation_from_quat
from ..scene.bodies import Body, Geom, Shape
from ..scene.scene import Scene
from .ray_kernels import BOX, CAPSULE, CYLINDER, MESH, SPHERE

_CODES = {Shape.BOX: BOX, Shape.CYLINDER: CYLINDER, Shape.CAPSULE: CAPSULE, Shape.SPHERE: SPHERE, Shape.MESH: MESH}
WORLD = -1
"""Body index of what never moves."""


@dataclass(frozen=True)
class GeomTable:
    """Geoms [...]: of a scene [G], or of an object set [O, K] with code -1 where an object has fewer."""

    shapes: npt.NDArray[np.int64]
    """[...] codes of `ray_kernels`."""
    sizes: npt.NDArray[np.float32]
    """[..., 3] m."""
    pos: npt.NDArray[np.float32]
    """[..., 3] in the frame of the body, m."""
    rot: npt.NDArray[np.float32]
    """[..., 3, 3] in the frame of the body."""
    parts: npt.NDArray[np.int16]
    """[...] what a segmentation image shows: index in `part_names`."""
    bodies: npt.NDArray[np.int64]
    """[...] index in the poses of `SimState`, or `WORLD`."""
    roots: npt.NDArray[np.int64]
    """[...] first node of a mesh in its `MeshTrees`; -1 of others."""

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """In the order that the kernels take."""
        return self.shapes, self.sizes, self.pos, self.rot, self.parts, self.bodies, self.roots


def part_names(scene: Scene) -> tuple[str, ...]:
    """What the ids of a segmentation image mean: the robot's bodies, the object, the fixtures, the floor."""
    return (*(body.name for body in scene.robot), "object", *(body.name for body in scene.fixtures), "floor")


def scene_table(scene: Scene) -> GeomTable:
    """Floor, fixtures and robot; no object."""
    object_part = len(scene.robot)
    entries = [(scene.floor, object_part + 1 + len(scene.fixtures), WORLD)]
    for i, body in enumerate(scene.fixtures):
        entries += [(_placed(geom, body), object_part + 1 + i, WORLD) for geom in body.geoms]
    for i, body in enumerate(scene.robot):
        entries += [(geom, i, i) for geom in body.geoms]
    return _table(entries)


def object_table(scene: Scene, objects: ObjectSet, roots: Sequence[int] = ()) -> GeomTable:
    """One row per object of the set; roots of those that are meshes, in order."""
    left = iter(roots)
    index = len(scene.robot)
    rows = [
        _table([(geom, index, index) for geom in obj.geoms], -1 if obj.mesh is None else next(left))
        for obj in objects.objects
    ]
    most = max(len(row.shapes) for row in rows)
    return GeomTable(
        *(
            np.stack([padded(part, most) for part in parts])
            for parts in zip(*(row.arrays() for row in rows), strict=True)
        )
    )


def padded(array: npt.NDArray[np.generic], length: int) -> npt.NDArray[np.generic]:
    """The array with -1 after its end along the first axis."""
    filled = np.full((length, *array.shape[1:]), -1, array.dtype)
    filled[: len(array)] = array
    return filled


def _table(entries: list[tuple[Geom, int, int]], root: int = -1) -> GeomTable:
    geoms = [geom for geom, _, _ in entries]
    return GeomTable(
        shapes=np.array([_CODES[geom.shape] for geom in geoms], np.int64),
        sizes=np.array([(*geom.size, 0.0, 0.0)[:3] for geom in geoms], np.float32),
        pos=np.array([geom.pos for geom in geoms], np.float32),
        rot=np.array([rotation_from_quat(geom.quat).numpy() for geom in geoms], np.float32),
        parts=np.array([part for _, part, _ in entries], np.int16),
        bodies=np.array([body for _, _, body in entries], np.int64),
        roots=np.full(len(entries), root, np.int64),
    )


def _placed(geom: Geom, body: Body) -> Geom:
    """A geom of a fixture in the world frame; fixtures stand upright."""
    assert body.parent is None and body.quat == (1.0, 0.0, 0.0, 0.0), "fixtures are placed in the world, not turned"
    x, y, z = (a + b for a, b in zip(body.pos, geom.pos, strict=True))
    return Geom(geom.shape, geom.size, (x, y, z), geom.quat, geom.rgba, geom.collision)
