"""Splitting what a caller gives among servers, and joining what they give, by rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError, RemoteError

Slices = Sequence[slice]
"""The rows of each server, in order."""


def shares(name: str, num_envs: int, count: int) -> list[int]:
    """Numbers of environments, as equal as they can be; ConfigError, which names `name`, if some would be 0."""
    if not 1 <= count <= num_envs:
        raise ConfigError(f"{name} must be from 1 to num_envs={num_envs}, got {count}")
    each, more = divmod(num_envs, count)
    return [each + (k < more) for k in range(count)]


def split_seed(seed: Any, slices: Slices, by_row: bool, first: int = 0) -> list[Any]:
    """A seed for each server: a list by rows; one number as it is or, `by_row`, plus `first` and its first row.

    ConfigError for a list of another length.
    """
    if seed is None:
        return [None] * len(slices)
    if isinstance(seed, int | np.integer):
        return [int(seed) + first + rows.start if by_row else int(seed) for rows in slices]
    num_envs = slices[-1].stop
    seeds = [int(one) if isinstance(one, np.integer) else one for one in seed]
    if len(seeds) != num_envs:
        raise ConfigError(f"seed must be one integer or {num_envs} of them, one per environment, got {len(seeds)}")
    return [seeds[rows] for rows in slices]


def split_options(options: dict[str, Any] | None, slices: Slices) -> list[dict[str, Any] | None]:
    """Options for each server: arrays and lists with one entry per row are split."""
    if options is None:
        return [None] * len(slices)
    num_envs = slices[-1].stop
    return [{name: _part(value, rows, num_envs) for name, value in options.items()} for rows in slices]


def split_arguments(args: Sequence[Any], slices: Slices) -> list[list[Any]]:
    """Positional arguments for each server: arrays and lists with one entry per row are split."""
    num_envs = slices[-1].stop
    return [[_part(value, rows, num_envs) for value in args] for rows in slices]


def split_actions(actions: Any, slices: Slices) -> list[Any]:
    """Batched actions, possibly in dicts and tuples, for each server."""
    return [take(actions, rows) for rows in slices]


def join_infos(parts: Sequence[dict[str, Any] | None], slices: Slices) -> dict[str, Any]:
    """Infos of all rows; where a server has none of a name, or was not asked (None), zeros with a mask of False."""
    infos: dict[str, Any] = {}
    for name in dict.fromkeys(name for part in parts if part is not None for name in part):
        values = [None if part is None else part.get(name) for part in parts]
        if any(isinstance(value, dict) for value in values):
            if not all(value is None or isinstance(value, dict) for value in values):
                raise RemoteError(f"infos[{name!r}] is a dict at some servers only")
            infos[name] = join_infos(values, slices)
        else:
            infos[name] = _join_info(name, values, slices)
    return infos


def _join_info(name: str, values: Sequence[Any], slices: Slices) -> Any:
    if len(slices) == 1:
        return values[0]
    for value, rows in zip(values, slices, strict=True):
        if value is not None and (not isinstance(value, np.ndarray) or value.shape[:1] != (rows.stop - rows.start,)):
            raise RemoteError(f"infos[{name!r}] is not one value per environment: serve it from one server only")
    given = [value for value in values if value is not None]
    shape, dtype = given[0].shape[1:], np.result_type(*given)
    if any(value.shape[1:] != shape for value in given):
        raise RemoteError(f"infos[{name!r}] has another shape at each server")
    joined: npt.NDArray[Any] = np.zeros((slices[-1].stop, *shape), dtype)
    if dtype.kind == "O":
        joined[...] = None
    for value, rows in zip(values, slices, strict=True):
        if value is not None:
            joined[rows] = value
    return joined


def _part(value: Any, rows: slice, num_envs: int) -> Any:
    """Of what has one entry per row, those rows."""
    if isinstance(value, list | tuple):
        return value[rows] if len(value) == num_envs else value
    if hasattr(value, "__array__"):
        value = np.asarray(value)
        return value[rows] if value.shape[:1] == (num_envs,) else value
    return value


def take(value: Any, rows: slice | int) -> Any:
    """Some rows, or one, of a batch that may be nested in dicts and tuples; a tuple of texts is one text a row."""
    if isinstance(value, dict):
        return {name: take(part, rows) for name, part in value.items()}
    if isinstance(value, tuple) and not (value and isinstance(value[0], str)):
        return tuple(take(part, rows) for part in value)
    return value[rows]
