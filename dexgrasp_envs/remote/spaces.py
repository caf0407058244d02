"""Gymnasium spaces as plain data, both ways."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from ..errors import ConfigError, ProtocolError


def space_to_data(space: gymnasium.Space[Any]) -> dict[str, Any]:
    """A space as data that travel; ConfigError for a kind that does not, or a Dict whose keys are no strings.

    Of a subclass its base travels.
    """
    if isinstance(space, spaces.Box):
        return {"kind": "Box", "dtype": space.dtype.name, "low": space.low, "high": space.high}
    if isinstance(space, spaces.Discrete):
        return {"kind": "Discrete", "dtype": space.dtype.name, "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "MultiBinary", "n": space.n if isinstance(space.n, int) else list(space.n)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "MultiDiscrete", "dtype": space.dtype.name, "nvec": space.nvec, "start": space.start}
    if isinstance(space, spaces.Text):
        # In its own order, by which it draws samples.
        charset = "".join(space.character_list)
        return {"kind": "Text", "min": space.min_length, "max": space.max_length, "charset": charset}
    if isinstance(space, spaces.Dict):
        if not all(type(name) is str for name in space.spaces):
            raise ConfigError(f"the keys of a Dict space must be strings to be served, got {list(space.spaces)}")
        return {"kind": "Dict", "spaces": [[name, space_to_data(part)] for name, part in space.spaces.items()]}
    if isinstance(space, spaces.Tuple):
        return {"kind": "Tuple", "spaces": [space_to_data(part) for part in space.spaces]}
    raise ConfigError(
        f"{type(space).__name__} spaces cannot be served; use Box, Discrete, MultiBinary, MultiDiscrete, Text, Dict or "
        "Tuple"
    )


def space_from_data(data: Any) -> gymnasium.Space[Any]:
    """The inverse of `space_to_data`; ProtocolError if the data describe no space."""
    try:
        return _build(data)
    except Exception as error:
        # Gymnasium's constructors, asked for the impossible, raise this and that.
        raise ProtocolError(f"the server describes no space: {error!r}") from None


def _build(data: dict[str, Any]) -> gymnasium.Space[Any]:
    kind = data["kind"]
    if kind == "Box":
        return spaces.Box(data["low"], data["high"], dtype=np.dtype(data["dtype"]).type)
    if kind == "Discrete":
        return spaces.Discrete(data["n"], start=data["start"], dtype=np.dtype(data["dtype"]).type)
    if kind == "MultiBinary":
        return spaces.MultiBinary(data["n"])
    if kind == "MultiDiscrete":
        return spaces.MultiDiscrete(data["nvec"], dtype=np.dtype(data["dtype"]).type, start=data["start"])
    if kind == "Text":
        return spaces.Text(data["max"], min_length=data["min"], charset=data["charset"])
    if kind == "Dict":
        return spaces.Dict([(name, _build(part)) for name, part in data["spaces"]])
    if kind == "Tuple":
        return spaces.Tuple([_build(part) for part in data["spaces"]])
    raise ValueError(f"unknown kind {kind!r}")
