"""Jacobians against finite differences, rotation errors against scipy."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from dexgrasp_envs.control.palm_ik_kernels import point_jacobian, rotation_error, shorten
from dexgrasp_envs.robots.body_poses import BodyPoses
from tests.helpers import ROBOT

OFFSET = np.array([0.06, -0.02, 0.03])


@pytest.mark.parametrize("end", ["palm_link", "index_link_3", "thumb_link_3"])
def test_jacobian_equals_finite_differences(end: str) -> None:
    chain = ROBOT.chain(end)
    hinges = {i: body.joint for i, body in enumerate(chain) if body.joint is not None}
    axes = np.array([joint.axis for joint in hinges.values()])
    poses, joints = BodyPoses(chain), len(hinges)

    def pose(q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        pos, rot = np.empty((len(q), len(chain), 3)), np.empty((len(q), len(chain), 3, 3))
        poses(q, pos, rot)
        return pos, rot, pos[:, -1] + rot[:, -1] @ OFFSET

    q = np.random.default_rng(0).uniform(-2, 2, (20, joints))
    pos, rot, point = pose(q)
    jacobian = np.empty((20, 6, joints))
    for row in range(20):
        point_jacobian(np.array(list(hinges)), axes, pos[row], rot[row], point[row], jacobian[row])
    step = 1e-6
    for j in range(joints):
        nudge = step * np.eye(joints)[j]
        (_, r1, p1), (_, r0, p0) = pose(q + nudge), pose(q - nudge)
        angular = Rotation.from_matrix(r1[:, -1] @ r0[:, -1].swapaxes(1, 2)).as_rotvec() / (2 * step)
        np.testing.assert_allclose(jacobian[:, :3, j], (p1 - p0) / (2 * step), atol=1e-7)
        np.testing.assert_allclose(jacobian[:, 3:, j], angular, atol=1e-7)


def errors(target: Rotation, current: Rotation) -> np.ndarray:
    out = np.empty((len(target), 3))
    for row, (wanted, now) in enumerate(zip(target.as_matrix(), current.as_matrix(), strict=True)):
        rotation_error(wanted, now, out[row])
    return out


def test_rotation_error_is_the_axis_times_twice_the_sine_of_half_the_angle() -> None:
    axes = np.random.default_rng(0).normal(size=(200, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angles = np.linspace(0.0, 3.0, 200)
    current = Rotation.random(200, rng=1)
    found = errors(Rotation.from_rotvec(axes * angles[:, None]) * current, current)
    np.testing.assert_allclose(found, axes * 2 * np.sin(angles / 2)[:, None], atol=1e-9)


def test_rotation_error_stays_finite_at_half_a_turn() -> None:
    half_turn = Rotation.from_matrix(np.diag([-1.0, -1.0, 1.0])[None])
    assert np.isfinite(errors(half_turn, Rotation.identity(1))).all()


def test_only_what_is_too_long_is_shortened() -> None:
    short, long = np.array([0.3, 0.0, -0.4]), np.array([3.0, 0.0, -4.0])
    shorten(short, 0.5)
    shorten(long, 0.5)
    np.testing.assert_allclose(short, [0.3, 0.0, -0.4], atol=0)
    np.testing.assert_allclose(long, [0.3, 0.0, -0.4])
