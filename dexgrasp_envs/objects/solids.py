"""Volumes of primitive shapes and of their unions: bounds, mass and inertia."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..scene.bodies import IDENTITY, Geom, Inertial, Quat, Shape

Array = npt.NDArray[np.float64]

CELLS = 24
"""An overlap of parts is integrated on a grid with so many cells along each axis."""
_TOUCHING = 1e-9
"""Bounding boxes that overlap by less merely touch, m."""


def rotation(quat: Quat) -> Array:
    """Matrix [3, 3] of a unit quaternion (w, x, y, z)."""
    w, x, y, z = quat
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def padded_size(geom: Geom) -> tuple[float, float, float]:
    """The size as three numbers."""
    x, y, z = (*geom.size, 0.0, 0.0)[:3]
    return x, y, z


def reach(shapes: npt.NDArray[np.str_], sizes: Array, direction: Array) -> Array:
    """Distance [...] of the centres of primitives to their farthest points along unit vectors in their frames, m.

    shapes [...] are values of `Shape`, sizes [..., 3] as `padded_size` gives them, direction [..., 3].
    """
    along = np.abs(direction)
    level = np.sqrt(np.clip(1.0 - direction[..., 2] ** 2, 0.0, None))
    box = (along * sizes).sum(-1)
    radius, half = sizes[..., 0], sizes[..., 1]
    cylinder = along[..., 2] * half + level * radius
    capsule = along[..., 2] * half + radius
    conditions = [shapes == shape.value for shape in (Shape.BOX, Shape.CYLINDER, Shape.CAPSULE, Shape.SPHERE)]
    return np.select(conditions, [box, cylinder, capsule, np.broadcast_to(radius, box.shape)], -np.inf)


def bounds(geom: Geom) -> tuple[Array, Array]:
    """Lower and upper corner [3] of a geom's exact bounding box in the frame of its body, m."""
    # The rows of the rotation are the axes of the body in the frame of the geom.
    half = reach(np.array(geom.shape.value), np.array(padded_size(geom)), rotation(geom.quat))
    return np.asarray(geom.pos) - half, np.asarray(geom.pos) + half


def union_bounds(geoms: Sequence[Geom]) -> tuple[Array, Array]:
    """Lower and upper corner [3] of the bounding box of several, m."""
    low, high = zip(*(bounds(geom) for geom in geoms), strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)


def contains(geom: Geom, points: Array) -> npt.NDArray[np.bool_]:
    """Whether points [..., 3], m, in the frame of the body, lie in a geom."""
    local = points - np.asarray(geom.pos)
    if geom.quat != IDENTITY:
        rot = rotation(geom.quat)
        local = local[..., :1] * rot[0] + local[..., 1:2] * rot[1] + local[..., 2:] * rot[2]
    if geom.shape is Shape.BOX:
        return (np.abs(local) <= geom.size).all(-1)
    radius = geom.size[0]
    if geom.shape is Shape.CYLINDER:
        return (np.hypot(local[..., 0], local[..., 1]) <= radius) & (np.abs(local[..., 2]) <= geom.size[1])
    half = geom.size[1] if geom.shape is Shape.CAPSULE else 0.0
    local[..., 2] -= np.clip(local[..., 2], -half, half)
    return (local * local).sum(-1) <= radius * radius


def union_inertial(geoms: Sequence[Geom], density: float) -> Inertial:
    """Mass and inertia of the homogeneous union of geoms, density in kg/m^3.

    Exact where the bounding boxes of the geoms merely touch; what several of them share is counted once, by a grid over
    it of `CELLS`^3 (a percent of the overlap, which is a few percent of an object).
    """
    mass, first, tensor = 0.0, np.zeros(3), np.zeros((3, 3))
    for geom in geoms:
        own, diagonal = _solid(geom, density)
        pos, turn = np.asarray(geom.pos), rotation(geom.quat)
        mass += own
        first = first + own * pos
        tensor = tensor + turn @ np.diag(diagonal) @ turn.T + own * _steiner(pos)
    if len(geoms) > 1:
        points, weights = _overlap(geoms)
        shared = density * weights
        mass -= float(shared.sum())
        first = first - (shared[:, None] * points).sum(0)
        squares = (points * points).sum(1)
        outer = (points[:, :, None] * points[:, None, :] * shared[:, None, None]).sum(0)
        tensor = tensor - (np.eye(3) * (shared * squares).sum() - outer)
    center = first / mass
    tensor = tensor - mass * _steiner(center)
    center, tensor = without_rounding(center, tensor)
    (xx, xy, xz), (_, yy, yz), (_, _, zz) = tensor.tolist()
    x, y, z = center.tolist()
    return Inertial(mass, (x, y, z), (xx, yy, zz, xy, xz, yz))


def without_rounding(center: Array, tensor: Array) -> tuple[Array, Array]:
    """Both without what rounding leaves of symmetric ones: it would turn the principal axes anywhere."""
    clean = np.where(np.abs(tensor) < 1e-9 * np.trace(tensor), 0.0, tensor)
    return np.where(np.abs(center) < 1e-9, 0.0, center), clean


def _solid(geom: Geom, density: float) -> tuple[float, tuple[float, float, float]]:
    """Mass, and moments of inertia about the axes of the geom."""
    if geom.shape is Shape.BOX:
        hx, hy, hz = geom.size
        mass = density * 8 * hx * hy * hz
        return mass, (mass * (hy * hy + hz * hz) / 3, mass * (hx * hx + hz * hz) / 3, mass * (hx * hx + hy * hy) / 3)
    radius = geom.size[0]
    ball = density * 4 / 3 * math.pi * radius**3
    if geom.shape is Shape.SPHERE:
        moment = 0.4 * ball * radius * radius
        return ball, (moment, moment, moment)
    half = geom.size[1]
    mass = density * math.pi * radius * radius * 2 * half
    across, about = mass * (3 * radius * radius + 4 * half * half) / 12, mass * radius * radius / 2
    if geom.shape is Shape.CYLINDER:
        return mass, (across, across, about)
    across += ball * (0.4 * radius * radius + half * half + 0.75 * half * radius)
    about += 0.4 * ball * radius * radius
    return mass + ball, (across, across, about)


def _steiner(offset: Array) -> Array:
    """What a unit mass adds to an inertia by being away from the axes (Steiner's theorem), [3, 3]."""
    return np.eye(3) * (offset * offset).sum() - np.outer(offset, offset)


def _overlap(geoms: Sequence[Geom]) -> tuple[Array, Array]:
    """Points [P, 3] of what geoms share, and how much volume they stand for beyond the first geom's, [P] m^3."""
    boxes = [bounds(geom) for geom in geoms]
    shared = []
    for (low, high), (other_low, other_high) in itertools.combinations(boxes, 2):
        corner, end = np.maximum(low, other_low), np.minimum(high, other_high)
        if (end - corner > _TOUCHING).all():
            shared.append((corner, end))
    if not shared:
        return np.zeros((0, 3)), np.zeros(0)
    low = np.min([corner for corner, _ in shared], axis=0)
    high = np.max([end for _, end in shared], axis=0)
    axes = [a + (b - a) * (np.arange(CELLS) + 0.5) / CELLS for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    count = sum(contains(geom, points).astype(np.float64) for geom in geoms)
    again = np.maximum(np.asarray(count) - 1.0, 0.0)
    return points[again > 0], again[again > 0] * np.prod((high - low) / CELLS)
