"""Primitive shapes as triangle meshes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..scene.bodies import Geom, Shape


def mesh_of(geom: Geom) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint32]]:
    """Vertices [V, 3], m, in the frame of the geom (axes along z), and triangles [T, 3] of a shape."""
    import trimesh.creation

    mesh: Any
    if geom.shape is Shape.BOX:
        mesh = trimesh.creation.box(2.0 * np.asarray(geom.size))
    elif geom.shape is Shape.SPHERE:
        mesh = trimesh.creation.icosphere(3, geom.size[0])
    else:
        radius, half_length = geom.size
        make = trimesh.creation.cylinder if geom.shape is Shape.CYLINDER else trimesh.creation.capsule
        mesh = make(radius=radius, height=2 * half_length)
    return mesh.vertices.astype(np.float32), mesh.faces.astype(np.uint32)
