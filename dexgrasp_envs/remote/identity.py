"""Who a server is: plain data that its client is told in the welcome, and may insist on."""

import contextlib
import importlib.metadata
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from ..errors import ConfigError, HandshakeError, ProtocolError
from . import wire
from .limits import MAX_BYTES, MAX_GROUPS
from .obs_batch import leaves
from .spaces import space_from_data, space_to_data

PACKAGE = "dexgrasp_envs"
_DESCRIBED = (
    *("version", "packages", "num_envs", "autoreset_mode", "render_mode", "metadata"),
    *("observation_space", "action_space", "seeding", "group", "groups"),
)
BY_INDEX, BY_ROW = "index", "row"
"""How rows differ under one seed: by their global index, so that all servers take the seed as it is; or, Gymnasium's
convention, by a seed of their own, seed + row. Those by index also count their episodes: infos have `episode_index`,
and reset has an option `episode`."""


def describe(env: Any, identity: dict[str, Any]) -> dict[str, Any]:
    """`identity`, and what every environment says of itself.

    Added are `version` of this package, `packages` (versions of those that numbers depend on), `num_envs`,
    `autoreset_mode` (name), `render_mode`, `metadata`, `observation_space` and `action_space` (of a single
    environment), and `seeding`, `group` and `groups` if they are not given.
    ConfigError if some of it cannot travel, or its observations are too large to.
    """
    if not isinstance(env, VectorEnv):
        raise ConfigError(f"only a gymnasium.vector.VectorEnv can be served, got {type(env).__name__}")
    mode = env.metadata.get("autoreset_mode")
    if not isinstance(mode, AutoresetMode):
        raise ConfigError(f"metadata['autoreset_mode'] must be a gymnasium.vector.AutoresetMode, got {mode!r}")
    described = {
        "seeding": BY_ROW,
        "group": 0,
        "groups": 1,
        **identity,
        "version": importlib.metadata.version(PACKAGE),
        "packages": dict(_packages()),
        "num_envs": int(env.num_envs),
        "autoreset_mode": mode.value,
        "render_mode": env.render_mode,
        "metadata": {name: value for name, value in env.metadata.items() if name != "autoreset_mode"},
        "observation_space": space_to_data(env.single_observation_space),
        "action_space": space_to_data(env.single_action_space),
    }
    try:
        wire.encode(described)
        check_description(described)
    except (wire.WireError, ProtocolError) as error:
        raise ConfigError(f"no client could be told of the environment: {error}") from None
    return described


def check_description(identity: Any) -> None:
    """Raise ProtocolError unless a server's identity has what `describe` adds, of the right types.

    Its observations must fit into one message, so that nothing can be too large to allocate.
    """
    if not isinstance(identity, dict):
        raise ProtocolError(f"an identity must be a dict, got {type(identity).__name__}")
    missing = [name for name in _DESCRIBED if name not in identity]
    if missing:
        raise ProtocolError(f"the server does not say its {', '.join(missing)}")
    count, metadata, mode = identity["num_envs"], identity["metadata"], identity["autoreset_mode"]
    if type(count) is not int or count < 1:
        raise ProtocolError(f"num_envs must be a positive integer, got {_short(count)}")
    if not isinstance(mode, str) or mode not in [one.value for one in AutoresetMode]:
        raise ProtocolError(f"the autoreset_mode {_short(mode)} is not one of Gymnasium's")
    if not isinstance(metadata, dict) or not isinstance(identity["render_mode"], str | None):
        raise ProtocolError("metadata must be a dict and render_mode a string or nothing")
    group, groups = identity["group"], identity["groups"]
    if type(group) is not int or type(groups) is not int or not 0 <= group < groups <= MAX_GROUPS:
        raise ProtocolError(f"group {_short(group)} of {_short(groups)}: at most {MAX_GROUPS} are accepted, from 0 on")
    for name in ("observation_space", "action_space"):
        parts = leaves(space_from_data(identity[name]), ())
        size = count * sum(math.prod(leaf.shape) * leaf.dtype.itemsize for _, leaf in parts)
        if size > MAX_BYTES or count > MAX_BYTES:
            raise ProtocolError(f"a batch of its {name} has {size} bytes, at most {MAX_BYTES} are accepted")


def _packages() -> Iterator[tuple[str, str]]:
    for name in ("gymnasium", "mujoco", "numba", "numpy", "torch"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            yield name, importlib.metadata.version(name)


def check_identity(where: str, identity: dict[str, Any], expected: dict[str, Any]) -> None:
    """Raise HandshakeError naming everything in which a server is not as expected."""
    found = list(differences(identity, expected))
    if found:
        raise HandshakeError(
            f"the server at {where} is not the one expected: {'; '.join(found)}. Start it with the client's options "
            "and version, or change the client's"
        )


def differences(actual: Any, expected: Any, path: str = "") -> Iterator[str]:
    """What differs, one line each; only the names in `expected` are looked at."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            inner = f"{path}.{name}" if path else name
            if name not in actual:
                yield f"{inner} is missing"
            else:
                yield from differences(actual[name], value, inner)
    elif not _equal(actual, expected):
        yield f"{path} is {_short(actual)}, expected {_short(expected)}"


def _equal(first: Any, second: Any) -> bool:
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(_equal(*pair) for pair in zip(first, second, strict=True))
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return bool(np.array_equal(first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_equal(first[name], second[name]) for name in first)
    return bool(first == second)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."
