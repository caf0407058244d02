"""Families of things that hold something; they stand upright, and what is hollow in a kitchen is solid here."""

import math

from ..scene.bodies import Geom, Shape
from .families import Draws, Family, box, disc, handle, turned


def bottle(draw: Draws) -> list[Geom]:
    """Body, shoulder, neck and cap."""
    glass, cap = draw.color(), draw.color()
    radius, neck = draw(0.018, 0.034), draw(0.008, 0.013)
    parts = [(radius, draw(0.06, 0.11), glass), ((radius + neck) / 2, draw(0.008, 0.016), glass)]
    return turned([*parts, (neck, draw(0.012, 0.030), glass), (neck + 0.002, draw(0.010, 0.016), cap)])


def mug(draw: Draws) -> list[Geom]:
    """Body and handle."""
    color = draw.color()
    radius, height, width = draw(0.028, 0.040), draw(0.065, 0.105), draw(0.008, 0.012)
    low, high = height * draw(0.12, 0.25), height * draw(0.75, 0.92)
    return [disc(radius, height, (0.0, 0.0, 0.0), color), *handle(radius, draw(0.025, 0.035), low, high, width, color)]


def bowl(draw: Draws) -> list[Geom]:
    """A foot and a ring of five walls; the one hollow family."""
    color = draw.color()
    radius, height, wall = draw(0.038, 0.065), draw(0.030, 0.055), draw(0.007, 0.011)
    foot = draw(0.008, 0.014)
    # As wide as a side of the pentagon around the foot.
    width = 2 * (radius - wall / 2) * math.tan(math.pi / 5)
    geoms = [disc(radius, foot, (0.0, 0.0, 0.0), color)]
    for k in range(5):
        angle = 2 * math.pi * k / 5
        across = radius - wall / 2
        quat = (math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2))
        place = (across * math.cos(angle), across * math.sin(angle), foot)
        geoms.append(box((wall, width, height - foot), place, color, quat))
    return geoms


def can(draw: Draws) -> list[Geom]:
    """Body, lid and knob."""
    tin, lid = draw.color(), draw.color()
    radius, knob = draw(0.022, 0.045), draw(0.006, 0.010)
    geoms = turned([(radius, draw(0.04, 0.10), tin), (radius + 0.003, draw(0.006, 0.012), lid)])
    top = geoms[-1].pos[2] + geoms[-1].size[1]
    return [*geoms, Geom(Shape.SPHERE, (knob,), (0.0, 0.0, top + 0.8 * knob), rgba=lid)]


def spray_bottle(draw: Draws) -> list[Geom]:
    """Body, neck, head, nozzle and trigger."""
    body, head = draw.color(), draw.color()
    depth, width, height = draw(0.040, 0.060), draw(0.030, 0.050), draw(0.07, 0.11)
    neck = draw(0.014, 0.025)
    size = draw(0.016, 0.022)
    length, top = draw(0.045, 0.060), height + neck
    return [
        box((depth, width, height), (0.0, 0.0, 0.0), body),
        disc(0.45 * size, neck, (0.0, 0.0, height), head),
        box((length, size, size), (0.15 * length, 0.0, top), head),
        box((0.008, 0.5 * size, 0.5 * size), (0.65 * length + 0.004, 0.0, top + size / 4), body),
        box((0.006, 0.6 * size, 0.8 * neck), (0.45 * length, 0.0, top - 0.8 * neck), body),
    ]


def cup(draw: Draws) -> list[Geom]:
    """Three steps that widen towards the top, on a foot."""
    color = draw.color()
    radius, step = draw(0.020, 0.030), draw(0.002, 0.005)
    foot = (radius + draw(0.0, 0.006), draw(0.005, 0.010), color)
    return turned([foot, *((radius + k * step, draw(0.018, 0.032), color) for k in range(3))])


VESSELS: dict[str, Family] = {
    "bottle": bottle,
    "mug": mug,
    "bowl": bowl,
    "can": can,
    "spray_bottle": spray_bottle,
    "cup": cup,
}
"""By name."""
