"""Trees of bounding boxes over the triangles of meshes, the way `mesh_kernels` takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..objects.mesh import ObjectMesh

LEAF_TRIANGLES = 4
"""Triangles that a box is not divided for."""


@dataclass(frozen=True)
class MeshTrees:
    """The trees of several meshes, one after the other; a mesh is known by its first node."""

    boxes: npt.NDArray[np.float32]
    """[M, 6] lower and upper corner of each node, m."""
    links: npt.NDArray[np.int64]
    """[M, 2] of an inner node -1 and its second child, whose first child follows it; of a leaf first and last + 1
    triangle."""
    triangles: npt.NDArray[np.float32]
    """[T, 9] first vertex and the two edges from it, m."""
    roots: tuple[int, ...]
    """First node of each mesh."""

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """In the order that the kernels take."""
        return self.boxes, self.links, self.triangles


def mesh_trees(meshes: Sequence[ObjectMesh]) -> MeshTrees:
    """The trees of meshes, divided at the median along the longest side."""
    boxes: list[npt.NDArray[np.float64]] = []
    links: list[tuple[int, int]] = []
    triangles: list[npt.NDArray[np.float64]] = []
    roots = []
    count = 0
    for mesh in meshes:
        corners = mesh.vertices[mesh.faces]
        centers = corners.mean(1)
        roots.append(len(boxes))
        # Of a second child, who its parent is.
        waiting: list[tuple[npt.NDArray[np.int64], int]] = [(np.arange(len(corners)), -1)]
        while waiting:
            chosen, parent = waiting.pop()
            if parent >= 0:
                links[parent] = (-1, len(boxes))
            mine = corners[chosen].reshape(-1, 3)
            boxes.append(np.concatenate([mine.min(0), mine.max(0)]))
            if len(chosen) <= LEAF_TRIANGLES:
                links.append((count, count + len(chosen)))
                triangles.extend(corners[chosen])
                count += len(chosen)
                continue
            axis = int(np.ptp(centers[chosen], axis=0).argmax())
            ordered = chosen[np.argsort(centers[chosen, axis], kind="stable")]
            waiting.append((ordered[len(ordered) // 2 :], len(links)))
            waiting.append((ordered[: len(ordered) // 2], -1))
            links.append((-1, -1))
    whole = np.array(triangles).reshape(-1, 3, 3)
    sides = np.concatenate([whole[:, 0], whole[:, 1] - whole[:, 0], whole[:, 2] - whole[:, 0]], 1)
    return MeshTrees(
        np.array(boxes).reshape(-1, 6).astype(np.float32),
        np.array(links, np.int64).reshape(-1, 2),
        sides.astype(np.float32),
        tuple(roots),
    )
