"""A counter-based random generator: Philox 4x32-10, vectorised over environments.

A draw depends only on (seed, environment index, episode, step, stream), never on how environments are grouped or in
which order they draw. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11; constants as in
Random123.
"""

import numpy as np
import numpy.typing as npt

_MULTIPLIER = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


def philox(counter: npt.NDArray[np.uint64], key: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Ten rounds of Philox 4x32: counter [4, ...] and key [2, ...] of 32-bit words in uint64, to words [4, ...]."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0 = _MULTIPLIER[0] * c0
        p1 = _MULTIPLIER[1] * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _MASK, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _MASK
        k0 = (k0 + _WEYL[0]) & _MASK
        k1 = (k1 + _WEYL[1]) & _MASK
    return np.stack([c0, c1, c2, c3])


def uniform(
    seed: npt.NDArray[np.int64] | int,
    env_index: npt.NDArray[np.int64],
    episode: npt.NDArray[np.int64],
    stream: int,
    count: int,
    step: npt.NDArray[np.int64] | int = 0,
) -> npt.NDArray[np.float64]:
    """Uniform numbers in [0, 1), [N, count], float64 with 32 random bits each; arguments as for `words`."""
    return words(seed, env_index, episode, stream, count, step).astype(np.float64) * 2.0**-32


def words(
    seed: npt.NDArray[np.int64] | int,
    env_index: npt.NDArray[np.int64],
    episode: npt.NDArray[np.int64],
    stream: int,
    count: int,
    step: npt.NDArray[np.int64] | int = 0,
) -> npt.NDArray[np.uint32]:
    """Random words of 32 bits, [N, count].

    `seed` is one non-negative integer below 2**63 or one per row; `env_index` and `episode` are [N]; `stream` (below
    2**16) separates purposes, so that adding a draw to one never shifts another; `step` separates the steps of an
    episode.
    """
    blocks = -(-count // 4)
    n = len(env_index)
    shape = (n, blocks)
    counter = np.empty((4, *shape), np.uint64)
    counter[0] = np.arange(blocks, dtype=np.uint64) + np.uint64(stream << 16)
    counter[1] = np.broadcast_to(np.asarray(step), n).astype(np.uint64)[:, None]
    counter[2] = episode.astype(np.uint64)[:, None]
    counter[3] = env_index.astype(np.uint64)[:, None]
    seeds = np.broadcast_to(np.asarray(seed), n).astype(np.uint64)[:, None]
    bits = philox(counter & _MASK, np.stack([seeds & _MASK, seeds >> _SHIFT]))
    return np.moveaxis(bits, 0, -1).reshape(n, 4 * blocks)[:, :count].astype(np.uint32)
