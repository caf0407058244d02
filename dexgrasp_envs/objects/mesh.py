"""Objects given as meshes: their true triangles, and convex pieces for collisions."""

import functools
import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..scene.bodies import Inertial


@dataclass(frozen=True, eq=False)
class ObjectMesh:
    """A closed surface about the centre of its bounding box; compared by identity, and shown by its digest."""

    vertices: npt.NDArray[np.float64] = field(repr=False)
    """[V, 3] of the surface, m."""
    faces: npt.NDArray[np.int32] = field(repr=False)
    """[T, 3] vertices of each triangle, counterclockwise from outside."""
    pieces: tuple[npt.NDArray[np.float64], ...] = field(repr=False)
    """Vertices [P, 3] of convex pieces, whose hulls collide, m."""
    inertial: Inertial
    """Of the homogeneous body that the surface encloses."""
    digest: str
    """16 hexadecimal digits that identify surface and pieces."""

    @functools.cached_property
    def half_extents(self) -> tuple[float, float, float]:
        """Half of the bounding box of the surface, m."""
        x, y, z = np.abs(self.vertices).max(0).tolist()
        return x, y, z


def digest_of(*arrays: npt.NDArray[np.generic]) -> str:
    """16 hexadecimal digits that identify arrays."""
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(f"{array.dtype.str}{array.shape}".encode())
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()[:16]
