"""The 12 primitives of the paper: {cuboid, cylinder} x {small, large} x {5, 8, 12 cm long}."""

from ..scene.bodies import CollisionGroup, Geom, Shape
from .object_set import GraspObject, ObjectSet

WIDTHS = {"small": 0.04, "large": 0.065}
"""Width of a cuboid and diameter of a cylinder, m."""
LENGTHS = {"5cm": 0.05, "8cm": 0.08, "12cm": 0.12}
"""Length along z, m."""
_COLORS = {"cuboid": (0.82, 0.30, 0.22, 1.0), "cylinder": (0.20, 0.46, 0.74, 1.0)}


def primitives12() -> ObjectSet:
    """The set, ordered by shape, width and length."""
    objects = []
    for kind, color in _COLORS.items():
        for width_name, width in WIDTHS.items():
            for length_name, length in LENGTHS.items():
                half = width / 2
                size: tuple[float, ...] = (half, half, length / 2) if kind == "cuboid" else (half, length / 2)
                shape = Shape.BOX if kind == "cuboid" else Shape.CYLINDER
                geom = Geom(shape, size, rgba=color, collision=CollisionGroup.OBJECT)
                objects.append(GraspObject(f"{kind}_{width_name}_{length_name}", (geom,)))
    return ObjectSet("primitives12", tuple(objects))
