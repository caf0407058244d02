"""Last observations of finished rows: they travel compactly, and are spread over N entries for the caller."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def stack(rows: Sequence[Any]) -> Any:
    """Single observations as one batch."""
    first = rows[0]
    if isinstance(first, dict):
        return {name: stack([row[name] for row in rows]) for name in first}
    if isinstance(first, tuple):
        return tuple(stack(parts) for parts in zip(*rows, strict=True))
    return list(rows) if isinstance(first, str) else np.stack(rows)


def join(parts: Sequence[dict[str, Any] | None], slices: Sequence[slice]) -> tuple[npt.NDArray[np.int64], Any]:
    """Index [K] in the batch of all servers, and their rows [K, ...], from each server's `index` and `obs`."""
    given = [(part, rows) for part, rows in zip(parts, slices, strict=True) if part is not None and len(part["index"])]
    if not given:
        return np.zeros(0, np.int64), None
    index = np.concatenate([part["index"] + rows.start for part, rows in given])
    return index, _concatenate([part["obs"] for part, _ in given])


def spread(index: npt.NDArray[np.int64], obs: Any, num_envs: int) -> npt.NDArray[np.object_]:
    """Gymnasium's `final_obs`: an observation for each finished row, None for the others."""
    final_obs = np.full(num_envs, None, dtype=object)
    for k, row in enumerate(index.tolist()):
        final_obs[row] = _take(obs, k)
    return final_obs


def _concatenate(parts: Sequence[Any]) -> Any:
    first = parts[0]
    if isinstance(first, dict):
        return {name: _concatenate([part[name] for part in parts]) for name in first}
    if isinstance(first, tuple):
        return tuple(_concatenate(group) for group in zip(*parts, strict=True))
    if isinstance(first, list):
        return [text for part in parts for text in part]
    return np.concatenate(parts)


def _take(obs: Any, k: int) -> Any:
    if isinstance(obs, dict):
        return {name: _take(part, k) for name, part in obs.items()}
    if isinstance(obs, tuple):
        return tuple(_take(part, k) for part in obs)
    return obs[k]
