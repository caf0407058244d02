"""The physical figures that episodes draw, as per-simulation model fields."""

import numpy as np
import numpy.typing as npt
import torch
from mujoco.batch import Batch

from ...scene.scene import OBJECT
from ...types import Dynamics
from .object_table import ObjectTable

_SLIDING = 0
"""The friction coefficient that contacts of three dimensions use."""


class DynamicsTable:
    """Keeps the `Dynamics` of a batch of simulations and writes what follows from them into their models.

    The fields of the object are written anew from its nominal figures, so that `ObjectTable` may have written them
    before. Mass, inertia, and the inverse weights that scale contact forces are what the compiler would make of an
    object of another density.
    """

    def __init__(self, table: ObjectTable, joints: int, num_envs: int):
        """The table's model is changed so that the friction of contacts is the object's; `joints` come first."""
        first = table.model
        body = first.body(OBJECT).id
        self._body, self._joints = body, joints
        self._dofs = slice(joints, joints + 6)
        self._geoms = np.flatnonzero(first.geom_bodyid == body)
        # Otherwise a contact has the larger one of its geoms' coefficients, which is the robot's or the table's.
        first.geom_priority[self._geoms] = 1
        self._mass = _numbers(table, "body_mass")[:, body]
        self._inertia = _numbers(table, "body_inertia")[:, body]
        self._total = _numbers(table, "body_subtreemass")[:, 0]
        self._invweight = _numbers(table, "body_invweight0")[:, body]
        self._dof_invweight = _numbers(table, "dof_invweight0")[:, self._dofs]
        self._dof_mass = _numbers(table, "dof_M0")[:, self._dofs]
        self._friction = _numbers(table, "geom_friction")[:, self._geoms, _SLIDING]
        self._stiffness = first.actuator_gainprm[:, 0].copy()
        self._damping = -first.actuator_biasprm[:, 2]
        self._joint_friction = first.dof_damping[:joints].copy()
        self.values = nominal(num_envs, joints)
        """Of all simulations."""

    @property
    def mass(self) -> npt.NDArray[np.float64]:
        """Factors [N] of the objects' masses."""
        return self.values.mass.numpy().astype(np.float64)

    def set(self, index: npt.NDArray[np.int64], dynamics: Dynamics | None) -> None:
        """Remember those of the simulations `index` [n]; nominal ones if None."""
        new = nominal(len(index), self._joints) if dynamics is None else dynamics
        self.values.set_rows(torch.from_numpy(index), new)

    def assign(self, batch: Batch, index: npt.NDArray[np.int64], object_index: npt.NDArray[np.int64]) -> None:
        """Write the fields of the simulations `index` [n], which have the objects `object_index` [n]."""
        rows = self.values.rows(torch.from_numpy(index))
        mass, body, k = rows.mass.numpy().astype(np.float64), self._body, object_index
        column = mass[:, None]
        batch.expand("body_mass")[index, body] = self._mass[k] * mass
        batch.expand("body_inertia")[index, body] = self._inertia[k] * column
        subtree = batch.expand("body_subtreemass")
        subtree[index, body] = self._mass[k] * mass
        subtree[index, 0] = self._total[k] + self._mass[k] * (mass - 1.0)
        batch.expand("body_invweight0")[index, body] = self._invweight[k] / column
        batch.expand("dof_invweight0")[index, self._dofs] = self._dof_invweight[k] / column
        batch.expand("dof_M0")[index, self._dofs] = self._dof_mass[k] * column
        friction = self._friction[k] * rows.friction.numpy().astype(np.float64)[:, None]
        batch.expand("geom_friction")[index[:, None], self._geoms, _SLIDING] = friction
        stiffness = self._stiffness * rows.stiffness.numpy().astype(np.float64)
        batch.expand("actuator_gainprm")[index, :, 0] = stiffness
        bias = batch.expand("actuator_biasprm")
        bias[index, :, 1] = -stiffness
        bias[index, :, 2] = -self._damping * rows.damping.numpy().astype(np.float64)
        friction = self._joint_friction * rows.joint_friction.numpy().astype(np.float64)
        batch.expand("dof_damping")[index, : self._joints] = friction


def _numbers(table: ObjectTable, name: str) -> npt.NDArray[np.float64]:
    return table.values(name).astype(np.float64)


def nominal(count: int, joints: int) -> Dynamics:
    """What the models were compiled with."""
    return Dynamics(
        friction=torch.ones(count),
        mass=torch.ones(count),
        stiffness=torch.ones(count, joints),
        damping=torch.ones(count, joints),
        joint_friction=torch.ones(count, joints),
        joint_vel=torch.zeros(count, joints),
    )
