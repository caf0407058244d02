# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Compiled forward kinematics of a batch."""

import numba
import numpy as np


@numba.njit(nogil=True, cache=True, error_model="numpy")
def place_bodies(parent, hinged, place, turn, qpos, out_pos, out_rot):
    """Poses of bodies listed parents first, then of a free body.

    parent int64 [B], -1 for the world; hinged bool [B]; place float64 [B, 3] and turn float64 [B, 3, 3, 3]: where a
    body is in its parent's frame, and R(q) = turn[0] + sin q turn[1] + (1 - cos q) turn[2]; qpos float64 [N, J + 7];
    out_pos [N, B + 1, 3] and out_rot [N, B + 1, 3, 3] of any float dtype.
    """
    bodies = len(parent)
    pos, rot, local = np.empty((bodies, 3)), np.empty((bodies, 3, 3)), np.empty((3, 3))
    for n in range(len(qpos)):
        joint = 0
        for b in range(bodies):
            sine, rest = 0.0, 0.0
            if hinged[b]:
                sine, rest = np.sin(qpos[n, joint]), 1.0 - np.cos(qpos[n, joint])
                joint += 1
            for r in range(3):
                for c in range(3):
                    local[r, c] = turn[b, 0, r, c] + sine * turn[b, 1, r, c] + rest * turn[b, 2, r, c]
            above = parent[b]
            for r in range(3):
                if above < 0:
                    pos[b, r] = place[b, r]
                    for c in range(3):
                        rot[b, r, c] = local[r, c]
                else:
                    up = rot[above]
                    pos[b, r] = pos[above, r] + up[r, 0] * place[b, 0] + up[r, 1] * place[b, 1] + up[r, 2] * place[b, 2]
                    for c in range(3):
                        rot[b, r, c] = up[r, 0] * local[0, c] + up[r, 1] * local[1, c] + up[r, 2] * local[2, c]
            for r in range(3):
                out_pos[n, b, r] = pos[b, r]
                for c in range(3):
                    out_rot[n, b, r, c] = rot[b, r, c]
        free = qpos[n, joint:]
        w, x, y, z = free[3], free[4], free[5], free[6]
        scale = 2.0 / (w * w + x * x + y * y + z * z)
        for r in range(3):
            out_pos[n, bodies, r] = free[r]
        out = out_rot[n, bodies]
        out[0, 0], out[0, 1], out[0, 2] = 1 - scale * (y * y + z * z), scale * (x * y - w * z), scale * (x * z + w * y)
        out[1, 0], out[1, 1], out[1, 2] = scale * (x * y + w * z), 1 - scale * (x * x + z * z), scale * (y * z - w * x)
        out[2, 0], out[2, 1], out[2, 2] = scale * (x * z - w * y), scale * (y * z + w * x), 1 - scale * (x * x + y * y)
