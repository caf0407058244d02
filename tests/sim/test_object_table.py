"""Per-simulation model fields against separately compiled models."""

import mujoco
import numpy as np
import pytest
from mujoco.batch import MODEL_FIELDS, Batch

from dexgrasp_envs.config import PhysicsConfig
from dexgrasp_envs.objects import GraspObject
from dexgrasp_envs.scene.scene import OBJECT
from dexgrasp_envs.sim.mujoco.compile import ObjectLayout, compile_model
from dexgrasp_envs.sim.mujoco.object_table import ObjectTable
from tests.compounds import MIXED
from tests.helpers import OBJECTS, ROBOT, START_POSTURE, compiled, default_scene, random_rotations

MODELS = [compiled(obj) for obj in OBJECTS.objects]
TABLE = ObjectTable(MODELS)


def field(model: mujoco.MjModel, name: str) -> np.ndarray:
    value = np.asarray(getattr(model.opt, name[4:]) if name.startswith("opt.") else getattr(model, name))
    return value[: model.nbvhstatic] if name == "bvh_aabb" else value


def array_fields(model: mujoco.MjModel) -> set[str]:
    return {name for name in dir(model) if isinstance(getattr(model, name), np.ndarray)}


@pytest.mark.parametrize("obj", OBJECTS.objects, ids=OBJECTS.names)
def test_an_assigned_simulation_has_the_model_that_the_compiler_makes_for_its_object(obj: GraspObject) -> None:
    k = OBJECTS.index(obj.name)
    batch = Batch(MODELS[0], 3)
    TABLE.assign(batch, np.arange(3), np.array([5, k, 7]))
    TABLE.assign(batch, np.array([1]), np.array([(k + 1) % 12]))
    TABLE.assign(batch, np.array([1]), np.array([k]))
    for row, index in enumerate((5, k, 7)):
        model = batch.get_model(row)
        names = {name for name in MODEL_FIELDS if name.startswith("opt.")} | array_fields(model)
        for name in names:
            expected = field(MODELS[index], name)
            assert np.array_equal(field(model, name), expected), f"{name} of row {row}"


def test_models_differ_in_no_array_that_the_batch_cannot_expand() -> None:
    for name in array_fields(MODELS[0]) - set(MODEL_FIELDS):
        assert all(np.array_equal(field(MODELS[0], name), field(model, name)) for model in MODELS), name


def test_everything_that_follows_from_shape_and_size_is_in_the_table() -> None:
    follows = {"geom_type", "geom_size", "geom_rbound", "geom_aabb", "bvh_aabb", "geom_rgba"}
    follows |= {"body_mass", "body_inertia", "body_subtreemass", "body_invweight0", "dof_invweight0"}
    assert follows <= set(TABLE.fields)


def test_nothing_of_the_robot_is_in_the_table() -> None:
    assert not {name for name in TABLE.fields if name.startswith(("actuator", "jnt", "opt", "sensor"))}


def mixed_models() -> list[mujoco.MjModel]:
    layout = ObjectLayout.of(MIXED.objects)
    return [compile_model(default_scene(), ROBOT, obj, PhysicsConfig(), layout) for obj in MIXED.objects]


def contacts(model: mujoco.MjModel, pos: np.ndarray, quat: np.ndarray) -> np.ndarray:
    """Distance and place of each contact of the object, sorted."""
    data = mujoco.MjData(model)
    data.qpos[:] = [*START_POSTURE, *pos, *quat]
    mujoco.mj_forward(model, data)
    mine = model.body(OBJECT).id
    found = [(c.dist, *c.pos) for c in data.contact if mine in model.geom_bodyid[[c.geom1, c.geom2]]]
    return np.array(sorted(found)).reshape(-1, 4)


def test_compounds_collide_in_a_batch_as_in_models_of_their_own() -> None:
    models, generator = mixed_models(), np.random.default_rng(0)
    table, batch = ObjectTable(models), Batch(models[0], len(MIXED))
    table.assign(batch, np.arange(len(MIXED)), np.arange(len(MIXED)))
    palm = mujoco.MjData(models[0])
    palm.qpos[: len(START_POSTURE)] = START_POSTURE
    mujoco.mj_forward(models[0], palm)
    center = palm.xpos[models[0].body("index_link_2").id]
    count = 0
    for row, obj in enumerate(MIXED.objects):
        for rotation in random_rotations(20, generator):
            quat = np.empty(4)
            mujoco.mju_mat2Quat(quat, rotation.ravel())
            where = center + generator.uniform(-0.06, 0.06, 3)
            for place in (where, [0.6, 0.2, 0.27]):
                theirs = contacts(compiled(obj), place, quat)
                count += len(theirs)
                np.testing.assert_allclose(contacts(batch.get_model(row), place, quat), theirs, atol=1e-9)
    assert count > 300


def test_slots_that_an_object_does_not_need_neither_collide_nor_are_seen() -> None:
    for obj, model in zip(MIXED.objects, mixed_models(), strict=True):
        body = model.body(OBJECT)
        first = body.geomadr[0]
        unused = slice(first + len(obj.geoms), first + body.geomnum[0])
        assert not model.geom_contype[unused].any() and not model.geom_conaffinity[unused].any()
        assert not model.geom_rgba[unused, 3].any()
        assert body.mass[0] == pytest.approx(obj.inertial.mass, rel=1e-12)


def test_models_of_a_mixed_set_have_one_layout() -> None:
    models = mixed_models()
    tree = {"bvh_child", "bvh_nodeid", "bvh_depth"}
    for name in array_fields(models[0]) - set(MODEL_FIELDS) - tree:
        assert all(np.array_equal(field(models[0], name), field(model, name)) for model in models), name
