# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Colour: compiled kernels that shade a frame after `ray_kernels` has drawn its depth and which geom each pixel shows.

A frame is shaded in small tiles, whose points, light and colours stay in the first-level cache; each step over a tile
is a loop without branches, for one geom or one colour. Lambert's law with the exact normals of the shapes.

Shadows are rays from the surface to the light, against those geoms only whose extent across the light's direction
meets that of the tile's lit points: two or three geoms a tile. A shadow map takes as long at the usual sizes, since it
is drawn anew for each frame, and would bring a resolution and a tolerance of its own where rays are exact.
"""

import numpy as np

from .compiled import NOTHING, ONE, TINY, ZERO, inlined, jit
from .noise_kernels import add_noise
from .ray_kernels import (
    BOX,
    CAPSULE,
    CYLINDER,
    draw_geoms,
    encode,
    enter_box,
    enter_capsule,
    enter_cylinder,
    enter_sphere,
    half_extents,
    place,
)
from .texture_kernels import CHECKER, PLAIN, texture_checker, texture_noise

TILE_WIDTH, TILE_HEIGHT = 32, 8
_CLEAR = np.float32(1e-4)
"""A shadow ray starts this far from its surface, m: more than rounding, less than anything that is seen."""
_MISSED = np.float32(0.1) * NOTHING
_FARTHEST = np.float32(100.0)
"""Depth that stands for the sky's, m: textures count cells in integers."""
_WHITE, _HALF = np.float32(255.0), np.float32(0.5)


@inlined
def _facing_box(px, py, pz, lx, ly, lz, hx, hy, hz):
    """Cosine between the normal at p, on a box, and the direction l."""
    ex, ey, ez = abs(px) - hx, abs(py) - hy, abs(pz) - hz
    fx, fy, fz = (lx if px > ZERO else -lx), (ly if py > ZERO else -ly), (lz if pz > ZERO else -lz)
    side = fx if ex >= ey else fy
    return side if max(ex, ey) >= ez else fz


@inlined
def _facing_cylinder(px, py, pz, lx, ly, lz, radius, half, unused):
    """The same on a cylinder about z."""
    across = np.sqrt(px * px + py * py + TINY)
    cap = lz if pz > ZERO else -lz
    return cap if abs(pz) - half > across - radius else (px * lx + py * ly) / across


@inlined
def _facing_sphere(px, py, pz, lx, ly, lz, radius, unused, unused2):
    """The same on a sphere."""
    return (px * lx + py * ly + pz * lz) / np.sqrt(px * px + py * py + pz * pz + TINY)


@inlined
def _facing_capsule(px, py, pz, lx, ly, lz, radius, half, unused):
    """The same on a capsule about z."""
    return _facing_sphere(px, py, pz - min(max(pz, -half), half), lx, ly, lz, radius, unused, unused)


def _lighting(facing):
    """The kernel that lights a shape."""

    @jit
    def light(geom, size, center, rot, towards, x, y, z, geoms, lit):
        """Write into lit [n] the cosine, or 0, where geoms [n] is `geom`; points x, y, z [n] in camera axes."""
        sx, sy, sz = size[0], size[1], size[2]
        own = np.int32(geom)
        ax, bx, cx = rot[0, 0], rot[1, 0], rot[2, 0]
        ay, by, cy = rot[0, 1], rot[1, 1], rot[2, 1]
        az, bz, cz = rot[0, 2], rot[1, 2], rot[2, 2]
        mx, my, mz = center[0], center[1], center[2]
        lx = ax * towards[0] + bx * towards[1] + cx * towards[2]
        ly = ay * towards[0] + by * towards[1] + cy * towards[2]
        lz = az * towards[0] + bz * towards[1] + cz * towards[2]
        for i in range(len(lit)):
            p, q, r = x[i] - mx, y[i] - my, z[i] - mz
            cosine = facing(
                ax * p + bx * q + cx * r, ay * p + by * q + cy * r, az * p + bz * q + cz * r, lx, ly, lz, sx, sy, sz
            )
            before = lit[i]
            lit[i] = max(cosine, ZERO) if geoms[i] == own else before

    return light


def _shadowing(enter):
    """The kernel that takes the light of what lies behind a shape."""

    @jit
    def shadow(size, center, rot, towards, x, y, z, lit):
        """Put 0 into lit [n] where the ray from x, y, z [n] towards the light meets the shape."""
        sx, sy, sz = size[0], size[1], size[2]
        ax, bx, cx = rot[0, 0], rot[1, 0], rot[2, 0]
        ay, by, cy = rot[0, 1], rot[1, 1], rot[2, 1]
        az, bz, cz = rot[0, 2], rot[1, 2], rot[2, 2]
        mx, my, mz = center[0], center[1], center[2]
        dx = ax * towards[0] + bx * towards[1] + cx * towards[2]
        dy = ay * towards[0] + by * towards[1] + cy * towards[2]
        dz = az * towards[0] + bz * towards[1] + cz * towards[2]
        for i in range(len(lit)):
            p, q, r = x[i] - mx, y[i] - my, z[i] - mz
            s = enter(
                ax * p + bx * q + cx * r, ay * p + by * q + cy * r, az * p + bz * q + cz * r, dx, dy, dz, sx, sy, sz
            )
            before = lit[i]
            lit[i] = ZERO if (s > _CLEAR) & (s < _MISSED) else before

    return shadow


_light_box, _shadow_box = _lighting(_facing_box), _shadowing(enter_box)
_light_cylinder, _shadow_cylinder = _lighting(_facing_cylinder), _shadowing(enter_cylinder)
_light_capsule, _shadow_capsule = _lighting(_facing_capsule), _shadowing(enter_capsule)
_light_sphere, _shadow_sphere = _lighting(_facing_sphere), _shadowing(enter_sphere)


@jit
def _paint(geom, low, high, share, geoms, channel):
    """Write into channel [n], where geoms [n] is `geom`, the colour between low and high at share [n]."""
    own = np.int32(geom)
    step = high - low
    for i in range(len(channel)):
        before = channel[i]
        channel[i] = low + share[i] * step if geoms[i] == own else before


@jit
def _expose(channel, lit, ambient, intensity, line):
    """Write a row of bytes: gamma 2, the square root of linear light, within 0.04 of sRGB's curve."""
    for i in range(len(line)):
        value = channel[i] * (ambient + intensity * lit[i])
        line[i] = np.uint8(_WHITE * np.sqrt(min(value, ONE)) + _HALF)


@jit
def _span(axis, x, y, z, lit):
    """Least and greatest coordinate along axis [3] of the points that are lit."""
    low, high = NOTHING, -NOTHING
    a, b, c = axis[0], axis[1], axis[2]
    for i in range(len(lit)):
        along = a * x[i] + b * y[i] + c * z[i]
        low = min(low, along if lit[i] > ZERO else NOTHING)
        high = max(high, along if lit[i] > ZERO else -NOTHING)
    return low, high


@jit
def light_axes(direction, cam_rot, axes):
    """Fill axes [3, 3]: rows in camera axes, two across the light and one towards it; direction [3] in the world."""
    for i in range(3):
        axes[2, i] = cam_rot[0, i] * direction[0] + cam_rot[1, i] * direction[1] + cam_rot[2, i] * direction[2]
    least = 0
    for i in range(3):
        if abs(axes[2, i]) < abs(axes[2, least]):
            least = i
    # The unit vector that is farthest from the light, less its part along it.
    for i in range(3):
        axes[0, i] = (ONE if i == least else ZERO) - axes[2, least] * axes[2, i]
    norm = np.sqrt(axes[0, 0] ** 2 + axes[0, 1] ** 2 + axes[0, 2] ** 2)
    for i in range(3):
        axes[0, i] /= norm
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        axes[1, i] = axes[2, j] * axes[0, k] - axes[2, k] * axes[0, j]


@jit
def _gather(table, look, tints, skins, start, body_pos, body_rot, cam_pos, cam_rot, axes, placed):
    """Place geoms [G] of a table from `start` on in the arrays of `placed`; absent ones never cast a shadow."""
    shapes, sizes, centers, rots, colours, extents, kinds, scales = placed
    world_pos, world_rot, half = np.empty(3, np.float32), np.empty((3, 3), np.float32), np.empty(3, np.float32)
    for k in range(len(table[0])):
        g = start + k
        shapes[g] = table[0][k]
        kinds[g] = look[0][k]
        extents[g, 2, 1] = -NOTHING
        if shapes[g] < 0:
            continue
        place(
            table[2][k], table[3][k], table[5][k], body_pos, body_rot, cam_pos, cam_rot, world_pos, world_rot,
            centers[g], rots[g],
        )  # fmt: skip
        for i in range(3):
            sizes[g, i], scales[g, i] = table[1][k, i], look[2][k, i]
            for shade in range(2):
                colours[g, shade, i] = look[1][k, shade, i] * tints[table[4][k], i]
        skin = skins[table[4][k]]
        if skin[0] >= ZERO:
            kinds[g] = np.int64(skin[0])
            for i in range(3):
                scales[g, i] = skin[1]
                for shade in range(2):
                    colours[g, shade, i] = skin[2 + 3 * shade + i] * tints[table[4][k], i]
        half_extents(shapes[g], sizes[g], half)
        for a in range(3):
            middle, reach = ZERO, ZERO
            for i in range(3):
                middle += axes[a, i] * centers[g, i]
                along = ZERO
                for j in range(3):
                    along += axes[a, j] * rots[g, j, i]
                reach += abs(along) * half[i]
            extents[g, a, 0], extents[g, a, 1] = middle - reach, middle + reach
        if not look[3][k]:
            extents[g, 2, 1] = -NOTHING


@jit
def _shade(depth, geoms, rays, placed, count, axes, light, sky, scratch, ids, seen, image):
    """Shade image [3, H, W] from depth [H, W] and geoms [H, W], tile by tile."""
    shapes, sizes, centers, rots, colours, extents, kinds, scales = placed
    row_x, row_y = rays[0], rays[1]
    height, width = depth.shape
    towards, ambient, intensity = axes[2], light[3], light[4]
    for top in range(0, height, TILE_HEIGHT):
        rows = min(TILE_HEIGHT, height - top)
        for left in range(0, width, TILE_WIDTH):
            columns = min(TILE_WIDTH, width - left)
            n = rows * columns
            x, y, z, lit, share = scratch[0, :n], scratch[1, :n], scratch[2, :n], scratch[3, :n], scratch[4, :n]
            own = ids[:n]
            present = _load(depth, geoms, row_x, row_y, top, left, rows, columns, x, y, z, own, seen)
            lit[:] = ZERO
            for c in range(3):
                scratch[5 + c, :n] = sky[c]
            share[:] = ZERO
            for s in range(present):
                g = seen[s]
                shape = shapes[g]
                if shape == BOX:
                    _light_box(g, sizes[g], centers[g], rots[g], towards, x, y, z, own, lit)
                elif shape == CYLINDER:
                    _light_cylinder(g, sizes[g], centers[g], rots[g], towards, x, y, z, own, lit)
                elif shape == CAPSULE:
                    _light_capsule(g, sizes[g], centers[g], rots[g], towards, x, y, z, own, lit)
                else:
                    _light_sphere(g, sizes[g], centers[g], rots[g], towards, x, y, z, own, lit)
                if kinds[g] == CHECKER:
                    texture_checker(scales[g], centers[g], rots[g], x, y, z, share)
                elif kinds[g] != PLAIN:
                    texture_noise(scales[g], centers[g], rots[g], x, y, z, share)
                for c in range(3):
                    high = colours[g, 0, c] if kinds[g] == PLAIN else colours[g, 1, c]
                    _paint(g, colours[g, 0, c], high, share, own, scratch[5 + c, :n])
            if present:
                _cast_shadows(shapes, sizes, centers, rots, extents, count, seen, present, axes, x, y, z, lit)
            for c in range(3):
                channel = scratch[5 + c, :n]
                for v in range(rows):
                    first = v * columns
                    line = image[c, top + v, left : left + columns]
                    _expose(channel[first : first + columns], lit[first : first + columns], ambient, intensity, line)


@jit
def _load(depth, geoms, row_x, row_y, top, left, rows, columns, x, y, z, own, seen):
    """Copy a tile into x, y, z and own [n]; list the geoms in it in `seen` and return how many they are."""
    for v in range(rows):
        first = v * columns
        line, ids = depth[top + v, left : left + columns], geoms[top + v, left : left + columns]
        across, down = row_x[left : left + columns], row_y[top + v]
        xs, ys = x[first : first + columns], y[first : first + columns]
        zs, to = z[first : first + columns], own[first : first + columns]
        for u in range(columns):
            far = min(line[u], _FARTHEST)
            zs[u] = far
            xs[u] = across[u] * far
        for u in range(columns):
            ys[u] = down * zs[u]
            to[u] = ids[u]
    present, last = 0, np.int32(-1)
    for i in range(len(own)):
        g = own[i]
        if g != last:
            last = g
            new = g >= 0
            for s in range(present):
                new = new and seen[s] != g
            if new:
                seen[present] = g
                present += 1
    return present


@jit
def _cast_shadows(shapes, sizes, centers, rots, extents, count, seen, present, axes, x, y, z, lit):
    """Take the light from the points of a tile that geoms [count] shadow."""
    low_a, high_a = _span(axes[0], x, y, z, lit)
    if low_a > high_a:
        return
    low_b, high_b = _span(axes[1], x, y, z, lit)
    low, _ = _span(axes[2], x, y, z, lit)
    towards = axes[2]
    for g in range(count):
        if extents[g, 2, 1] < low or extents[g, 0, 0] > high_a or extents[g, 0, 1] < low_a:
            continue
        if extents[g, 1, 0] > high_b or extents[g, 1, 1] < low_b:
            continue
        # A convex shape does not shadow those of its own points that face the light.
        if present == 1 and seen[0] == g:
            continue
        shape = shapes[g]
        if shape == BOX:
            _shadow_box(sizes[g], centers[g], rots[g], towards, x, y, z, lit)
        elif shape == CYLINDER:
            _shadow_cylinder(sizes[g], centers[g], rots[g], towards, x, y, z, lit)
        elif shape == CAPSULE:
            _shadow_capsule(sizes[g], centers[g], rots[g], towards, x, y, z, lit)
        else:
            _shadow_sphere(sizes[g], centers[g], rots[g], towards, x, y, z, lit)


@jit
def shade_frames(
    frames,
    fixed,
    objects,
    object_index,
    fixed_looks,
    object_looks,
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
    lights,
    tints,
    skins,
    images,
    depths,
    parts,
):
    """As `ray_kernels.cast_frames`, in colour: images [n, 3, H, W] uint8, and if not empty depths and parts [n, H, W].

    `fixed_looks` and `object_looks` are (textures, colours [.., 2, 3], scales [.., 3], casts), as in `Looks`; lights
    [N, 5] hold the direction towards the light in the world, ambient light and intensity; tints [N, P + 1, 3] multiply
    the colours of the parts and, at the end, of the sky's light; skins [N or 1, P, 8] are as `draw_skins` gives them.
    """
    height, width = images.shape[2:]
    depth, geoms = np.empty((height, width), np.float32), np.empty((height, width), np.int16)
    many = len(fixed[0])
    count = many + objects[0].shape[1]
    order = np.arange(count).astype(np.int16)
    placed = (
        np.empty(count, np.int64),
        np.empty((count, 3), np.float32),
        np.empty((count, 3), np.float32),
        np.empty((count, 3, 3), np.float32),
        np.empty((count, 2, 3), np.float32),
        np.empty((count, 3, 2), np.float32),
        np.empty(count, np.int64),
        np.empty((count, 3), np.float32),
    )
    axes, sky = np.empty((3, 3), np.float32), np.empty(3, np.float32)
    lines = np.empty((6, width + 2), np.float32)
    scratch = np.empty((8, TILE_WIDTH * TILE_HEIGHT), np.float32)
    ids, seen = np.empty(TILE_WIDTH * TILE_HEIGHT, np.int32), np.empty(TILE_WIDTH * TILE_HEIGHT, np.int64)
    for i in range(len(frames)):
        n = frames[i]
        o = object_index[n]
        one = (objects[0][o], objects[1][o], objects[2][o], objects[3][o], objects[4][o], objects[5][o])
        look = (object_looks[0][o], object_looks[1][o], object_looks[2][o], object_looks[3][o])
        body_pos, body_rot, eye, turn = poses_pos[n], poses_rot[n], cam_pos[n], cam_rot[n]
        depth[:] = NOTHING
        geoms[:] = -1
        draw_geoms(
            fixed[0], fixed[1], fixed[2], fixed[3], order[:many], body_pos, body_rot, fixed[5], eye, turn, rays, near,
            depth, geoms,
        )  # fmt: skip
        draw_geoms(
            one[0], one[1], one[2], one[3], order[many:], body_pos, body_rot, one[5], eye, turn, rays, near,
            depth, geoms,
        )  # fmt: skip
        light_axes(lights[n, :3], turn, axes)
        skin = skins[n % len(skins)]
        _gather(fixed, fixed_looks, tints[n], skin, 0, body_pos, body_rot, eye, turn, axes, placed)
        _gather(one, look, tints[n], skin, many, body_pos, body_rot, eye, turn, axes, placed)
        for c in range(3):
            # It is not lit, so that this is what is left after the ambient light.
            sky[c] = tints[n, -1, c] / max(lights[n, 3], TINY)
        _shade(depth, geoms, rays, placed, count, axes, lights[n], sky, scratch, ids, seen, images[i])
        if len(depths):
            if len(noise_keys):
                add_noise(depth, near, far, strengths, noise_keys[n], steps[n], lines)
            encode(depth, geoms, far, ONE / scale, rounding, depths[i])
        if len(parts):
            for v in range(height):
                for u in range(width):
                    g = geoms[v, u]
                    parts[i, v, u] = -1 if g < 0 else (fixed[4][g] if g < many else one[4][g - many])
