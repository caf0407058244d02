# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Ray-casting of triangle meshes: compiled kernels that walk a tree of bounding boxes, see `mesh_tree`.

Rays and depths are those of `ray_kernels`. The ray's origin is moved close to the mesh, which keeps float32 exact.
"""

import numpy as np

from .compiled import NOTHING, ONE, TINY, ZERO, jit

STACK = 64
"""Nodes that wait at most: twice the depth of a tree over 2^31 triangles."""
_EDGE = np.float32(1e-6)
"""Triangles are this much wider, in shares of their sides, so that no ray slips between two."""
_WINDOW = np.float32(1e-3)
"""A point lies on the first surface within this of it, m."""
_CLEAR = np.float32(1e-4)


@jit
def trace(root, boxes, links, triangles, stack, px, py, pz, dx, dy, dz, low, high):
    """Where the ray p + s d first meets a triangle, low <= s < high, and which; (NOTHING, -1) if it does not.

    stack [STACK] int64 is scratch.
    """
    ix, iy, iz = ONE / (dx + TINY), ONE / (dy + TINY), ONE / (dz + TINY)
    best, found = high, -1
    stack[0] = root
    waiting = 1
    while waiting:
        waiting -= 1
        node = stack[waiting]
        box = boxes[node]
        x0, x1 = (box[0] - px) * ix, (box[3] - px) * ix
        y0, y1 = (box[1] - py) * iy, (box[4] - py) * iy
        z0, z1 = (box[2] - pz) * iz, (box[5] - pz) * iz
        enter = max(max(min(x0, x1), min(y0, y1)), min(z0, z1))
        leave = min(min(max(x0, x1), max(y0, y1)), max(z0, z1))
        # A little wider than the box, since flat ones have no inside.
        if enter > leave + _CLEAR or leave < low - _CLEAR or enter > best + _CLEAR:
            continue
        first, last = links[node, 0], links[node, 1]
        if first < 0:
            stack[waiting] = last
            stack[waiting + 1] = node + 1
            waiting += 2
            continue
        for t in range(first, last):
            # Moeller and Trumbore, "Fast, minimum storage ray-triangle intersection", 1997
            v = triangles[t]
            cx, cy, cz = dy * v[8] - dz * v[7], dz * v[6] - dx * v[8], dx * v[7] - dy * v[6]
            det = v[3] * cx + v[4] * cy + v[5] * cz
            if det == ZERO:
                continue
            inverse = ONE / det
            tx, ty, tz = px - v[0], py - v[1], pz - v[2]
            a = (tx * cx + ty * cy + tz * cz) * inverse
            qx, qy, qz = ty * v[5] - tz * v[4], tz * v[3] - tx * v[5], tx * v[4] - ty * v[3]
            b = (dx * qx + dy * qy + dz * qz) * inverse
            if a < -_EDGE or b < -_EDGE or a + b > ONE + _EDGE:
                continue
            s = (v[6] * qx + v[7] * qy + v[8] * qz) * inverse
            if s >= low and s < best:
                best, found = s, t
    return (best if found >= 0 else NOTHING), found


@jit
def draw_mesh(depth, parts, part, root, trees, stack, center, rot, bounds, row_x, row_y, near):
    """Draw a mesh into depth and parts [H, W], as the shapes of `ray_kernels` are drawn."""
    boxes, links, triangles = trees
    start = center[2]
    ax, bx, cx = rot[0, 0], rot[1, 0], rot[2, 0]
    ay, by, cy = rot[0, 1], rot[1, 1], rot[2, 1]
    az, bz, cz = rot[0, 2], rot[1, 2], rot[2, 2]
    ox = -(ax * center[0] + bx * center[1] + cx * center[2])
    oy = -(ay * center[0] + by * center[1] + cy * center[2])
    oz = -(az * center[0] + bz * center[1] + cz * center[2])
    for v in range(bounds[2], bounds[3]):
        y = row_y[v]
        for u in range(bounds[0], bounds[1]):
            x = row_x[u]
            dx, dy, dz = ax * x + bx * y + cx, ay * x + by * y + cy, az * x + bz * y + cz
            before = depth[v, u]
            s, _ = trace(
                root, boxes, links, triangles, stack, ox + start * dx, oy + start * dy, oz + start * dz, dx, dy, dz,
                near - start, before - start,
            )  # fmt: skip
            if start + s < before:
                depth[v, u] = start + s
                parts[v, u] = part


@jit
def light_mesh(geom, root, trees, stack, center, rot, towards, x, y, z, geoms, lit):
    """Write into lit [n] the cosine, or 0, where geoms [n] is `geom`; points x, y, z [n] in camera axes.

    The triangle is found by the ray that drew the point.
    """
    boxes, links, triangles = trees
    own = np.int32(geom)
    mx, my, mz = center[0], center[1], center[2]
    lx, ly, lz = _turn(rot, towards[0], towards[1], towards[2])
    for i in range(len(lit)):
        if geoms[i] != own:
            continue
        px, py, pz = _turn(rot, x[i] - mx, y[i] - my, z[i] - mz)
        dx, dy, dz = _turn(rot, x[i] / z[i], y[i] / z[i], ONE)
        _, found = trace(root, boxes, links, triangles, stack, px, py, pz, dx, dy, dz, -_WINDOW, _WINDOW)
        if found < 0:
            lit[i] = ZERO
            continue
        v = triangles[found]
        nx, ny, nz = v[4] * v[8] - v[5] * v[7], v[5] * v[6] - v[3] * v[8], v[3] * v[7] - v[4] * v[6]
        norm = np.sqrt(nx * nx + ny * ny + nz * nz + TINY * TINY)
        # The side that is seen.
        side = -ONE if nx * dx + ny * dy + nz * dz > ZERO else ONE
        lit[i] = max(side * (nx * lx + ny * ly + nz * lz) / norm, ZERO)


@jit
def shadow_mesh(root, trees, stack, center, rot, towards, x, y, z, lit):
    """Put 0 into lit [n] where the ray from x, y, z [n] towards the light meets the mesh."""
    boxes, links, triangles = trees
    mx, my, mz = center[0], center[1], center[2]
    dx, dy, dz = _turn(rot, towards[0], towards[1], towards[2])
    for i in range(len(lit)):
        if lit[i] > ZERO:
            px, py, pz = _turn(rot, x[i] - mx, y[i] - my, z[i] - mz)
            _, found = trace(root, boxes, links, triangles, stack, px, py, pz, dx, dy, dz, _CLEAR, NOTHING)
            if found >= 0:
                lit[i] = ZERO


@jit
def _turn(rot, x, y, z):
    """A vector in camera axes, in the axes of the mesh."""
    return (
        rot[0, 0] * x + rot[1, 0] * y + rot[2, 0] * z,
        rot[0, 1] * x + rot[1, 1] * y + rot[2, 1] * z,
        rot[0, 2] * x + rot[1, 2] * y + rot[2, 2] * z,
    )
