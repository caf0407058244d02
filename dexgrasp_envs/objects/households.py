"""The training set: the 12 primitives and 140 household-like shapes of ten families."""

from ..scene.bodies import Geom
from .families import Draws, Family, box, build
from .object_set import ObjectSet
from .primitives12 import primitives12
from .vessels import VESSELS

SEED = 152
PER_FAMILY = 14
"""Objects of each family."""


def carton(draw: Draws) -> list[Geom]:
    """A box with a lid that stands out a little."""
    color, lid = draw.color(), draw.color()
    x, y, z = draw(0.030, 0.075), draw(0.040, 0.100), draw(0.030, 0.120)
    edge, height = draw(0.001, 0.003), draw(0.006, 0.020)
    return [
        box((x, y, z), (0.0, 0.0, 0.0), color),
        box((x + 2 * edge, y + 2 * edge, height), (0.0, 0.0, z), lid),
    ]


def hammer(draw: Draws) -> list[Geom]:
    """A handle, a head and a claw, lying on their side."""
    wood, steel = draw.color(), draw.color()
    length, width, thick = draw(0.09, 0.15), draw(0.018, 0.026), draw(0.016, 0.024)
    deep, across, high = draw(0.022, 0.032), draw(0.045, 0.075), draw(0.024, 0.034)
    return [
        box((length, width, thick), (-length / 2, 0.0, 0.0), wood),
        box((deep, across, high), (deep / 2, 0.0, 0.0), steel),
        box((0.5 * deep, 0.03, 0.5 * high), (deep / 2, across / 2 + 0.015, 0.0), steel),
    ]


def animal(draw: Draws) -> list[Geom]:
    """A body, a head and four legs."""
    color, face = draw.color(), draw.color()
    long, wide, high = draw(0.050, 0.085), draw(0.030, 0.050), draw(0.026, 0.045)
    leg, thick, head = draw(0.015, 0.035), draw(0.010, 0.013), draw(0.022, 0.034)
    x, y = (long - thick) / 2, (wide - thick) / 2
    legs = [box((thick, thick, leg), (i * x, j * y, 0.0), face) for i in (-1, 1) for j in (-1, 1)]
    body = box((long, wide, high), (0.0, 0.0, leg), color)
    return [body, box((head, head, head), (long / 2 + head / 2, 0.0, leg + high - head / 2), face), *legs]


def brush(draw: Draws) -> list[Geom]:
    """A handle and a head, lying on their back, with bristles on top."""
    wood, bristles = draw.color(), draw.color()
    length, width, thick = draw(0.07, 0.11), draw(0.018, 0.026), draw(0.014, 0.020)
    long, wide, high = draw(0.045, 0.070), draw(0.030, 0.048), draw(0.014, 0.026)
    return [
        box((length, width, thick), (-length / 2, 0.0, 0.0), wood),
        box((long, wide, thick), (long / 2, 0.0, 0.0), wood),
        box((long - 0.006, wide - 0.006, high), (long / 2, 0.0, thick), bristles),
    ]


FAMILIES: dict[str, Family] = {**VESSELS, "carton": carton, "hammer": hammer, "animal": animal, "brush": brush}
"""By name; their order decides what is drawn for each."""


def train() -> ObjectSet:
    """The 12 primitives, then the families in order."""
    return ObjectSet("train", (*primitives12().objects, *build(FAMILIES, PER_FAMILY, SEED)))
