# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""How the links of one robot move: compiled forward kinematics up to the accelerations that velocities cause."""

import numpy as np

from ...compiled import jit


@jit
def cross(a, b, out):
    """a x b, [3] each."""
    out[0] = a[1] * b[2] - a[2] * b[1]
    out[1] = a[2] * b[0] - a[0] * b[2]
    out[2] = a[0] * b[1] - a[1] * b[0]


@jit
def carry(spin, twist, lever, velocity, acceleration, out_velocity, out_acceleration, scratch):
    """Velocity and acceleration of a point `lever` away from a known one on the same rigid body, all [3].

    velocity + spin x lever; acceleration + twist x lever + spin x (spin x lever).
    """
    cross(spin, lever, scratch)
    for k in range(3):
        out_velocity[k] = velocity[k] + scratch[k]
    ax = spin[1] * scratch[2] - spin[2] * scratch[1]
    ay = spin[2] * scratch[0] - spin[0] * scratch[2]
    az = spin[0] * scratch[1] - spin[1] * scratch[0]
    cross(twist, lever, scratch)
    out_acceleration[0] = acceleration[0] + scratch[0] + ax
    out_acceleration[1] = acceleration[1] + scratch[1] + ay
    out_acceleration[2] = acceleration[2] + scratch[2] + az


@jit
def move(chain, pos, vel, turn, motion):
    """Poses and motions of all links for joints pos, vel [J], with no acceleration of the joints.

    turn [J, 3, 3]; motion [J, 6, 3]: origin, velocity, acceleration, angular velocity and acceleration, joint axis.
    """
    lever, scratch, still = np.empty(3), np.empty(3), np.zeros((6, 3))
    at_zero = np.empty((3, 3))
    for joint in range(len(pos)):
        parent = chain.parent[joint]
        base = still if parent < 0 else motion[parent]
        for r in range(3):
            total = 0.0
            for k in range(3):
                column = 0.0
                if parent < 0:
                    column = chain.turn[joint, r, k]
                    total = chain.place[joint, r]
                else:
                    for m in range(3):
                        column += turn[parent, r, m] * chain.turn[joint, m, k]
                    total += turn[parent, r, k] * chain.place[joint, k]
                at_zero[r, k] = column
            lever[r] = total
        cosine, sine = np.cos(pos[joint]), np.sin(pos[joint])
        own = motion[joint]
        for r in range(3):
            turn[joint, r, 0] = cosine * at_zero[r, 0] + sine * at_zero[r, 1]
            turn[joint, r, 1] = cosine * at_zero[r, 1] - sine * at_zero[r, 0]
            turn[joint, r, 2] = at_zero[r, 2]
            own[0, r] = base[0, r] + lever[r]
            own[5, r] = at_zero[r, 2]
        carry(base[3], base[4], lever, base[1], base[2], own[1], own[2], scratch)
        cross(base[3], own[5], scratch)
        for r in range(3):
            own[3, r] = base[3, r] + own[5, r] * vel[joint]
            own[4, r] = base[4, r] + scratch[r] * vel[joint]


@jit
def locate(link, local, turn, motion, out, scratch):
    """Place, velocity and acceleration [3, 3] of a point `local` [3] in a link's frame; scratch [2, 3]."""
    lever = scratch[0]
    for r in range(3):
        lever[r] = turn[link, r, 0] * local[0] + turn[link, r, 1] * local[1] + turn[link, r, 2] * local[2]
        out[0, r] = motion[link, 0, r] + lever[r]
    carry(motion[link, 3], motion[link, 4], lever, motion[link, 1], motion[link, 2], out[1], out[2], scratch[1])


@jit
def slope(parent, link, place, direction, motion, sign, row):
    """Add to row [J] sign times the derivative by each joint of how far a point of a link moves along a direction."""
    joint = link
    while joint >= 0:
        own = motion[joint]
        x, y, z = place[0] - own[0, 0], place[1] - own[0, 1], place[2] - own[0, 2]
        row[joint] += sign * (
            direction[0] * (own[5, 1] * z - own[5, 2] * y)
            + direction[1] * (own[5, 2] * x - own[5, 0] * z)
            + direction[2] * (own[5, 0] * y - own[5, 1] * x)
        )
        joint = parent[joint]
