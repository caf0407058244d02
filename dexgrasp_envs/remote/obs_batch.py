"""One array [N, ...] for each part of the observation, into which all servers' rows are received."""

from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from .array_pool import ArrayPool
from .data_plane import Array, Place
from .wire import Path, Slot


class ObsBatch:
    """Arrays for one batch of observations.

    Args:
        space: The batched observation space.
        pool: Where they are from; None if those of the only server are taken as they are.
    """

    def __init__(self, space: gymnasium.Space[Any], pool: ArrayPool | None):
        self._fresh = pool is not None
        self._arrays: dict[Path, Array] = {}
        if pool is not None:
            self._arrays = {path: pool.empty(path, leaf.shape, leaf.dtype) for path, leaf in leaves(space, ())}

    def place(self, rows: slice) -> Place:
        """Where a server's rows of `data["obs"]` belong."""

        def place(slot: Slot) -> Array | None:
            whole = self._arrays.get(slot.path[1:]) if slot.path[:1] == ("obs",) else None
            if whole is None or slot.shape != whole[rows].shape or slot.dtype != whole.dtype:
                return None
            return whole[rows]

        return place

    def put(self, rows: slice, obs: Any, path: Path = ()) -> Any:
        """Copy an observation of some rows to where it belongs; the observation there."""
        if isinstance(obs, dict):
            return {name: self.put(rows, part, (*path, name)) for name, part in obs.items()}
        if isinstance(obs, tuple) and obs and not isinstance(obs[0], str):
            return tuple(self.put(rows, part, (*path, i)) for i, part in enumerate(obs))
        if path not in self._arrays:
            return obs
        there = self._arrays[path][rows]
        there[...] = obs
        return there

    def join(self, parts: Sequence[Any], path: Path = ()) -> Any:
        """The observation of all rows from the servers' observations, in order."""
        first = parts[0]
        if not self._fresh:
            return first
        if isinstance(first, dict):
            return {name: self.join([part[name] for part in parts], (*path, name)) for name in first}
        if isinstance(first, tuple):
            if not isinstance(first[0], str):
                return tuple(self.join([part[i] for part in parts], (*path, i)) for i in range(len(first)))
            return tuple(text for part in parts for text in part)
        whole = self._arrays.get(path)
        if whole is None or any(part.dtype != whole.dtype or part.shape[1:] != whole.shape[1:] for part in parts):
            return np.concatenate(parts)
        if any(part.base is not whole.base for part in parts):
            np.concatenate(parts, out=whole)
        return whole


def leaves(space: gymnasium.Space[Any], path: Path) -> Iterator[tuple[Path, Any]]:
    """The parts of a space whose values are arrays, each with its path."""
    if isinstance(space, spaces.Dict):
        for name, part in space.spaces.items():
            yield from leaves(part, (*path, name))
    elif isinstance(space, spaces.Tuple):
        for i, part in enumerate(space.spaces):
            yield from leaves(part, (*path, i))
    elif space.shape is not None and space.dtype is not None and space.dtype.kind in "biuf":
        yield path, space
