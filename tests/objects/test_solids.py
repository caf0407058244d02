"""Bounds and inertia of unions against MuJoCo's compiler and against sampling."""

import mujoco
import numpy as np
import pytest

from dexgrasp_envs.objects.solids import contains, padded_size, union_bounds, union_inertial
from dexgrasp_envs.scene.bodies import Geom, Inertial, Shape
from dexgrasp_envs.sim.mujoco.compile import GEOM_TYPES
from tests.compounds import HAMMER, MUG, TILTED, TURNED

APART = {
    "box": [Geom(Shape.BOX, (0.01, 0.02, 0.03), (0.1, 0.0, 0.0), TURNED)],
    "cylinder": [Geom(Shape.CYLINDER, (0.02, 0.03), (0.0, 0.1, 0.0), TURNED)],
    "capsule": [Geom(Shape.CAPSULE, (0.02, 0.03), (0.0, 0.0, 0.1), TURNED)],
    "sphere": [Geom(Shape.SPHERE, (0.02,), (0.0, 0.1, 0.1))],
    "hammer": HAMMER.geoms,
}


def tensor(inertial: Inertial) -> np.ndarray:
    xx, yy, zz, xy, xz, yz = inertial.inertia
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


@pytest.mark.parametrize("name", APART)
def test_parts_that_do_not_overlap_weigh_what_mujocos_compiler_says(name: str) -> None:
    spec = mujoco.MjSpec()
    body = spec.worldbody.add_body(name="object")
    body.add_freejoint()
    for geom in APART[name]:
        body.add_geom(type=GEOM_TYPES[geom.shape], size=padded_size(geom), pos=geom.pos, quat=geom.quat, density=500.0)
    compiled, mine = spec.compile().body("object"), union_inertial(APART[name], 500.0)
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, compiled.iquat)
    expected = turn.reshape(3, 3) @ np.diag(compiled.inertia) @ turn.reshape(3, 3).T
    assert mine.mass == pytest.approx(compiled.mass[0], rel=1e-9)
    np.testing.assert_allclose(mine.pos, compiled.ipos, atol=1e-9)
    np.testing.assert_allclose(tensor(mine), expected, atol=1e-8 * np.trace(expected))


@pytest.mark.parametrize("obj", [MUG, TILTED], ids=["mug", "tilted"])
def test_what_parts_share_is_counted_once(obj) -> None:
    axes = [np.linspace(-half, half, 141) for half in obj.half_extents]
    axes = [(axis[1:] + axis[:-1]) / 2 for axis in axes]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    points = grid[np.any([contains(geom, grid) for geom in obj.geoms], axis=0)]
    cell = np.prod([2 * half / 140 for half in obj.half_extents])
    mass, center = 500.0 * cell * len(points), points.mean(0)
    offset = points - center
    expected = 500.0 * cell * (np.eye(3) * (offset**2).sum() - offset.T @ offset)
    mine = obj.inertial
    assert mine.mass == pytest.approx(mass, rel=5e-3)
    np.testing.assert_allclose(mine.pos, center, atol=1e-4)
    np.testing.assert_allclose(tensor(mine), expected, atol=5e-3 * np.trace(expected))


def test_bounds_are_exact_for_turned_shapes() -> None:
    low, high = union_bounds([Geom(Shape.CAPSULE, (0.01, 0.04), (0.03, 0.01, 0.02), TURNED)])
    reach = np.array([0.04 * np.sin(0.8), 0.0, 0.04 * np.cos(0.8)]) + 0.01
    np.testing.assert_allclose([low, high], [[0.03, 0.01, 0.02] - reach, [0.03, 0.01, 0.02] + reach], atol=1e-12)


def test_points_are_inside_or_outside() -> None:
    cylinder = Geom(Shape.CYLINDER, (0.02, 0.05), (0.1, 0.0, 0.0))
    assert contains(cylinder, np.array([[0.119, 0.0, 0.049], [0.121, 0.0, 0.0], [0.1, 0.0, 0.051]])).tolist() == [
        True,
        False,
        False,
    ]
