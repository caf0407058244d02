# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Noise of a depth sensor: compiled kernels that change one frame in place, in metres.

What every pixel has (shifts, disparity, normal noise) is drawn row by row in loops without branches; what few pixels
have (dropout, random pixels, sticks) is drawn by the gaps between them. A frame's noise is a function of its keys.
"""

import numpy as np

from .compiled import NOTHING, ONE, TINY, ZERO, inlined, jit
from .hash_kernels import fill_gaussian, next_event, random_word, unit

SHIFT_X, SHIFT_Y, DISPARITY, NORMAL, DROPOUT, RANDOM, STICKS, SALT = range(8)
"""What each of a frame's keys is for."""
_HALF = np.float32(0.5)
_TURN = 2.0 * np.pi


@jit
def add_noise(depth, near, far, strengths, episode_keys, step, lines):
    """Add noise to depth [H, W], whose values beyond far, and which afterwards are NOTHING, are invalid and stay so.

    Args:
        depth: Metres.
        near: What comes to lie nearer becomes invalid, m.
        far: What comes to lie farther becomes invalid, m.
        strengths: [8] float32, the fields of `DepthNoiseConfig` in their order.
        episode_keys: [8] uint32, of environment and episode.
        step: Of the episode, int64.
        lines: [6, W + 2] scratch.
    """
    keys = np.empty(8, np.uint32)
    for k in range(8):
        keys[k] = random_word(np.uint32(step), episode_keys[k], episode_keys[SALT])
    shift, per_metre, jitter, normal = strengths[0], strengths[1], strengths[2], strengths[3]
    if shift > ZERO or per_metre > ZERO or normal > ZERO:
        _measure(depth, near, far, shift, per_metre, jitter, normal, keys, lines)
    if strengths[4] > ZERO:
        _drop(depth, strengths[4], keys[DROPOUT], keys[SALT])
    if strengths[5] > ZERO:
        _randomise(depth, near, far, strengths[5], keys[RANDOM], keys[SALT])
    if strengths[6] > ZERO:
        _stick(depth, near, far, strengths[6], strengths[7], keys[STICKS], keys[SALT])


@jit
def _measure(depth, near, far, shift, per_metre, jitter, normal, keys, lines):
    """What every pixel has."""
    height, width = depth.shape
    x, y, value = lines[3, :width], lines[4, :width], lines[5, :width]
    _load(depth[0], far, lines[0])
    for v in range(height):
        # Rows are kept as they were, since they are overwritten one by one.
        here, below = lines[v % 3], lines[(v + 1) % 3]
        above = lines[(v + 2) % 3] if v else here
        if v + 1 < height:
            _load(depth[v + 1], far, below)
        else:
            below = here
        first = np.uint32(v * width)
        if shift > ZERO:
            fill_gaussian(first, keys[SHIFT_X], keys[SALT], x)
            fill_gaussian(first, keys[SHIFT_Y], keys[SALT], y)
            _shift(above, here, below, shift, x, y, value)
        else:
            value[:] = here[1 : width + 1]
        if per_metre > ZERO:
            x[:] = ZERO
            if jitter > ZERO:
                fill_gaussian(first, keys[DISPARITY], keys[SALT], x)
            _round_disparity(per_metre, jitter, x, value)
        x[:] = ZERO
        if normal > ZERO:
            fill_gaussian(first, keys[NORMAL], keys[SALT], x)
        _add(value, normal, x, near, far, depth[v])


@jit
def _load(line, far, into):
    """Copy line [W] into the middle of into [W + 2], invalid values as 0, with its ends repeated."""
    width = len(line)
    inner = into[1 : width + 1]
    for u in range(width):
        inner[u] = line[u] if line[u] <= far else ZERO
    into[0], into[width + 1] = inner[0], inner[width - 1]


@inlined
def _weighed(left, middle, right, a, b, c):
    """Sum of three depths by their weights, and the weight of the valid ones."""
    seen = (a if left > ZERO else ZERO) + (b if middle > ZERO else ZERO) + (c if right > ZERO else ZERO)
    return a * left + b * middle + c * right, seen


@jit
def _shift(above, here, below, sigma, x, y, out):
    """Depth between the pixels, bilinear over the valid ones; all shifts lie within the 3 x 3 around a pixel."""
    n = len(out)
    a, b, c = above[:n], above[1 : n + 1], above[2 : n + 2]
    d, e, f = here[:n], here[1 : n + 1], here[2 : n + 2]
    g, h, i = below[:n], below[1 : n + 1], below[2 : n + 2]
    for u in range(n):
        dx, dy = min(max(sigma * x[u], -ONE), ONE), min(max(sigma * y[u], -ONE), ONE)
        left, right, up, down = max(-dx, ZERO), max(dx, ZERO), max(-dy, ZERO), max(dy, ZERO)
        middle, level = ONE - left - right, ONE - up - down
        upper, upper_seen = _weighed(a[u], b[u], c[u], left, middle, right)
        own, own_seen = _weighed(d[u], e[u], f[u], left, middle, right)
        lower, lower_seen = _weighed(g[u], h[u], i[u], left, middle, right)
        total = up * upper + level * own + down * lower
        seen = up * upper_seen + level * own_seen + down * lower_seen
        out[u] = total / max(seen, TINY) if (seen > _HALF) & (e[u] > ZERO) else ZERO


@jit
def _round_disparity(per_metre, jitter, normal, value):
    """Make of the disparity of value [n] a whole number of steps, after noise."""
    for u in range(len(value)):
        steps = np.floor(per_metre / max(value[u], TINY) + jitter * normal[u] + _HALF)
        value[u] = per_metre / steps if (steps > ZERO) & (value[u] > ZERO) else ZERO


@jit
def _add(value, sigma, normal, near, far, out):
    """Write value [n] plus noise, or NOTHING where it was invalid or is not between near and far."""
    for u in range(len(out)):
        z = value[u] + sigma * normal[u]
        out[u] = z if (value[u] > ZERO) & (z >= near) & (z <= far) else NOTHING


@jit
def _drop(depth, share, key, salt):
    """Make some pixels invalid."""
    height, width = depth.shape
    log_miss = np.log1p(-np.float64(share))
    count, at = 0, next_event(-1, 0, key, salt, log_miss)
    while at < height * width:
        depth[at // width, at % width] = NOTHING
        count += 1
        at = next_event(at, count, key, salt, log_miss)


@jit
def _randomise(depth, near, far, share, key, salt):
    """Give some pixels any depth."""
    height, width = depth.shape
    log_miss = np.log1p(-np.float64(share))
    count, at = 0, next_event(-1, 0, key, salt, log_miss)
    while at < height * width:
        v, u = at // width, at % width
        if depth[v, u] <= far:
            depth[v, u] = near + (far - near) * unit(random_word(np.uint32(count + 1), key, salt))
        count += 2
        at = next_event(at, count, key, salt, log_miss)


@jit
def _stick(depth, near, far, share, longest, key, salt):
    """Draw some straight lines, each of one depth."""
    height, width = depth.shape
    log_miss = np.log1p(-np.float64(share))
    count, at = 0, next_event(-1, 0, key, salt, log_miss)
    while at < height * width:
        angle = _TURN * unit(random_word(np.uint32(count + 1), key, salt))
        length = np.int64(np.ceil(longest * unit(random_word(np.uint32(count + 2), key, salt))))
        z = near + (far - near) * unit(random_word(np.uint32(count + 3), key, salt))
        down, right = np.sin(angle), np.cos(angle)
        for k in range(length):
            v, u = at // width + np.int64(np.rint(k * down)), at % width + np.int64(np.rint(k * right))
            if 0 <= v < height and 0 <= u < width and depth[v, u] <= far:
                depth[v, u] = z
        count += 4
        at = next_event(at, count, key, salt, log_miss)
