# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Procedural textures in the frame of a geom: compiled kernels, without branches, from integer hashes.

A texture is a share in 0..1 between the two colours of a geom, a function of the point in its frame alone: it moves
with the geom and is the same in every process.
"""

import numpy as np

from .compiled import ONE, ZERO, inlined, jit

PLAIN, CHECKER, NOISE = range(3)
"""Codes of the textures."""
# Faces at round figures would lie in the planes where a texture's cells meet.
_OFFSET = np.float32(0.37)
_HALF, _TWO, _THREE = np.float32(0.5), np.float32(2.0), np.float32(3.0)
_UNIT = np.float32(2.0**-24)
_MIX_X, _MIX_Y, _MIX_Z = np.uint32(0x8DA6B343), np.uint32(0xD8163841), np.uint32(0xCB1AB31F)
_STIR = np.uint32(0x7FEB352D)
_FIFTEEN, _THIRTEEN, _EIGHT = np.uint32(15), np.uint32(13), np.uint32(8)


@inlined
def _cell(x, y, z):
    """A number in 0..1 for a corner, whose coordinates have been multiplied by `_MIX_*`, uint32."""
    h = np.uint32(np.uint32(x ^ y) ^ z)
    h = np.uint32(np.uint32(h ^ np.uint32(h >> _FIFTEEN)) * _STIR)
    h = np.uint32(h ^ np.uint32(h >> _THIRTEEN))
    return np.float32(np.int32(np.uint32(h >> _EIGHT))) * _UNIT


@inlined
def noise(x, y, z):
    """Value noise in 0..1 with cells of 1: hashed corners, joined smoothly."""
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    ax, ay, az = (
        np.uint32(np.uint32(np.int32(fx)) * _MIX_X),
        np.uint32(np.uint32(np.int32(fy)) * _MIX_Y),
        np.uint32(np.uint32(np.int32(fz)) * _MIX_Z),
    )
    bx, by, bz = np.uint32(ax + _MIX_X), np.uint32(ay + _MIX_Y), np.uint32(az + _MIX_Z)
    u, v, w = x - fx, y - fy, z - fz
    u, v, w = u * u * (_THREE - _TWO * u), v * v * (_THREE - _TWO * v), w * w * (_THREE - _TWO * w)
    a, b, c, d = _cell(ax, ay, az), _cell(ax, by, az), _cell(ax, ay, bz), _cell(ax, by, bz)
    a += u * (_cell(bx, ay, az) - a)
    b += u * (_cell(bx, by, az) - b)
    c += u * (_cell(bx, ay, bz) - c)
    d += u * (_cell(bx, by, bz) - d)
    a += v * (b - a)
    c += v * (d - c)
    return a + w * (c - a)


@inlined
def checker(x, y, z):
    """0 or 1 in turn, in cubes of 1."""
    half = _HALF * (np.floor(x) + np.floor(y) + np.floor(z))
    return ZERO if half == np.floor(half) else ONE


def _texturing(pattern):
    """The kernel that evaluates a pattern at points in camera axes."""

    @jit
    def texture(scale, center, rot, x, y, z, share):
        """Fill share [n] at the points x, y, z [n]; scale [3] in cells per m of the geom's axes."""
        ax, bx, cx = rot[0, 0] * scale[0], rot[1, 0] * scale[0], rot[2, 0] * scale[0]
        ay, by, cy = rot[0, 1] * scale[1], rot[1, 1] * scale[1], rot[2, 1] * scale[1]
        az, bz, cz = rot[0, 2] * scale[2], rot[1, 2] * scale[2], rot[2, 2] * scale[2]
        ox = _OFFSET - (ax * center[0] + bx * center[1] + cx * center[2])
        oy = _OFFSET - (ay * center[0] + by * center[1] + cy * center[2])
        oz = _OFFSET - (az * center[0] + bz * center[1] + cz * center[2])
        for i in range(len(share)):
            p, q, r = x[i], y[i], z[i]
            share[i] = pattern(
                ax * p + bx * q + cx * r + ox, ay * p + by * q + cy * r + oy, az * p + bz * q + cz * r + oz
            )

    return texture


texture_checker = _texturing(checker)
texture_noise = _texturing(noise)
