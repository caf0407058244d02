"""How far the objects of a set reach in a direction."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .object_set import GraspObject
from .solids import padded_size, reach, rotation


class Support:
    """The support function of what collides of every object of a set, for batches of objects and directions."""

    def __init__(self, objects: Sequence[GraspObject]):
        most = max(len(obj.geoms) for obj in objects)
        # What is repeated reaches no farther.
        geoms = [[*obj.geoms, *[obj.geoms[0]] * (most - len(obj.geoms))] for obj in objects]
        self._shapes = np.array([[geom.shape.value for geom in row] for row in geoms])
        self._sizes = np.array([[padded_size(geom) for geom in row] for row in geoms])
        self._pos = np.array([[geom.pos for geom in row] for row in geoms])
        self._rot = np.array([[rotation(geom.quat) for geom in row] for row in geoms])
        meshes = [np.zeros((0, 3)) if obj.mesh is None else np.concatenate(obj.mesh.pieces) for obj in objects]
        self._is_mesh = np.array([obj.mesh is not None for obj in objects])
        longest = max(len(points) for points in meshes)
        self._points = np.zeros((len(objects), longest, 3))
        for row, points in zip(self._points, meshes, strict=True):
            if len(points):
                row[:] = np.concatenate([points, np.repeat(points[:1], longest - len(points), 0)])

    def __call__(
        self, object_index: npt.NDArray[np.int64], direction: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Distance [n] from the origins of objects [n] to their farthest points along unit vectors [n, 3], m.

        The vectors are in the frames of the objects.
        """
        rot, pos = self._rot[object_index], self._pos[object_index]
        local = (rot * direction[:, None, :, None]).sum(2)
        center = (pos * direction[:, None]).sum(2)
        far = (center + reach(self._shapes[object_index], self._sizes[object_index], local)).max(1)
        if self._points.shape[1]:
            points = (self._points[object_index] * direction[:, None]).sum(2).max(1)
            far = np.where(self._is_mesh[object_index], points, far)
        return far
