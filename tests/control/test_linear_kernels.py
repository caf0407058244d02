"""Compiled linear algebra against numpy."""

import numpy as np

from dexgrasp_envs.control.linear_kernels import solve


def test_it_solves_symmetric_positive_systems() -> None:
    generator = np.random.default_rng(3)
    factor = generator.normal(size=(23, 23))
    matrix, right = factor @ factor.T + np.eye(23), generator.normal(size=23)
    answer = right.copy()
    solve(np.tril(matrix), answer)
    np.testing.assert_allclose(matrix @ answer, right, atol=1e-9)
