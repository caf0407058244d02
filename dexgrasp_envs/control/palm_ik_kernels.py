# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Damped least squares of an arm, for a batch: compiled kernels that take one row after the other."""

import numpy as np

from ..compiled import jit
from .linear_kernels import solve


@jit
def point_jacobian(bodies, axes, pos, rot, point, out):
    """Geometric Jacobian, linear then angular, of a world point [3] that all joints move.

    bodies int64 [J] and axes [J, 3]: which body each joint turns, and about what in its frame; pos [B, 3] and
    rot [B, 3, 3]: poses of the bodies; out [6, J].
    """
    for j in range(len(bodies)):
        b = bodies[j]
        for r in range(3):
            out[3 + r, j] = rot[b, r, 0] * axes[j, 0] + rot[b, r, 1] * axes[j, 1] + rot[b, r, 2] * axes[j, 2]
        x, y, z = point[0] - pos[b, 0], point[1] - pos[b, 1], point[2] - pos[b, 2]
        out[0, j] = out[4, j] * z - out[5, j] * y
        out[1, j] = out[5, j] * x - out[3, j] * z
        out[2, j] = out[3, j] * y - out[4, j] * x


@jit
def rotation_error(target, current, out):
    """What turns `current` into `target` [3, 3]: axis times 2 sin(angle / 2), world frame, in out [3].

    Close to the rotation vector for small angles, and monotone up to pi.
    """
    turn = np.empty((3, 3))
    for r in range(3):
        for c in range(3):
            turn[r, c] = target[r, 0] * current[c, 0] + target[r, 1] * current[c, 1] + target[r, 2] * current[c, 2]
    # cos(angle / 2) = sqrt((1 + cos angle) / 2) with cos angle = (trace - 1) / 2
    half_cosine = np.sqrt(max(0.25 * (1.0 + turn[0, 0] + turn[1, 1] + turn[2, 2]), 1e-6))
    out[0] = 0.5 * (turn[2, 1] - turn[1, 2]) / half_cosine
    out[1] = 0.5 * (turn[0, 2] - turn[2, 0]) / half_cosine
    out[2] = 0.5 * (turn[1, 0] - turn[0, 1]) / half_cosine


@jit
def shorten(vector, longest):
    """Scale a vector [3] in place to a length of at most `longest`."""
    length = np.sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2])
    if length > longest:
        for k in range(3):
            vector[k] *= longest / length


@jit
def approach(arm, pos, rot, target_pos, target_rot, joint_pos):
    """One iteration of the arm `arm` (an `Arm`): joint_pos float64 [N, J] moves in place towards its targets.

    pos [N, B, 3] and rot [N, B, 3, 3] are the poses of the bodies at joint_pos, the last body being what is to reach
    target_pos [N, 3] and target_rot [N, 3, 3].
    """
    joints = joint_pos.shape[1]
    error, homing = np.empty(6), np.empty(joints)
    jacobian, gram = np.empty((6, joints)), np.empty((6, 6))
    for n in range(len(joint_pos)):
        point = pos[n, -1]
        for k in range(3):
            error[k] = target_pos[n, k] - point[k]
        rotation_error(target_rot[n], rot[n, -1], error[3:])
        shorten(error[:3], arm.max_position)
        shorten(error[3:], arm.max_rotation)
        point_jacobian(arm.bodies, arm.axes, pos[n], rot[n], point, jacobian)
        for j in range(joints):
            homing[j] = arm.null_gain * (arm.home[j] - joint_pos[n, j])
        for r in range(6):
            for j in range(joints):
                error[r] -= jacobian[r, j] * homing[j]
            for c in range(r + 1):
                total = arm.damping if r == c else 0.0
                for j in range(joints):
                    total += jacobian[r, j] * jacobian[c, j]
                gram[r, c] = total
        solve(gram, error)
        for j in range(joints):
            step = homing[j]
            for r in range(6):
                step += jacobian[r, j] * error[r]
            joint_pos[n, j] = min(max(joint_pos[n, j] + step, arm.low[j]), arm.high[j])
