"""What families of procedural objects are built with."""

import colorsys
import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from .. import rng
from ..scene.bodies import IDENTITY, Geom, Quat, Shape, Vec3
from .object_set import GraspObject, centred

Color = tuple[float, float, float, float]
_STREAM = 9
_MOST_DRAWS = 32
_RESOLUTION = 1e-4


class Draws:
    """The random numbers of one object, from the counter-based generator: the same in every process and version."""

    def __init__(self, seed: int, family: int, index: int):
        row = rng.uniform(seed, np.array([index]), np.array([family]), _STREAM, _MOST_DRAWS)[0]
        self._left = iter(row.tolist())

    def __call__(self, low: float, high: float) -> float:
        """The next number between low and high, m, in whole tenths of a millimetre."""
        return round(round((low + (high - low) * next(self._left)) / _RESOLUTION) * _RESOLUTION, 6)

    def color(self) -> Color:
        """A colour."""
        red, green, blue = colorsys.hsv_to_rgb(self(0.0, 1.0), self(0.35, 0.8), self(0.5, 0.95))
        return round(red, 3), round(green, 3), round(blue, 3), 1.0


Family = Callable[[Draws], Sequence[Geom]]
"""Draws one object's geoms; their bounding box may lie anywhere."""


def build(families: dict[str, Family], count: int, seed: int) -> Iterable[GraspObject]:
    """`count` objects of each family, named after it and numbered."""
    for number, (name, family) in enumerate(families.items()):
        for index in range(count):
            yield centred(f"{name}_{index:02d}", family(Draws(seed, number, index)))


def box(size: Vec3, low_center: Vec3, color: Color, quat: Quat = IDENTITY) -> Geom:
    """A box of full size (x, y, z), m, that stands on the point `low_center`; it is turned about its centre."""
    x, y, z = low_center
    return Geom(Shape.BOX, (size[0] / 2, size[1] / 2, size[2] / 2), (x, y, z + size[2] / 2), quat, color)


def disc(radius: float, height: float, low_center: Vec3, color: Color) -> Geom:
    """An upright cylinder that stands on the point `low_center`, m."""
    x, y, z = low_center
    return Geom(Shape.CYLINDER, (radius, height / 2), (x, y, z + height / 2), rgba=color)


def turned(parts: Sequence[tuple[float, float, Color]]) -> list[Geom]:
    """Upright cylinders (radius, height, colour) on top of each other, from the bottom, m."""
    ends = [0.0, *itertools.accumulate(height for _, height, _ in parts)]
    return [disc(radius, height, (0.0, 0.0, z), color) for (radius, height, color), z in zip(parts, ends, strict=False)]


def handle(radius: float, reach: float, low: float, high: float, width: float, color: Color) -> list[Geom]:
    """Three boxes, square in section, that form a handle on a round wall, `reach` wide, from low to high, m."""
    start = float(np.sqrt(radius * radius - width * width / 4))
    middle = (start + radius + reach - width) / 2
    length = radius + reach - width - start
    return [
        box((length, width, width), (middle, 0.0, low), color),
        box((length, width, width), (middle, 0.0, high - width), color),
        box((width, width, high - low), (radius + reach - width / 2, 0.0, low), color),
    ]
