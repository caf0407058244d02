# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Joint commands that obey limits, for a batch."""

from ..compiled import jit


@jit
def govern(limits, dt, pos, vel, goal, positions, velocities):
    """Integrate every joint by S steps of dt s, semi-implicitly, in float64.

    limits: bandwidth, most velocity and acceleration, float64 [J] each; pos, vel, goal [N, J]; positions and
    velocities [N, S, J], written.
    """
    bandwidth, max_velocity, max_acceleration = limits
    rows, substeps, joints = positions.shape
    for n in range(rows):
        for j in range(joints):
            q, v = float(pos[n, j]), float(vel[n, j])
            stiffness, damping = bandwidth[j] * bandwidth[j], 2.0 * bandwidth[j]
            for s in range(substeps):
                a = stiffness * (goal[n, j] - q) - damping * v
                v += dt * min(max(a, -max_acceleration[j]), max_acceleration[j])
                v = min(max(v, -max_velocity[j]), max_velocity[j])
                q += dt * v
                positions[n, s, j] = q
                velocities[n, s, j] = v
