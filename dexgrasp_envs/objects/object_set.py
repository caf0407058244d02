"""Objects to grasp, and sets of them."""

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..scene.bodies import CollisionGroup, Geom, Inertial, Shape
from .mesh import ObjectMesh
from .solids import rotation, union_bounds, union_inertial

DENSITY = 500.0
"""kg/m^3, as in the paper."""
MOST_GEOMS = 6
"""Primitives of an object, at most."""


@dataclass(frozen=True)
class GraspObject:
    """A rigid object: the body's origin at the centre of its bounding box, z its upright axis.

    Raises:
        ValueError: It has no geoms or too many, or its bounding box lies elsewhere.
    """

    name: str
    geoms: tuple[Geom, ...]
    """1 to `MOST_GEOMS` convex primitives, see `centred`; or the one that stands for `mesh`."""
    mesh: ObjectMesh | None = None

    def __post_init__(self) -> None:
        if self.mesh is not None:
            return
        if not 1 <= len(self.geoms) <= MOST_GEOMS:
            raise ValueError(f"object {self.name!r} must have 1 to {MOST_GEOMS} geoms, got {len(self.geoms)}")
        low, high = union_bounds(self.geoms)
        if np.abs(low + high).max() > 1e-9:
            raise ValueError(f"the bounding box of object {self.name!r} is not centred at its origin; use centred()")

    @functools.cached_property
    def half_extents(self) -> tuple[float, float, float]:
        """Half of the bounding box in the object frame, m."""
        if self.mesh is not None:
            return self.mesh.half_extents
        x, y, z = union_bounds(self.geoms)[1].tolist()
        return x, y, z

    @functools.cached_property
    def is_round(self) -> bool:
        """Whether it is one primitive and a solid of revolution about z."""
        if self.mesh is not None:
            return False
        geom = self.geoms[0]
        about_z = geom.shape is Shape.SPHERE or bool(abs(rotation(geom.quat)[2, 2]) > 1.0 - 1e-12)
        return len(self.geoms) == 1 and geom.shape is not Shape.BOX and about_z

    @functools.cached_property
    def inertial(self) -> Inertial:
        """Mass and inertia of the homogeneous solid at `DENSITY`; its centre of mass may lie beside the origin."""
        return union_inertial(self.geoms, DENSITY) if self.mesh is None else self.mesh.inertial

    @property
    def colliders(self) -> int:
        """Convex parts that collide."""
        return len(self.geoms) if self.mesh is None else len(self.mesh.pieces)


def of_mesh(name: str, mesh: ObjectMesh) -> GraspObject:
    """An object that is given as a mesh."""
    return GraspObject(name, (Geom(Shape.MESH, mesh.half_extents, collision=CollisionGroup.OBJECT),), mesh)


def centred(name: str, geoms: Sequence[Geom]) -> GraspObject:
    """An object of geoms that are moved together, so that its origin is the centre of their bounding box."""
    low, high = union_bounds(geoms)
    moved = []
    for geom in geoms:
        x, y, z = (np.asarray(geom.pos) - (low + high) / 2).round(12).tolist()
        moved.append(dataclasses.replace(geom, pos=(x, y, z), collision=CollisionGroup.OBJECT))
    return GraspObject(name, tuple(moved))


@dataclass(frozen=True)
class ObjectSet:
    """An ordered set of objects; an object's index in it is its id."""

    name: str
    objects: tuple[GraspObject, ...]
    rejected: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Files of a folder that are not in the set, each with the reason."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the objects, in order."""
        return tuple(obj.name for obj in self.objects)

    def index(self, name: str) -> int:
        """Index of the object of that name; `KeyError` lists the names."""
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(f"no object {name!r} in set {self.name!r}; it holds {', '.join(self.names)}") from None

    def __len__(self) -> int:
        return len(self.objects)
