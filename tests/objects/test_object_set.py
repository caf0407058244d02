"""Mass, inertia and extents of objects against MuJoCo's compiler."""

import mujoco
import numpy as np
import pytest

from dexgrasp_envs.objects.object_set import GraspObject
from dexgrasp_envs.scene.bodies import Geom, Shape
from tests.helpers import OBJECTS

TYPES = {Shape.BOX: mujoco.mjtGeom.mjGEOM_BOX, Shape.CYLINDER: mujoco.mjtGeom.mjGEOM_CYLINDER}


@pytest.mark.parametrize("obj", OBJECTS.objects, ids=OBJECTS.names)
def test_inertial_equals_that_of_mujocos_compiler_at_500_kg_per_m3(obj: GraspObject) -> None:
    spec = mujoco.MjSpec()
    body = spec.worldbody.add_body(name="object")
    body.add_freejoint()
    body.add_geom(type=TYPES[obj.geoms[0].shape], size=(*obj.geoms[0].size, 0.0)[:3], density=500.0)
    compiled = spec.compile().body("object")
    mine = obj.inertial
    assert mine.mass == pytest.approx(compiled.mass[0], rel=1e-9)
    assert mine.pos == tuple(compiled.ipos)
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, compiled.iquat)
    tensor = turn.reshape(3, 3) @ np.diag(compiled.inertia) @ turn.reshape(3, 3).T
    np.testing.assert_allclose(np.diag(mine.inertia[:3]), tensor, rtol=1e-9, atol=1e-12 * tensor.max())
    assert mine.inertia[3:] == (0.0, 0.0, 0.0)


def test_half_extents_bound_box_and_cylinder() -> None:
    assert GraspObject("b", (Geom(Shape.BOX, (0.01, 0.02, 0.03)),)).half_extents == (0.01, 0.02, 0.03)
    assert GraspObject("c", (Geom(Shape.CYLINDER, (0.02, 0.05)),)).half_extents == (0.02, 0.02, 0.05)


def test_only_the_cylinder_is_round() -> None:
    assert not GraspObject("b", (Geom(Shape.BOX, (0.01, 0.02, 0.03)),)).is_round
    assert GraspObject("c", (Geom(Shape.CYLINDER, (0.02, 0.05)),)).is_round


def test_index_is_the_position_of_a_name() -> None:
    assert [OBJECTS.index(name) for name in OBJECTS.names] == list(range(len(OBJECTS)))


def test_index_of_an_unknown_name_lists_the_names() -> None:
    with pytest.raises(KeyError, match="cuboid_small_5cm"):
        OBJECTS.index("teapot")
