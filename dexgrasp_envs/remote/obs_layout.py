"""Where an environment draws the large arrays of its observations, in memory that server and client share."""

import math
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from .data_plane import Array, next_start
from .obs_batch import leaves
from .wire import CHUNK_BYTES, INLINE_BYTES, Path


class ObsLayout:
    """The places of an observation's large arrays, from the start of the memory on.

    Args:
        space: The batched observation space.
        draws: Whether the environment draws there; if not, there are no places, and all the memory is for copies.
    """

    def __init__(self, space: gymnasium.Space[Any], draws: bool):
        self._places: dict[Path, tuple[int, int, Any]] = {}
        sizes, end = [], 0
        for path, leaf in leaves(space, ()):
            sizes.append(math.prod(leaf.shape) * leaf.dtype.itemsize)
            if draws and sizes[-1] > INLINE_BYTES:
                start = next_start(end)
                end = start + sizes[-1]
                self._places[path] = start, end, leaf
        self.size = next_start(end)
        """Bytes that the places take."""
        self.shared_bytes = 2 * sum(sizes) + CHUNK_BYTES if max(sizes, default=0) > INLINE_BYTES else 0
        """Memory for a step that finishes all rows: observations twice, and some for the rest; 0 if all are small."""

    def arrays(self, memory: npt.NDArray[np.uint8]) -> dict[Path, Array]:
        """Arrays that lie in the memory, by path in the observation."""
        return {
            path: memory[start:end].view(leaf.dtype).reshape(leaf.shape)
            for path, (start, end, leaf) in self._places.items()
        }
