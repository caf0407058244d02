"""Per-simulation model fields against separately compiled models."""

import mujoco
import numpy as np
import pytest
from mujoco.batch import MODEL_FIELDS, Batch

from dexgrasp_envs.objects import GraspObject
from dexgrasp_envs.sim.mujoco.object_table import ObjectTable
from tests.helpers import OBJECTS, compiled

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
