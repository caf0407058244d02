"""Spheres in the shapes of the links."""

import numpy as np
import pytest

from dexgrasp_envs.control.fabric.spheres import body_spheres, robot_spheres
from dexgrasp_envs.robots.rotations import rotation_from_quat
from dexgrasp_envs.scene.bodies import IDENTITY, Body, CollisionGroup, Geom, Shape
from tests.helpers import ROBOT

GEOMS = [
    Geom(Shape.BOX, (0.03, 0.01, 0.015), (0.1, -0.2, 0.3), (0.9, 0.1, -0.3, 0.2), collision=CollisionGroup.FINGER),
    Geom(Shape.CAPSULE, (0.01, 0.03), (0.0, 0.1, 0.0), (0.7, 0.7, 0.1, 0.0), collision=CollisionGroup.FINGER),
    Geom(Shape.CYLINDER, (0.05, 0.02), collision=CollisionGroup.ARM),
]
HALF = [(0.03, 0.01, 0.015), (0.01, 0.01, 0.04), (0.05, 0.05, 0.02)]


@pytest.mark.parametrize(("geom", "half"), list(zip(GEOMS, HALF, strict=True)))
def test_spheres_stay_in_the_shapes_box_and_reach_its_ends(geom: Geom, half: tuple[float, ...]) -> None:
    spheres = body_spheres(Body("link", None, (0.0, 0.0, 0.0), IDENTITY, geoms=(geom,)))
    centers = np.array([sphere.center for sphere in spheres]) - geom.pos
    local = centers @ rotation_from_quat(geom.quat).numpy()
    radius = np.array([[sphere.radius] for sphere in spheres])
    assert (np.abs(local) + radius <= np.array(half) + 1e-9).all()
    longest = int(np.argmax(half))
    np.testing.assert_allclose((local + radius)[:, longest].max(), half[longest])
    np.testing.assert_allclose((local - radius)[:, longest].min(), -half[longest])


def test_a_geom_that_touches_nothing_has_none() -> None:
    geom = Geom(Shape.SPHERE, (0.1,))
    assert body_spheres(Body("link", None, (0.0, 0.0, 0.0), IDENTITY, geoms=(geom,))) == ()


def test_every_link_that_collides_has_some() -> None:
    colliding = {b.name for b in ROBOT.bodies if any(g.collision is not CollisionGroup.NONE for g in b.geoms)}
    assert {sphere.body for sphere in robot_spheres(ROBOT)} == colliding
