"""Spheres that stand for the shapes of the robot's links where they may touch."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from ...robots.robot import Robot
from ...robots.rotations import rotation_from_quat
from ...scene.bodies import Body, CollisionGroup, Geom, Shape, Vec3


@dataclass(frozen=True)
class Sphere:
    """A sphere fixed to a body."""

    body: str
    center: Vec3
    """In the body frame, m."""
    radius: float
    """m."""


def robot_spheres(robot: Robot) -> tuple[Sphere, ...]:
    """Spheres in every geom of the robot that collides, in the order of its bodies."""
    return tuple(sphere for body in robot.bodies for sphere in body_spheres(body))


def body_spheres(body: Body) -> tuple[Sphere, ...]:
    """Spheres in every geom of a body that collides."""
    touching = (geom for geom in body.geoms if geom.collision is not CollisionGroup.NONE)
    return tuple(Sphere(body.name, center, radius) for geom in touching for center, radius in _fill(geom))


def _fill(geom: Geom) -> list[tuple[Vec3, float]]:
    """Equal spheres on a grid in a geom, which reach its ends and stand about 2.5 radii apart."""
    half = _half_extents(geom)
    radius = min(half)
    lines = []
    for extent in half:
        reach = extent - radius
        count = 1 + math.ceil(2 * reach / (2.5 * radius) - 0.25)
        lines.append(np.linspace(-reach, reach, count) if count > 1 else np.zeros(1))
    turn = rotation_from_quat(geom.quat).numpy()
    centers = (np.array(geom.pos) + turn @ np.array(point) for point in itertools.product(*lines))
    return [((float(x), float(y), float(z)), radius) for x, y, z in centers]


def _half_extents(geom: Geom) -> tuple[float, ...]:
    if geom.shape is Shape.BOX:
        return geom.size
    if geom.shape is Shape.SPHERE:
        return geom.size * 3
    radius, length = geom.size
    return (radius, radius, length + radius if geom.shape is Shape.CAPSULE else length)
