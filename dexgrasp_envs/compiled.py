"""How kernels of control and kinematics are compiled: without the interpreter's lock, and with the bits of IEEE 754."""

from typing import Any

import numba

jit: Any = numba.njit(nogil=True, cache=True, error_model="numpy")
"""Decorator of a kernel."""
