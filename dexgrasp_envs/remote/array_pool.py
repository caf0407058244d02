"""Arrays in memory that is used again: memory that was never written is slow to write for the first time."""

import math
import sys
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

KEPT = 2
"""Arrays of one name whose memory is kept: one that the caller looks at, and the one that comes next."""
_Owner = npt.NDArray[np.uint8]


class ArrayPool:
    """Gives arrays that nobody else has.

    Memory is given again only when neither the array that was given nor any view of it is referred to any more, so
    that callers may keep arrays as they would fresh ones.
    """

    def __init__(self) -> None:
        self._owners: dict[Hashable, list[_Owner]] = {}

    def empty(self, name: Hashable, shape: Sequence[int], dtype: Any) -> npt.NDArray[Any]:
        """As `np.empty`; what is asked for by one name is expected to be of one size."""
        return self._owner(name, math.prod(shape) * np.dtype(dtype).itemsize).view(dtype).reshape(shape)

    def _owner(self, name: Hashable, size: int) -> _Owner:
        owners = self._owners.setdefault(name, [])
        for i in range(len(owners)):
            if owners[i].nbytes == size and _references(owners, i) == _UNUSED:
                return owners[i]
        if len(owners) == KEPT:
            # Its user keeps it.
            del owners[0]
        owners.append(np.empty(size, np.uint8))
        return owners[-1]


def _references(owners: list[_Owner], i: int) -> int:
    return sys.getrefcount(owners[i])


_UNUSED = _references([np.empty(1, np.uint8)], 0)
"""References to an array that only the pool has."""
