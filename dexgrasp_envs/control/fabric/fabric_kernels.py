# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""The fabric of a batch of robots: compiled kernels that integrate one row after the other."""

import numpy as np

from .limit_kernels import limited
from .motion_kernels import jit
from .term_kernels import add_all


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


@jit
def shrink(acceleration, arm, strongest):
    """Scale the arm's accelerations together until all keep their limits: clipped each, they would point elsewhere."""
    share = 1.0
    for j in range(arm):
        share = min(share, strongest[j] / max(abs(acceleration[j]), strongest[j]))
    for j in range(arm):
        acceleration[j] *= share


@jit
def energies(chain, terms, palm_target, hand_target, pos, vel):
    """Kinetic and potential energy of one row."""
    joints = len(pos)
    matrix, total, momentum = np.empty((joints, joints)), np.empty(joints), np.empty(joints)
    potential = add_all(chain, terms, palm_target, hand_target, 0.0, pos, vel, matrix, total, momentum)
    kinetic = 0.0
    for j in range(joints):
        kinetic += 0.5 * vel[j] * momentum[j]
    return kinetic, potential


@jit
def integrate(chain, terms, limits, palm_target, hand_target, dt, pos, vel, acc, positions, velocities):
    """Advance rows [n] by S steps of dt s, in place.

    palm_target [n, 7, 3] m, hand_target [n, H] rad; pos, vel, acc [n, J]: commanded joints, their velocities and
    accelerations; positions, velocities [n, S, J] are those after each step.
    """
    joints = pos.shape[1]
    matrix, total, momentum = np.empty((joints, joints)), np.empty(joints), np.empty(joints)
    for row in range(len(pos)):
        q, v, a = pos[row], vel[row], acc[row]
        for step in range(positions.shape[1]):
            add_all(chain, terms, palm_target[row], hand_target[row], dt, q, v, matrix, total, momentum)
            solve(matrix, total)
            shrink(total, chain.arm, limits.acceleration)
            for j in range(joints):
                a[j] = limited(limits, j, total[j], q[j], v[j], a[j], dt)
                v[j] += dt * a[j]
                q[j] += dt * v[j]
                positions[row, step, j] = q[j]
                velocities[row, step, j] = v[j]
