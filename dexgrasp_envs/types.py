"""What rooms pass to each other: the state of a simulation, and the Protocol of a back end.

Tensors are torch tensors, batched over environments in the first dimension; this module does not import torch itself.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import numpy.typing as npt

from .errors import StateError

if TYPE_CHECKING:
    from torch import Tensor

Arrays = dict[str, npt.NDArray[np.generic]]
"""Named arrays: the form in which state is saved and sent."""


@dataclass
class BatchState:
    """Base of the dataclasses of tensors that hold what belongs to an environment, one row each."""

    def rows(self, index: Tensor) -> Self:
        """A copy of some rows."""
        return type(self)(**{f.name: getattr(self, f.name)[index] for f in dataclasses.fields(self)})

    def set_rows(self, index: Tensor, values: Self) -> None:
        """Overwrite some rows with all rows of `values`."""
        for f in dataclasses.fields(self):
            getattr(self, f.name)[index] = getattr(values, f.name)

    def to_arrays(self, prefix: str) -> Arrays:
        """Copies of all tensors as NumPy arrays, by name with the prefix."""
        return {f"{prefix}.{f.name}": getattr(self, f.name).cpu().numpy().copy() for f in dataclasses.fields(self)}

    def load_arrays(self, prefix: str, arrays: Arrays) -> None:
        """The inverse of `to_arrays`, in place; shapes and dtypes have been checked by `check_arrays`."""
        for f in dataclasses.fields(self):
            tensor = getattr(self, f.name)
            tensor[...] = tensor.new_tensor(arrays[f"{prefix}.{f.name}"])


def check_arrays(expected: Arrays, given: Arrays) -> None:
    """Raise `StateError` unless `given` has exactly the names, shapes and dtypes of `expected`."""
    if not isinstance(given, dict):
        raise StateError(f"a state is a dict of arrays, as get_state gives it, got {type(given).__name__}")
    if set(given) != set(expected):
        missing, extra = sorted(set(expected) - set(given)), sorted(set(given) - set(expected), key=str)
        raise StateError(f"not a state of this environment: missing {missing}, unexpected {extra}")
    for name, array in expected.items():
        got = np.asarray(given[name])
        if got.shape != array.shape or got.dtype != array.dtype:
            raise StateError(
                f"{name} must have shape {array.shape} and dtype {array.dtype}, got {got.shape} {got.dtype}; "
                "the state must come from an environment with the same id, options and num_envs"
            )


@dataclass(frozen=True)
class Field:
    """A named part of an observation group."""

    name: str
    size: int
    low: float
    """Lower bound; values are clipped to the bounds."""
    high: float
    """Upper bound."""


def check_index(name: str, values: npt.ArrayLike, count: int) -> None:
    """Raise `StateError` unless all values are in 0..count-1."""
    array = np.asarray(values)
    if ((array < 0) | (array >= count)).any():
        raise StateError(f"{name} must be in 0..{count - 1}, got {array.tolist()[:8]}")


@dataclass
class SimState(BatchState):
    """The state *after* the last substep, world frame, float32."""

    joint_pos: Tensor
    """[N, J] rad, canonical joint order."""
    joint_vel: Tensor
    """[N, J] rad/s."""
    body_pos: Tensor
    """[N, B + 1, 3] m: the robot's bodies in canonical order, then the object."""
    body_rot: Tensor
    """[N, B + 1, 3, 3] rotation matrices, same order."""
    object_vel: Tensor
    """[N, 6] linear m/s, then angular rad/s, world frame."""
    contact_count: Tensor
    """[N, F + 2] contacts of the object with each finger, the palm and the table, during the last substep."""
    contact_force: Tensor
    """[N, F + 2, 3] net force of those on the object, N, world frame."""
    diverged: Tensor
    """[N] bool: the engine gave up on this row; its other fields are zero."""


@dataclass
class StartState(BatchState):
    """Where an episode starts."""

    object_index: Tensor
    """[n] int64, index in the object set."""
    joint_pos: Tensor
    """[n, J] rad."""
    object_pos: Tensor
    """[n, 3] m, world frame."""
    object_quat: Tensor
    """[n, 4] (w, x, y, z), world frame."""


@dataclass
class Dynamics(BatchState):
    """Physical figures that an episode may draw, float32."""

    friction: Tensor
    """[n] factor of the sliding friction of the object's contacts."""
    mass: Tensor
    """[n] factor of the object's mass, weight and inertia."""
    stiffness: Tensor
    """[n, J] factor of the stiffness of the joints' servos."""
    damping: Tensor
    """[n, J] factor of their damping."""
    joint_friction: Tensor
    """[n, J] factor of the joints' viscous friction."""
    joint_vel: Tensor
    """[n, J] velocity of the joints at the start, rad/s."""


class SimBackend(Protocol):
    """A batch of simulations of one scene; arrays in, arrays out."""

    num_envs: int

    def reset(self, index: Tensor, start: StartState, dynamics: Dynamics | None = None) -> None:
        """Put the rows `index` (int64 [n], sorted, unique) into a start state; nominal and at rest without `dynamics`,
        which only a back end that was made for randomisation takes.
        """

    def push(self, acceleration: Tensor) -> None:
        """Until the next push or reset, a force on each object's centre: its mass times acceleration [N, 3], m/s^2."""

    def step(self, targets: Tensor) -> None:
        """Advance every row by the substeps of `targets` [N, S, J]: set-points of the joints' position servos, rad."""

    def state(self, index: Tensor | None = None) -> SimState:
        """The current state of all rows, or of `index` (int64 [n]), in fresh tensors; diverged rows are zero."""

    def get_state(self) -> Arrays:
        """Everything that decides the future of the rows."""

    def set_state(self, arrays: Arrays) -> None:
        """The inverse of `get_state`; the continued rollout is the same bits."""

    def render(self, row: int) -> npt.NDArray[np.uint8]:
        """A picture of one row for people, uint8 [H, W, 3]."""

    def close(self) -> None:
        """Free what the back end holds; may be called twice."""
