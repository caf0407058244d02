# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Limits of one joint's commands, kept exactly: jerk, acceleration, velocity and position."""

import numpy as np

from ...compiled import jit

_HALVINGS = 10


@jit
def stopping_distance(speed, acceleration, strongest, jerk):
    """How much farther a joint goes in the positive direction if it brakes as hard as jerk and acceleration allow."""
    disc = acceleration * acceleration + 2.0 * jerk * speed
    if disc <= 0.0:
        return 0.0
    still = (acceleration + np.sqrt(disc)) / jerk
    if still <= 0.0:
        return 0.0
    ramp = (acceleration + strongest) / jerk
    time = min(still, ramp)
    way = time * (speed + time * (0.5 * acceleration - time * jerk / 6.0))
    if still > ramp:
        left = speed + ramp * (acceleration - 0.5 * jerk * ramp)
        way += 0.5 * left * left / strongest
    return max(way, 0.0)


@jit
def stops(room, speed, acceleration, strongest, jerk, dt):
    """Whether a joint with `room` in the positive direction can still stop in it, after dt at an acceleration."""
    after = speed + dt * acceleration
    return dt * after + stopping_distance(after, acceleration, strongest, jerk) <= room


@jit
def most(wanted, least, room, speed, fastest, strongest, jerk, dt):
    """The acceleration up to `wanted` that keeps below the velocity limit and stops within `room`; at least `least`."""
    # What is left of the speed limit after the acceleration has been ramped down to 0.
    spare = dt * dt + 2.0 * (fastest - speed) / jerk
    wanted = min(wanted, jerk * (np.sqrt(spare) - dt)) if spare > 0.0 else least
    if wanted <= least:
        return least
    if stops(room, speed, wanted, strongest, jerk, dt):
        return wanted
    low, high = least, wanted
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if stops(room, speed, middle, strongest, jerk, dt):
            low = middle
        else:
            high = middle
    return low


@jit
def limited(limits, j, wanted, pos, vel, acc, dt):
    """The acceleration nearest to `wanted` with which joint j, now at pos, vel and acc, keeps all its limits."""
    strongest, jerk, fastest = limits.acceleration[j], limits.jerk[j], limits.velocity[j]
    least = max(-strongest, acc - dt * jerk)
    greatest = min(strongest, acc + dt * jerk)
    wanted = min(max(wanted, least), greatest)
    wanted = most(wanted, least, limits.high[j] - pos, vel, fastest, strongest, jerk, dt)
    return -most(-wanted, -greatest, pos - limits.low[j], -vel, fastest, strongest, jerk, dt)
