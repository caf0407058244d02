"""Meshes for tests, without decomposition: a ring, whose pieces are given, and files of it."""

import numpy as np
import trimesh

from dexgrasp_envs.objects import GraspObject
from dexgrasp_envs.objects.mesh import ObjectMesh, digest_of
from dexgrasp_envs.objects.object_set import of_mesh
from dexgrasp_envs.scene.bodies import Inertial

RADIUS, THICK = 0.04, 0.012


def ring_object() -> GraspObject:
    """A torus of 8 convex pieces."""
    surface = trimesh.creation.torus(RADIUS, THICK, major_sections=48, minor_sections=24)
    angle = np.arctan2(surface.vertices[:, 1], surface.vertices[:, 0])
    sector = np.floor((angle + np.pi) / (np.pi / 4) - 1e-9)
    pieces = tuple(
        np.asarray(surface.vertices[(sector == k) | (np.abs(angle + np.pi - k * np.pi / 4) < 1e-6)]) for k in range(8)
    )
    surface.density = 500.0
    moment = surface.moment_inertia
    mesh = ObjectMesh(
        np.asarray(surface.vertices),
        np.asarray(surface.faces, np.int32),
        pieces,
        Inertial(float(surface.mass), (0.0, 0.0, 0.0), (*np.diag(moment).tolist(), 0.0, 0.0, 0.0)),
        digest_of(np.asarray(surface.vertices)),
    )
    return of_mesh("ring", mesh)


RING = ring_object()
