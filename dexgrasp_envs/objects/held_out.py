"""The held-out set: 40 shapes of eight families that the training set does not have."""

import math

from ..scene.bodies import Geom, Shape
from .families import Draws, Family, box, build, disc, handle, turned
from .object_set import ObjectSet

SEED = 40
PER_FAMILY = 5
"""Objects of each family."""


def dumbbell(draw: Draws) -> list[Geom]:
    """A bar between two discs, on its end."""
    weight, bar = draw.color(), draw.color()
    radius, thick = draw(0.024, 0.038), draw(0.014, 0.026)
    return turned([(radius, thick, weight), (draw(0.009, 0.015), draw(0.04, 0.08), bar), (radius, thick, weight)])


def lamp(draw: Draws) -> list[Geom]:
    """A ball on a stem on a foot."""
    metal, glass = draw.color(), draw.color()
    geoms = turned([(draw(0.028, 0.040), draw(0.008, 0.014), metal), (draw(0.007, 0.011), draw(0.03, 0.07), metal)])
    top, ball = geoms[-1].pos[2] + geoms[-1].size[1], draw(0.018, 0.028)
    return [*geoms, Geom(Shape.SPHERE, (ball,), (0.0, 0.0, top + 0.9 * ball), rgba=glass)]


def bracket(draw: Draws) -> list[Geom]:
    """Two arms at a right angle, one flat on the table, and a rib."""
    color = draw.color()
    length, width, high, thick = draw(0.06, 0.10), draw(0.025, 0.045), draw(0.05, 0.09), draw(0.010, 0.018)
    return [
        box((length, width, thick), (length / 2, 0.0, 0.0), color),
        box((thick, width, high), (thick / 2, 0.0, thick), color),
        box((0.3 * length, 0.3 * width, 0.3 * high), (thick + 0.15 * length, 0.0, thick), color),
    ]


def pan(draw: Draws) -> list[Geom]:
    """A flat body with a long handle."""
    iron, grip = draw.color(), draw.color()
    radius, high, width = draw(0.035, 0.050), draw(0.016, 0.026), draw(0.014, 0.020)
    length, start = draw(0.06, 0.09), math.sqrt(radius * radius - width * width / 4)
    return [
        disc(radius, high, (0.0, 0.0, 0.0), iron),
        box((length, width, 0.7 * high), (start + length / 2, 0.0, 0.3 * high), grip),
    ]


def teapot(draw: Draws) -> list[Geom]:
    """A body with spout, handle and knob."""
    color = draw.color()
    radius, high, width = draw(0.030, 0.042), draw(0.05, 0.08), draw(0.007, 0.010)
    tilt, long, thin = 0.7, draw(0.015, 0.022), draw(0.006, 0.009)
    spout = Geom(
        Shape.CAPSULE,
        (thin, long),
        (-radius - 0.4 * long, 0.0, 0.6 * high),
        (math.cos(tilt / 2), 0.0, -math.sin(tilt / 2), 0.0),
        color,
    )
    knob = Geom(Shape.SPHERE, (0.010,), (0.0, 0.0, high + 0.008), rgba=color)
    body = disc(radius, high, (0.0, 0.0, 0.0), color)
    return [body, spout, knob, *handle(radius, draw(0.02, 0.03), 0.25 * high, 0.85 * high, width, color)]


def stool(draw: Draws) -> list[Geom]:
    """A seat on four legs."""
    seat, wood = draw.color(), draw.color()
    x, y, thick = draw(0.05, 0.09), draw(0.05, 0.08), draw(0.008, 0.016)
    leg, high = draw(0.005, 0.008), draw(0.03, 0.07)
    legs = [disc(leg, high, (i * (x / 2 - leg), j * (y / 2 - leg), 0.0), wood) for i in (-1, 1) for j in (-1, 1)]
    return [box((x, y, thick), (0.0, 0.0, high), seat), *legs]


def car(draw: Draws) -> list[Geom]:
    """A body, a cabin and four wheels."""
    paint, rubber = draw.color(), (0.15, 0.15, 0.16, 1.0)
    long, wide, high = draw(0.075, 0.13), draw(0.032, 0.05), draw(0.016, 0.026)
    wheel, thick, cabin = draw(0.009, 0.014), draw(0.006, 0.010), draw(0.014, 0.024)
    body = box((long, wide, high), (0.0, 0.0, wheel), paint)
    roof = box((0.5 * long, 0.8 * wide, cabin), (-0.05 * long, 0.0, wheel + high), paint)
    sideways = (math.cos(math.pi / 4), math.sin(math.pi / 4), 0.0, 0.0)
    wheels = [
        Geom(Shape.CYLINDER, (wheel, thick / 2), (0.3 * i * long, j * (wide + thick) / 2, wheel), sideways, rubber)
        for i in (-1, 1)
        for j in (-1, 1)
    ]
    return [body, roof, *wheels]


def plate(draw: Draws) -> list[Geom]:
    """A flat disc on a foot."""
    color = draw.color()
    radius = draw(0.045, 0.075)
    return turned([(0.6 * radius, draw(0.004, 0.008), color), (radius, draw(0.007, 0.012), color)])


FAMILIES: dict[str, Family] = {
    "dumbbell": dumbbell,
    "lamp": lamp,
    "bracket": bracket,
    "pan": pan,
    "teapot": teapot,
    "stool": stool,
    "car": car,
    "plate": plate,
}
"""By name; their order decides what is drawn for each."""


def held_out_set() -> ObjectSet:
    """The families in order."""
    return ObjectSet("test", tuple(build(FAMILIES, PER_FAMILY, SEED)))
