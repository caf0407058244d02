"""Every number that differs between the compiled models of a set of objects, as one table per model field."""

import mujoco
import numpy as np
import numpy.typing as npt
from mujoco.batch import MODEL_FIELDS, Batch


class ObjectTable:
    """Gives any simulation of a batch any object, without recompiling.

    The compiler knows best what depends on an object: masses, inertias, bounding volumes, inverse weights. Whatever it
    made different between the models becomes a per-simulation field, copied in at a reset.
    """

    def __init__(self, models: list[mujoco.MjModel]):
        """One model per object, compiled from one scene."""
        self._rows: dict[str, npt.NDArray[np.generic]] = {}
        for name in sorted(MODEL_FIELDS):
            values = [_field(model, name) for model in models]
            if any(not np.array_equal(value, values[0]) for value in values[1:]):
                self._rows[name] = np.stack(values)

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the model fields that differ between objects."""
        return tuple(self._rows)

    def assign(self, batch: Batch, index: npt.NDArray[np.int64], object_index: npt.NDArray[np.int64]) -> None:
        """Give the simulations `index` [n] the objects `object_index` [n]."""
        for name, rows in self._rows.items():
            target = batch.expand(name)
            target[index] = rows[object_index].reshape(len(index), *target.shape[1:])


def _field(model: mujoco.MjModel, name: str) -> npt.NDArray[np.generic]:
    owner = model.opt if name.startswith("opt.") else model
    value = np.asarray(getattr(owner, name.removeprefix("opt.")))
    # The batch holds the bounding volumes of bodies only, which come first.
    return value[: model.nbvhstatic] if name == "bvh_aabb" else value
