# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""Compiled poses of bodies, for a batch."""

import numpy as np

from ..compiled import jit


@jit
def place_bodies(parent, hinged, place, turn, joint_pos, out_pos, out_rot):
    """Poses of bodies listed parents first.

    parent int64 [B], -1 for the world; hinged bool [B]; place float64 [B, 3] and turn float64 [B, 3, 3, 3]: where a
    body is in its parent's frame, and R(q) = turn[0] + sin q turn[1] + (1 - cos q) turn[2]; joint_pos [N, J];
    out_pos [N, B, 3] and out_rot [N, B, 3, 3].
    """
    bodies = len(parent)
    pos, rot, local = np.empty((bodies, 3)), np.empty((bodies, 3, 3)), np.empty((3, 3))
    for n in range(len(joint_pos)):
        joint = 0
        for b in range(bodies):
            sine, rest = 0.0, 0.0
            if hinged[b]:
                angle = np.float64(joint_pos[n, joint])
                sine, rest = np.sin(angle), 1.0 - np.cos(angle)
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


@jit
def place_free(pose, out_pos, out_rot):
    """Poses of a free body: pose [N, 7], position and quaternion (w, x, y, z) of any length but zero.

    out_pos [N, 3] and out_rot [N, 3, 3].
    """
    for n in range(len(pose)):
        w, x, y, z = pose[n, 3], pose[n, 4], pose[n, 5], pose[n, 6]
        s = 2.0 / (w * w + x * x + y * y + z * z)
        for r in range(3):
            out_pos[n, r] = pose[n, r]
        out = out_rot[n]
        out[0, 0], out[0, 1], out[0, 2] = 1.0 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)
        out[1, 0], out[1, 1], out[1, 2] = s * (x * y + w * z), 1.0 - s * (x * x + z * z), s * (y * z - w * x)
        out[2, 0], out[2, 1], out[2, 2] = s * (x * z - w * y), s * (y * z + w * x), 1.0 - s * (x * x + y * y)
