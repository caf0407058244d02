"""A scene: a robot's bodies, fixtures, one slot for an object, and a camera for people."""

from dataclasses import dataclass

from .bodies import Body, Geom, Shape, Vec3

OBJECT = "object"
"""Name of the body that carries an environment's object."""


@dataclass(frozen=True)
class ViewCamera:
    """The pinhole camera of `render()`."""

    pos: Vec3
    """World position, m."""
    target: Vec3
    """World point it looks at, m; up is +z."""
    fovy: float
    """Vertical field of view, degrees."""


FLOOR = Geom(Shape.BOX, (3.0, 3.0, 0.05), (0.0, 0.0, -0.05), rgba=(0.80, 0.81, 0.83, 1.0))
"""Seen, never touched; its surface is at z = 0."""


@dataclass(frozen=True)
class Scene:
    """Everything that an engine compiles, in the world frame: robot base at the origin, z up."""

    robot: tuple[Body, ...]
    """The robot's bodies, parents first."""
    fixtures: tuple[Body, ...]
    """Bodies that never move."""
    goal: Vec3
    """Where the object is to be held; drawn, never touched, m."""
    goal_radius: float
    """Radius of the success region, m."""
    camera: ViewCamera
    floor: Geom = FLOOR
    """In the world frame."""
    gravity: float = 9.81
    """m/s^2, downwards on the object; the robot compensates its own."""
