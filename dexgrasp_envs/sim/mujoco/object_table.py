"""Every number that differs between the compiled models of a set of objects, as one table per model field."""

from collections.abc import Iterable

import mujoco
import numpy as np
import numpy.typing as npt
from mujoco.batch import MODEL_FIELDS, Batch

from ...scene.scene import OBJECT

_NUMBERS = sorted(name for name in MODEL_FIELDS if not name.startswith("name"))


class ObjectTable:
    """Gives any simulation of a batch any object, without recompiling.

    The compiler knows best what depends on an object: masses, inertias, bounding volumes, inverse weights. Whatever it
    made different between the models becomes a per-simulation field, copied in at a reset.
    """

    def __init__(self, models: Iterable[mujoco.MjModel]):
        """One model per object, compiled from one scene and layout; only the first is kept, with all meshes."""
        found: list[dict[str, npt.NDArray[np.generic]]] = []
        first: dict[str, npt.NDArray[np.generic]] = {}
        for model in models:
            if not found:
                self.model = model
                """The model of the first object."""
                first = {name: _field(model, model, name) for name in _NUMBERS}
            values = {name: _field(model, self.model, name) for name in first}
            found.append({name: value for name, value in values.items() if not np.array_equal(value, first[name])})
        different = sorted({name for values in found for name in values})
        self._objects = len(found)
        self._rows = {name: np.stack([values.get(name, first[name]) for values in found]) for name in different}

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the model fields that differ between objects."""
        return tuple(self._rows)

    def values(self, name: str) -> npt.NDArray[np.generic]:
        """A model field of all objects, [objects, ...]."""
        if name in self._rows:
            return self._rows[name]
        return np.stack([_field(self.model, self.model, name)] * self._objects)

    def assign(self, batch: Batch, index: npt.NDArray[np.int64], object_index: npt.NDArray[np.int64]) -> None:
        """Give the simulations `index` [n] the objects `object_index` [n]."""
        for name, rows in self._rows.items():
            target = batch.expand(name)
            target[index] = rows[object_index].reshape(len(index), *target.shape[1:])


def _field(model: mujoco.MjModel, first: mujoco.MjModel, name: str) -> npt.NDArray[np.generic]:
    if name == "bvh_aabb":
        return _boxes(model, first)
    owner = model.opt if name.startswith("opt.") else model
    value = np.array(getattr(owner, name.removeprefix("opt.")))
    assert value.shape == np.shape(getattr(first.opt if owner is model.opt else first, name.removeprefix("opt."))), name
    return value


def _boxes(model: mujoco.MjModel, first: mujoco.MjModel) -> npt.NDArray[np.float64]:
    """Bounding boxes (centre, half extents) of the tree over the bodies' geoms, in the shape of the first model's tree.

    The compiler splits an object's geoms by where they lie, so that each model has a tree of its own shape; a batch has
    one. Any tree is right whose boxes hold what is below them.
    """
    body = first.body(OBJECT).id
    start, count = int(first.body_bvhadr[body]), int(first.body_bvhnum[body])
    assert (start, count) == (model.body_bvhadr[body], model.body_bvhnum[body]), "object models of different layouts"
    # The batch holds the bounding volumes of bodies only; the object's is the last, and those of meshes come after it.
    boxes = np.array(model.bvh_aabb[: start + count])
    leaves = {int(model.bvh_nodeid[i]): model.bvh_aabb[i] for i in range(start, start + count)}
    # Children come after their parents.
    for i in reversed(range(start, start + count)):
        geom = int(first.bvh_nodeid[i])
        if geom >= 0:
            boxes[i] = leaves[geom]
            continue
        below = boxes[start + first.bvh_child[i]]
        low, high = (below[:, :3] - below[:, 3:]).min(0), (below[:, :3] + below[:, 3:]).max(0)
        boxes[i] = np.concatenate([(low + high) / 2, (high - low) / 2])
    return boxes
