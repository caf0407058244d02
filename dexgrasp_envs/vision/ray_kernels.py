# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Ray-casting of primitive shapes: compiled kernels that draw one frame at a time into a z-buffer.

Each shape is tested against the rays inside its screen bounds only. Rays have direction (x, y, 1) in camera axes (x
right, y down, z forward), so that the ray parameter is the depth along the optical axis. The tests are free of
branches, which lets the compiler use SIMD, and start near the shape's centre, which keeps float32 exact to some
micrometres. A frame depends on nothing but its own inputs.
"""

import numpy as np

from .compiled import NOTHING, ONE, TINY, ZERO, inlined, jit
from .noise_kernels import add_noise

BOX, CYLINDER, CAPSULE, SPHERE = range(4)
"""Codes of the shapes."""


@inlined
def _slab(p, d, half):
    """Entry and exit of the ray p + s d between the planes at -half and half."""
    inverse = ONE / (d + TINY)
    one, other = (-half - p) * inverse, (half - p) * inverse
    return min(one, other), max(one, other)


@inlined
def _round(a, b, c):
    """Entry and exit of the ray where a s^2 + 2 b s + c <= 0."""
    disc = b * b - a * c
    root = np.sqrt(max(disc, ZERO))
    inverse = ONE / a
    return (-b - root) * inverse + (NOTHING if disc < ZERO else ZERO), (-b + root) * inverse


@inlined
def enter_box(px, py, pz, dx, dy, dz, hx, hy, hz):
    """Where the ray p + s d enters a box; NOTHING or more if it does not."""
    x0, x1 = _slab(px, dx, hx)
    y0, y1 = _slab(py, dy, hy)
    z0, z1 = _slab(pz, dz, hz)
    enter = max(max(x0, y0), z0)
    return enter if enter <= min(min(x1, y1), z1) else NOTHING


@inlined
def enter_cylinder(px, py, pz, dx, dy, dz, radius, half, unused):
    """Where the ray enters a cylinder about z."""
    r0, r1 = _round(dx * dx + dy * dy + TINY, px * dx + py * dy, px * px + py * py - radius * radius)
    z0, z1 = _slab(pz, dz, half)
    enter = max(r0, z0)
    return enter if enter <= min(r1, z1) else NOTHING


@inlined
def enter_sphere(px, py, pz, dx, dy, dz, radius, unused, unused2):
    """Where the ray enters a sphere."""
    a, b = dx * dx + dy * dy + dz * dz, px * dx + py * dy + pz * dz
    return _round(a, b, px * px + py * py + pz * pz - radius * radius)[0]


@inlined
def enter_capsule(px, py, pz, dx, dy, dz, radius, half, unused):
    """Where the ray enters a capsule about z: a cylinder's wall or one of two spheres, whichever comes first."""
    wall = enter_cylinder(px, py, pz, dx, dy, dz, radius, half, unused)
    top = enter_sphere(px, py, pz - half, dx, dy, dz, radius, unused, unused)
    bottom = enter_sphere(px, py, pz + half, dx, dy, dz, radius, unused, unused)
    return min(wall, min(top, bottom))


def _drawing(enter):
    """The kernel that draws a shape, given how a ray enters it."""

    @jit
    def draw(depth, parts, part, size, center, rot, bounds, row_x, row_y, near):
        """Draw into depth and parts [H, W]; center [3] and rot [3, 3] place the shape in camera axes."""
        start = center[2]
        sx, sy, sz = size[0], size[1], size[2]
        # Columns of the rotation are the shape's axes, so its transpose takes rays into the shape's frame.
        ax, bx, cx = rot[0, 0], rot[1, 0], rot[2, 0]
        ay, by, cy = rot[0, 1], rot[1, 1], rot[2, 1]
        az, bz, cz = rot[0, 2], rot[1, 2], rot[2, 2]
        ox = -(ax * center[0] + bx * center[1] + cx * center[2])
        oy = -(ay * center[0] + by * center[1] + cy * center[2])
        oz = -(az * center[0] + bz * center[1] + cz * center[2])
        # Slices, since indices that start at 0 need no test for negative ones, which would prevent SIMD.
        columns = row_x[bounds[0] : bounds[1]]
        for v in range(bounds[2], bounds[3]):
            y = row_y[v]
            ex, ey, ez = bx * y + cx, by * y + cy, bz * y + cz
            line, ids = depth[v, bounds[0] : bounds[1]], parts[v, bounds[0] : bounds[1]]
            for u in range(len(columns)):
                x = columns[u]
                dx, dy, dz = ax * x + ex, ay * x + ey, az * x + ez
                z = start + enter(ox + start * dx, oy + start * dy, oz + start * dz, dx, dy, dz, sx, sy, sz)
                z = z if z >= near else NOTHING
                before, part_before = line[u], ids[u]
                line[u] = z if z < before else before
                ids[u] = part if z < before else part_before

    return draw


_draw_box = _drawing(enter_box)
_draw_cylinder = _drawing(enter_cylinder)
_draw_capsule = _drawing(enter_capsule)
_draw_sphere = _drawing(enter_sphere)


@jit
def half_extents(shape, size, half):
    """Half extents [3] of a shape's bounding box in its own frame."""
    if shape == BOX:
        half[0], half[1], half[2] = size[0], size[1], size[2]
    elif shape == SPHERE:
        half[0] = half[1] = half[2] = size[0]
    else:
        half[0] = half[1] = size[0]
        half[2] = size[1] + (size[0] if shape == CAPSULE else ZERO)


@jit
def _screen_bounds(half, center, rot, focal, width, height, near, bounds):
    """Pixels [x0, x1, y0, y1) that a box may cover; False if it is not in view."""
    low_x = low_y = np.float32(1e9)
    high_x = high_y = np.float32(-1e9)
    behind = 0
    for corner in range(8):
        sx = half[0] if corner & 1 else -half[0]
        sy = half[1] if corner & 2 else -half[1]
        sz = half[2] if corner & 4 else -half[2]
        x = center[0] + rot[0, 0] * sx + rot[0, 1] * sy + rot[0, 2] * sz
        y = center[1] + rot[1, 0] * sx + rot[1, 1] * sy + rot[1, 2] * sz
        z = center[2] + rot[2, 0] * sx + rot[2, 1] * sy + rot[2, 2] * sz
        if z < near:
            behind += 1
        else:
            low_x, high_x = min(low_x, x / z), max(high_x, x / z)
            low_y, high_y = min(low_y, y / z), max(high_y, y / z)
    if behind == 8:
        return False
    if behind:
        # A corner beside or behind the camera projects anywhere.
        bounds[0], bounds[1], bounds[2], bounds[3] = 0, width, 0, height
        return True
    # One pixel more on each side is cheaper than to think about rounding.
    bounds[0] = max(0, int(np.floor(low_x * focal + width / 2)) - 1)
    bounds[1] = min(width, int(np.ceil(high_x * focal + width / 2)) + 1)
    bounds[2] = max(0, int(np.floor(low_y * focal + height / 2)) - 1)
    bounds[3] = min(height, int(np.ceil(high_y * focal + height / 2)) + 1)
    return bounds[0] < bounds[1] and bounds[2] < bounds[3]


@jit
def place(pos, rot, body, poses_pos, poses_rot, cam_pos, cam_rot, world_pos, world_rot, center, turned):
    """Pose of a geom in camera axes, into center [3] and turned [3, 3], by way of world_pos and world_rot."""
    for i in range(3):
        if body < 0:
            world_pos[i] = pos[i]
            for j in range(3):
                world_rot[i, j] = rot[i, j]
        else:
            total = poses_pos[body, i]
            for k in range(3):
                total += poses_rot[body, i, k] * pos[k]
            world_pos[i] = total
            for j in range(3):
                entry = ZERO
                for k in range(3):
                    entry += poses_rot[body, i, k] * rot[k, j]
                world_rot[i, j] = entry
    for i in range(3):
        total = ZERO
        for k in range(3):
            total += cam_rot[k, i] * (world_pos[k] - cam_pos[k])
        center[i] = total
        for j in range(3):
            entry = ZERO
            for k in range(3):
                entry += cam_rot[k, i] * world_rot[k, j]
            turned[i, j] = entry


@jit
def draw_geoms(shapes, sizes, pos, rot, parts, poses_pos, poses_rot, bodies, cam_pos, cam_rot, rays, near, depth, ids):
    """Draw geoms [G] of one environment into depth and ids [H, W].

    sizes [G, 3]; pos [G, 3] and rot [G, 3, 3] in the frame of the body `bodies` [G] (-1: the world), whose poses are
    poses_pos [B, 3] and poses_rot [B, 3, 3]; parts [G] int16 are written where a geom is nearest. cam_pos [3] and
    cam_rot [3, 3] (columns right, down, forward) place the camera; rays is (row_x [W], row_y [H], focal length in
    pixels).
    """
    row_x, row_y, focal = rays
    height, width = depth.shape
    center, turned, half = np.empty(3, np.float32), np.empty((3, 3), np.float32), np.empty(3, np.float32)
    world_rot = np.empty((3, 3), np.float32)
    world_pos = np.empty(3, np.float32)
    bounds = np.empty(4, np.int64)
    for g in range(len(shapes)):
        shape = shapes[g]
        if shape < 0:
            continue
        place(pos[g], rot[g], bodies[g], poses_pos, poses_rot, cam_pos, cam_rot, world_pos, world_rot, center, turned)
        half_extents(shape, sizes[g], half)
        if not _screen_bounds(half, center, turned, focal, width, height, near, bounds):
            continue
        if shape == BOX:
            _draw_box(depth, ids, parts[g], sizes[g], center, turned, bounds, row_x, row_y, near)
        elif shape == CYLINDER:
            _draw_cylinder(depth, ids, parts[g], sizes[g], center, turned, bounds, row_x, row_y, near)
        elif shape == CAPSULE:
            _draw_capsule(depth, ids, parts[g], sizes[g], center, turned, bounds, row_x, row_y, near)
        else:
            _draw_sphere(depth, ids, parts[g], sizes[g], center, turned, bounds, row_x, row_y, near)


@jit
def cast_frames(
    frames,
    fixed,
    objects,
    object_index,
    poses_pos,
    poses_rot,
    cam_pos,
    cam_rot,
    rays,
    near,
    far,
    scale,
    rounding,
    strengths,
    noise_keys,
    steps,
    out,
    ids,
):
    """Draw the environments `frames` [n] one by one: depth into out [n, H, W] and part ids into ids [n or 1, H, W].

    `fixed` is (shapes, sizes, pos, rot, parts, bodies), [G] each, of what every environment has; `objects` the same
    with [O, K], of which an environment has the row `object_index`. Poses and cameras are [N, ...], indexed by
    `frames`. Depth plus `rounding` units is written in units of `scale` m; 0, and id -1, where nothing is hit before
    `far`. If noise_keys [N, 8] is not empty, noise of these strengths [8] is added, see `add_noise`.
    """
    depth = np.empty(out.shape[1:], np.float32)
    lines = np.empty((6, out.shape[2] + 2), np.float32)
    many = ids.shape[0] == len(frames)
    for i in range(len(frames)):
        n = frames[i]
        parts = ids[i if many else 0]
        depth[:] = NOTHING
        parts[:] = -1
        draw_geoms(
            fixed[0], fixed[1], fixed[2], fixed[3], fixed[4],
            poses_pos[n], poses_rot[n], fixed[5], cam_pos[n], cam_rot[n], rays, near, depth, parts,
        )  # fmt: skip
        o = object_index[n]
        draw_geoms(
            objects[0][o], objects[1][o], objects[2][o], objects[3][o], objects[4][o],
            poses_pos[n], poses_rot[n], objects[5][o], cam_pos[n], cam_rot[n], rays, near, depth, parts,
        )  # fmt: skip
        if len(noise_keys):
            add_noise(depth, near, far, strengths, noise_keys[n], steps[n], lines)
        encode(depth, parts, far, ONE / scale, rounding, out[i])


@jit
def encode(depth, parts, far, per_unit, rounding, out):
    """Write depth [H, W] into out [H, W] in its units, plus `rounding`; 0, and -1 in parts, beyond far."""
    for v in range(out.shape[0]):
        line, ids, target = depth[v], parts[v], out[v]
        for u in range(out.shape[1]):
            seen = line[u] <= far
            target[u] = line[u] * per_unit + rounding if seen else ZERO
            ids[u] = ids[u] if seen else -1
