"""Bodies, joints and shapes of a scene, independent of any physics engine."""

from dataclasses import dataclass
from enum import StrEnum

Vec3 = tuple[float, float, float]
Quat = tuple[float, float, float, float]

IDENTITY: Quat = (1.0, 0.0, 0.0, 0.0)


class Shape(StrEnum):
    """Shapes; `Geom.size` is (hx, hy, hz), (radius, half length) or (radius,), axes along local z.

    `MESH` stands for the surface of an object that is given as a mesh; its size is that of its bounding box.
    """

    BOX = "box"
    CYLINDER = "cylinder"
    CAPSULE = "capsule"
    SPHERE = "sphere"
    MESH = "mesh"


class CollisionGroup(StrEnum):
    """What a geom touches; the pairs are listed in `COLLIDES`."""

    NONE = "none"
    OBJECT = "object"
    TABLE = "table"
    ARM = "arm"
    FINGER = "finger"
    THUMB = "thumb"


COLLIDES: frozenset[frozenset[CollisionGroup]] = frozenset(
    frozenset(pair)
    for pair in (
        (CollisionGroup.OBJECT, CollisionGroup.TABLE),
        (CollisionGroup.OBJECT, CollisionGroup.ARM),
        (CollisionGroup.OBJECT, CollisionGroup.FINGER),
        (CollisionGroup.OBJECT, CollisionGroup.THUMB),
        (CollisionGroup.TABLE, CollisionGroup.ARM),
        (CollisionGroup.TABLE, CollisionGroup.FINGER),
        (CollisionGroup.TABLE, CollisionGroup.THUMB),
        (CollisionGroup.FINGER, CollisionGroup.THUMB),
    )
)
"""Unordered pairs of groups whose geoms collide with each other; a group does not collide with itself."""


@dataclass(frozen=True)
class Geom:
    """A primitive shape, fixed to a body."""

    shape: Shape
    size: tuple[float, ...]
    """Half extents (hx, hy, hz), (radius, half length) or (radius,), in m."""
    pos: Vec3 = (0.0, 0.0, 0.0)
    """Centre in the body frame, m."""
    quat: Quat = IDENTITY
    """Orientation in the body frame, (w, x, y, z)."""
    rgba: tuple[float, float, float, float] = (0.5, 0.5, 0.5, 1.0)
    """Colour, each in 0..1."""
    collision: CollisionGroup = CollisionGroup.NONE
    """What it touches."""


@dataclass(frozen=True)
class Inertial:
    """Mass and inertia of a body."""

    mass: float
    """kg."""
    pos: Vec3
    """Centre of mass in the body frame, m."""
    inertia: tuple[float, float, float, float, float, float]
    """(ixx, iyy, izz, ixy, ixz, iyz) about the centre of mass, in body axes, kg m^2."""


@dataclass(frozen=True)
class Hinge:
    """A revolute joint at the body's origin, about an axis of the body frame."""

    name: str
    axis: Vec3
    """Unit vector in the body frame."""
    limits: tuple[float, float]
    """(lower, upper), rad."""
    damping: float
    """Passive damping, N m s / rad."""
    armature: float
    """Reflected rotor inertia, kg m^2."""
    stiffness: float
    """Proportional gain of the joint's position servo, N m / rad."""
    servo_damping: float
    """Derivative gain of the joint's position servo, N m s / rad."""
    max_effort: float
    """Largest torque of the servo, N m."""


@dataclass(frozen=True)
class Body:
    """A rigid body, placed in its parent's frame, moved by at most one hinge."""

    name: str
    parent: str | None
    """Name of the parent body; None for the world."""
    pos: Vec3
    """Origin in the parent frame at joint angle 0, m."""
    quat: Quat
    """Orientation in the parent frame at joint angle 0, (w, x, y, z)."""
    joint: Hinge | None = None
    inertial: Inertial | None = None
    """None for a body without mass of its own."""
    geoms: tuple[Geom, ...] = ()
