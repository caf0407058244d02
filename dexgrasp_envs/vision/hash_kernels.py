# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Random numbers of pixels: compiled functions of (key, salt, index) without state, which compilers turn into SIMD.

Index and key are mixed by the 32-bit hash of C. Wellons, "Prospecting for hash functions", 2018 (`lowbias32`); the salt
enters between its rounds, so that two keys never give shifted copies of one sequence. Keys and salts come from the
counter-based generator of `rng`.
"""

import numpy as np

from .compiled import inlined, jit

_GOLDEN = np.uint32(0x9E3779B9)
_FIRST, _SECOND = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
_FIFTEEN, _SIXTEEN, _EIGHT = np.uint32(15), np.uint32(16), np.uint32(8)
_BYTES, _HALVES = np.uint32(0x00FF00FF), np.uint32(0xFFFF)
_UNIT = np.float32(2.0**-24)
_MIDDLE = np.float32(510.0)
_PER_SIGMA = np.float32(1.0 / np.sqrt(4 * (256**2 - 1) / 12))
"""Of a sum of four uniform bytes."""


@inlined
def random_word(index, key, salt):
    """32 random bits, uint32, of three uint32."""
    h = np.uint32(np.uint32(index * _GOLDEN) + key)
    h = np.uint32(np.uint32(h ^ np.uint32(h >> _SIXTEEN)) * _FIRST)
    h = np.uint32(h + salt)
    h = np.uint32(np.uint32(h ^ np.uint32(h >> _FIFTEEN)) * _SECOND)
    return np.uint32(h ^ np.uint32(h >> _SIXTEEN))


@inlined
def unit(word):
    """A float32 in (0, 1] of 24 of a word's bits."""
    return (np.float32(np.int32(np.uint32(word >> _EIGHT))) + np.float32(1.0)) * _UNIT


@inlined
def gaussian(word):
    """A nearly normal float32 of mean 0 and variance 1: the sum of a word's four bytes, which ends at 3.45 sigma."""
    pairs = np.uint32(np.uint32(word & _BYTES) + np.uint32(np.uint32(word >> _EIGHT) & _BYTES))
    total = np.uint32(np.uint32(pairs & _HALVES) + np.uint32(pairs >> _SIXTEEN))
    return (np.float32(np.int32(total)) - _MIDDLE) * _PER_SIGMA


@jit
def fill_gaussian(first, key, salt, out):
    """Fill out [n] with the gaussians of the indices from `first`, uint32, on."""
    for u in range(len(out)):
        out[u] = gaussian(random_word(np.uint32(first + np.uint32(u)), key, salt))


@jit
def next_event(at, count, key, salt, log_miss):
    """Index of the next of the independent events that occur at each index with one probability, after index `at`.

    The gap between events is geometric, so that the indices without events need no draw. `count` numbers the draws;
    `log_miss` is the logarithm of the probability that nothing occurs.
    """
    word = random_word(np.uint32(count), key, salt)
    return at + 1 + np.int64(np.log(np.float64(unit(word))) / log_miss)
