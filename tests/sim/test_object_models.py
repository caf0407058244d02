"""Masses, inertias and bounds of every shipped object against MuJoCo's compiler, from its geoms alone."""

import mujoco
import numpy as np
import pytest

from dexgrasp_envs import objects
from dexgrasp_envs.objects import GraspObject
from dexgrasp_envs.objects.solids import bounds, padded_size
from dexgrasp_envs.scene.bodies import IDENTITY
from dexgrasp_envs.sim.mujoco.compile import GEOM_TYPES

EVERY = (*objects.load("train").objects, *objects.load("test").objects)


def alone(obj: GraspObject) -> mujoco.MjModel:
    """The object at its density, with all numbers left to the compiler."""
    spec = mujoco.MjSpec()
    body = spec.worldbody.add_body(name="object")
    body.add_freejoint()
    for geom in obj.geoms:
        body.add_geom(type=GEOM_TYPES[geom.shape], size=padded_size(geom), pos=geom.pos, quat=geom.quat, density=500.0)
    return spec.compile()


def parts_overlap(obj: GraspObject) -> bool:
    boxes = [bounds(geom) for geom in obj.geoms]
    return any(
        (np.minimum(boxes[i][1], boxes[j][1]) - np.maximum(boxes[i][0], boxes[j][0]) > 1e-9).all()
        for i in range(len(boxes))
        for j in range(i)
    )


MODELS = [(obj, alone(obj)) for obj in EVERY]


def test_masses_and_inertias_are_the_compilers_where_parts_merely_touch() -> None:
    compared = 0
    for obj, model in MODELS:
        if parts_overlap(obj):
            continue
        compared += 1
        turn = np.zeros(9)
        mujoco.mju_quat2Mat(turn, model.body_iquat[1])
        expected = turn.reshape(3, 3) @ np.diag(model.body_inertia[1]) @ turn.reshape(3, 3).T
        xx, yy, zz, xy, xz, yz = obj.inertial.inertia
        mine = [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]
        assert obj.inertial.mass == pytest.approx(model.body_mass[1], rel=1e-9), obj.name
        np.testing.assert_allclose(obj.inertial.pos, model.body_ipos[1], atol=1e-8, err_msg=obj.name)
        np.testing.assert_allclose(mine, expected, atol=1e-7 * np.trace(expected), err_msg=obj.name)
    assert compared > 100


def test_parts_that_overlap_weigh_a_little_less_than_their_sum() -> None:
    for obj, model in MODELS:
        if parts_overlap(obj):
            assert 0.85 * model.body_mass[1] < obj.inertial.mass <= model.body_mass[1], obj.name


def test_bounds_are_the_compilers() -> None:
    for obj, model in MODELS:
        straight = [geom.quat == IDENTITY for geom in obj.geoms]
        middle, half = model.geom_pos + model.geom_aabb[:, :3], model.geom_aabb[:, 3:]
        low, high = (middle - half)[straight].min(0), (middle + half)[straight].max(0)
        assert (high <= np.array(obj.half_extents) + 1e-9).all(), obj.name
        if all(straight):
            np.testing.assert_allclose([low, high], [np.negative(obj.half_extents), obj.half_extents], atol=1e-9)
