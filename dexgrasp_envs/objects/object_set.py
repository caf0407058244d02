"""Objects to grasp, and sets of them."""

import math
from dataclasses import dataclass

from ..scene.bodies import Geom, Inertial, Shape

DENSITY = 500.0
"""kg/m^3, as in the paper."""


@dataclass(frozen=True)
class GraspObject:
    """A rigid object: one primitive, centred at the body's origin, z its long axis."""

    name: str
    geom: Geom

    @property
    def half_extents(self) -> tuple[float, float, float]:
        """Half of the bounding box in the object frame, m."""
        if self.geom.shape is Shape.BOX:
            x, y, z = self.geom.size
            return (x, y, z)
        radius, half_length = self.geom.size
        return (radius, radius, half_length)

    @property
    def is_round(self) -> bool:
        """Whether it is a solid of revolution about z."""
        return self.geom.shape is not Shape.BOX

    @property
    def inertial(self) -> Inertial:
        """Mass and inertia of the homogeneous solid at `DENSITY`."""
        hx, hy, hz = self.half_extents
        if self.is_round:
            mass = DENSITY * math.pi * hx * hx * 2 * hz
            across = mass * (3 * hx * hx + 4 * hz * hz) / 12
            return Inertial(mass, (0.0, 0.0, 0.0), (across, across, mass * hx * hx / 2, 0.0, 0.0, 0.0))
        mass = DENSITY * 8 * hx * hy * hz
        inertia = (mass * (hy * hy + hz * hz) / 3, mass * (hx * hx + hz * hz) / 3, mass * (hx * hx + hy * hy) / 3)
        return Inertial(mass, (0.0, 0.0, 0.0), (*inertia, 0.0, 0.0, 0.0))


@dataclass(frozen=True)
class ObjectSet:
    """An ordered set of objects; an object's index in it is its id."""

    name: str
    objects: tuple[GraspObject, ...]

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
