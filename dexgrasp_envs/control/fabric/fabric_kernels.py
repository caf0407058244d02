# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""The fabric of a batch of robots: compiled kernels that integrate one row after the other."""

import numpy as np

from ...compiled import jit
from ..linear_kernels import solve
from .limit_kernels import limited
from .term_kernels import add_all


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
