"""Drawn physical figures in the models of simulations."""

import copy

import mujoco
import numpy as np
import pytest
import torch
from mujoco.batch import Batch

from dexgrasp_envs.sim.mujoco.dynamics_table import DynamicsTable, nominal
from dexgrasp_envs.sim.mujoco.object_table import ObjectTable
from tests.helpers import OBJECTS, ROBOT, compiled
from tests.sim.test_object_table import array_fields

JOINTS = len(ROBOT.joints)
CHOSEN = np.array([0, 5, 0])
"""Objects of the simulations, all kept by the table."""
MASS = {"body_mass", "body_inertia", "body_subtreemass", "body_invweight0", "dof_invweight0", "dof_M0"}
CHANGES = {
    "friction": {"geom_friction"},
    "mass": MASS,
    "stiffness": {"actuator_gainprm", "actuator_biasprm"},
    "damping": {"actuator_biasprm"},
    "joint_friction": {"dof_damping"},
    "joint_vel": set(),
}
SOME = torch.tensor([0.5, 1.0, 3.0])
"""Factors of the simulations; the second one stays as it is."""


def models(**factors: torch.Tensor) -> list[mujoco.MjModel]:
    """Of three simulations of two objects, with these dynamics."""
    kinds = [copy.copy(compiled(obj)) for obj in OBJECTS.objects[:6]]
    table = ObjectTable(kinds)
    dynamics = DynamicsTable(table, JOINTS, 3)
    batch = Batch(table.model, 3)
    drawn = nominal(3, JOINTS)
    for name, values in factors.items():
        setattr(drawn, name, values)
    dynamics.set(np.arange(3), drawn)
    for index in ([0, 1, 2], [2]):
        table.assign(batch, np.array(index), CHOSEN[index])
        dynamics.assign(batch, np.array(index), CHOSEN[index])
    return [batch.get_model(row) for row in range(3)]


NOMINAL = models()


@pytest.mark.parametrize("name", CHANGES)
def test_a_figure_changes_its_fields_in_its_rows_and_nothing_else(name: str) -> None:
    values = SOME if name in ("friction", "mass") else SOME[:, None].repeat(1, JOINTS)
    for row, (model, before) in enumerate(zip(models(**{name: values}), NOMINAL, strict=True)):
        differing = {f for f in array_fields(model) if not np.array_equal(getattr(model, f), getattr(before, f))}
        assert differing == (set() if row == 1 else CHANGES[name])


def test_a_heavier_object_is_what_the_compiler_makes_of_more_density() -> None:
    for row, factor in enumerate(SOME.tolist()):
        expected = copy.copy(compiled(OBJECTS.objects[CHOSEN[row]]))
        body = expected.body("object").id
        expected.body_mass[body] *= factor
        expected.body_inertia[body] *= factor
        mujoco.mj_setConst(expected, mujoco.MjData(expected))
        found = models(mass=SOME)[row]
        for name in MASS:
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9, err_msg=name)


def test_friction_is_that_of_the_object_in_all_its_contacts() -> None:
    model = models(friction=SOME)[0]
    data = mujoco.MjData(model)
    data.qpos[JOINTS : JOINTS + 3] = (0.6, 0.2, 0.25 + OBJECTS.objects[0].half_extents[2] - 1e-4)
    data.qpos[JOINTS + 3] = 1.0
    mujoco.mj_forward(model, data)
    object_geom = model.body("object").geomadr[0]
    touching = [c.friction[0] for c in data.contact if object_geom in c.geom]
    assert touching and np.allclose(touching, 0.5 * model.geom_friction[0, 0])


def test_servos_have_the_gains_of_their_factors() -> None:
    stiffness = torch.linspace(0.5, 2.0, 3 * JOINTS).reshape(3, JOINTS)
    damping = stiffness.flip(0)
    found = models(stiffness=stiffness, damping=damping)
    for row in range(3):
        kp = np.array([joint.stiffness for joint in ROBOT.joints]) * stiffness[row].numpy()
        kv = np.array([joint.servo_damping for joint in ROBOT.joints]) * damping[row].numpy()
        np.testing.assert_allclose(found[row].actuator_gainprm[:, 0], kp)
        np.testing.assert_allclose(found[row].actuator_biasprm[:, 1:3], np.stack([-kp, -kv], 1))
