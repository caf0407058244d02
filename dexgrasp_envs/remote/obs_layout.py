"""Where the large arrays of observations lie in memory that server and client share."""

import math
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from .data_plane import Array, next_start
from .obs_batch import leaves
from .wire import CHUNK_BYTES, INLINE_BYTES, Path


class ObsLayout:
    """The places of an observation's large arrays, from the start of the memory on, in the order in which they travel.

    Args:
        space: The batched observation space.
    """

    def __init__(self, space: gymnasium.Space[Any]):
        self._places: dict[Path, tuple[int, Any]] = {}
        sizes, end = [], 0
        for path, leaf in leaves(space, ()):
            sizes.append(math.prod(leaf.shape) * leaf.dtype.itemsize)
            if sizes[-1] > INLINE_BYTES:
                start = next_start(end)
                self._places[path] = start, leaf
                end = start + sizes[-1]
        self.size = next_start(end)
        """Bytes of one observation's large arrays."""
        self.shared_bytes = 2 * sum(sizes) + CHUNK_BYTES if self._places else 0
        """Memory for a step that finishes all rows: observations twice, and some for the rest; 0 if all are small."""

    def arrays(self, memory: npt.NDArray[np.uint8]) -> dict[Path, Array]:
        """Arrays that lie in the memory, by path in the observation."""
        return {
            path: memory[start : start + math.prod(leaf.shape) * leaf.dtype.itemsize]
            .view(leaf.dtype)
            .reshape(leaf.shape)
            for path, (start, leaf) in self._places.items()
        }
