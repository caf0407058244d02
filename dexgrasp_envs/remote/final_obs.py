"""Last observations of finished rows: they travel compactly, and are spread over N entries for the caller."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .rows import take


def stack(rows: Sequence[Any]) -> Any:
    """Single observations as one batch."""
    return _combine(rows, lambda leaves: list(leaves) if isinstance(leaves[0], str) else np.stack(leaves))


def join(parts: Sequence[dict[str, Any] | None], slices: Sequence[slice]) -> tuple[npt.NDArray[np.int64], Any]:
    """Index [K] in the batch of all servers, and their rows [K, ...], from each server's `index` and `obs`."""
    given = [(part, rows) for part, rows in zip(parts, slices, strict=True) if part is not None and len(part["index"])]
    if not given:
        return np.zeros(0, np.int64), None
    index = np.concatenate([part["index"] + rows.start for part, rows in given])
    return index, _combine([part["obs"] for part, _ in given], _concatenate)


def spread(index: npt.NDArray[np.int64], obs: Any, num_envs: int) -> npt.NDArray[np.object_]:
    """Gymnasium's `final_obs`: an observation for each finished row, None for the others."""
    final_obs = np.full(num_envs, None, dtype=object)
    for k, row in enumerate(index.tolist()):
        final_obs[row] = take(obs, k)
    return final_obs


def _concatenate(leaves: Sequence[Any]) -> Any:
    if isinstance(leaves[0], list):
        return [text for leaf in leaves for text in leaf]
    return np.concatenate(leaves)


def _combine(parts: Sequence[Any], leaves: Callable[[Sequence[Any]], Any]) -> Any:
    """Observations of one structure as one, made of what `leaves` makes of their arrays and texts."""
    first = parts[0]
    if isinstance(first, dict):
        return {name: _combine([part[name] for part in parts], leaves) for name in first}
    if isinstance(first, tuple):
        return tuple(_combine(group, leaves) for group in zip(*parts, strict=True))
    return leaves(parts)
