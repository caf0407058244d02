"""Object sets, by name."""

import functools
from collections.abc import Callable

from ..errors import ConfigError
from .object_set import GraspObject, ObjectSet, centred
from .primitives12 import primitives12
from .support import Support

_SETS: dict[str, Callable[[], ObjectSet]] = {"primitives12": primitives12}


def names() -> tuple[str, ...]:
    """The names that `load` knows."""
    return tuple(_SETS)


@functools.cache
def load(name: str) -> ObjectSet:
    """The object set of that name; `ConfigError` lists the known ones."""
    if name not in _SETS:
        raise ConfigError(f"unknown object set {name!r}; the sets are {', '.join(_SETS)}")
    return _SETS[name]()


__all__ = ["GraspObject", "ObjectSet", "Support", "centred", "load", "names"]
