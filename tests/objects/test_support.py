"""The support function against sampled surfaces."""

import numpy as np

from dexgrasp_envs.objects import Support
from dexgrasp_envs.objects.solids import rotation
from dexgrasp_envs.scene.bodies import Geom, Shape
from tests.compounds import MIXED


def surface(geom: Geom, generator: np.random.Generator) -> np.ndarray:
    """Points on a geom that its convex hull needs, in the frame of its body."""
    direction = generator.normal(size=(40000, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    if geom.shape is Shape.BOX:
        points = np.sign(direction) * geom.size
    elif geom.shape is Shape.SPHERE:
        points = geom.size[0] * direction
    else:
        radius, half = geom.size
        end = np.sign(direction[:, 2:]) * [0.0, 0.0, half]
        rim = direction * [1, 1, 0]
        if geom.shape is Shape.CYLINDER:
            points = radius * rim / np.linalg.norm(rim, axis=1, keepdims=True) + end
        else:
            points = radius * direction + end
    return points @ rotation(geom.quat).T + geom.pos


def test_objects_reach_as_far_as_points_of_their_surfaces() -> None:
    generator = np.random.default_rng(0)
    support = Support(MIXED.objects)
    for index, obj in enumerate(MIXED.objects):
        points = np.concatenate([surface(geom, generator) for geom in obj.geoms])
        direction = generator.normal(size=(30, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        mine = support(np.full(30, index), direction)
        expected = (points @ direction.T).max(0)
        assert (mine >= expected - 1e-12).all()
        np.testing.assert_allclose(mine, expected, atol=3e-5)


def test_along_its_axes_an_object_reaches_as_far_as_its_bounding_box() -> None:
    support = Support(MIXED.objects)
    for index, obj in enumerate(MIXED.objects):
        for sign in (1.0, -1.0):
            np.testing.assert_allclose(support(np.full(3, index), sign * np.eye(3)), obj.half_extents, atol=1e-12)
