"""Object sets, by name."""

import functools
import os
from collections.abc import Callable
from pathlib import Path

from ..errors import ConfigError
from .held_out import held_out_set
from .households import train
from .object_set import GraspObject, ObjectSet, centred
from .primitives12 import primitives12
from .support import Support

_SETS: dict[str, Callable[[], ObjectSet]] = {"primitives12": primitives12, "train": train, "test": held_out_set}


def names() -> tuple[str, ...]:
    """The names of the sets; `load` takes folders of meshes too."""
    return tuple(_SETS)


def load(name: str) -> ObjectSet:
    """The object set of that name, or of the meshes in that folder, which has a slash in its name ("meshes/").

    Raises:
        ConfigError: There is no such set or folder, or no mesh in it is usable; the message says which and why.
    """
    if is_folder(name):
        from .folder import load_folder

        return load_folder(Path(name))
    return _named(name)


def is_folder(name: object) -> bool:
    """Whether a name of a set is that of a folder."""
    return isinstance(name, str) and ("/" in name or os.sep in name)


@functools.cache
def _named(name: str) -> ObjectSet:
    if name not in _SETS:
        raise ConfigError(
            f"unknown object set {name!r}; the sets are {', '.join(_SETS)}, and any folder of meshes, such as 'meshes/'"
        )
    return _SETS[name]()


__all__ = ["GraspObject", "ObjectSet", "Support", "centred", "is_folder", "load", "names"]
