# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Compiled linear algebra of one row."""

import numpy as np

from ..compiled import jit


@jit
def solve(matrix, right):
    """Solve matrix x = right in place for a symmetric positive matrix [J, J] whose lower part is given (Cholesky)."""
    n = len(right)
    for i in range(n):
        for k in range(i + 1):
            value = matrix[i, k]
            for m in range(k):
                value -= matrix[i, m] * matrix[k, m]
            matrix[i, k] = np.sqrt(value) if i == k else value / matrix[k, k]
    for i in range(n):
        value = right[i]
        for m in range(i):
            value -= matrix[i, m] * right[m]
        right[i] = value / matrix[i, i]
    for i in range(n - 1, -1, -1):
        value = right[i]
        for m in range(i + 1, n):
            value -= matrix[m, i] * right[m]
        right[i] = value / matrix[i, i]
