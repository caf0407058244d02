"""How the kernels are compiled, and the constants that they share."""

from typing import Any

import numba
import numpy as np

NOTHING = np.float32(1e9)
"""Depth of a ray that hits nothing, m."""
TINY, ZERO, ONE = np.float32(1e-12), np.float32(0.0), np.float32(1.0)
# Not the whole of `fastmath`: infinities occur.
_FLAGS = {"nnan", "nsz", "arcp", "contract"}
jit: Any = numba.njit(nogil=True, cache=True, fastmath=_FLAGS, error_model="numpy")
inlined: Any = numba.njit(nogil=True, cache=True, fastmath=_FLAGS, error_model="numpy", inline="always")
