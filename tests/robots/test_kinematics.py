"""Kinematics against golden poses of the raw URDF, finite differences and MuJoCo."""

from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from dexgrasp_envs.robots.kinematics import Kinematics, frame_pose, rotate, rotation_from_quat
from dexgrasp_envs.robots.robot import Frame
from tests.helpers import OBJECTS, ROBOT, compiled

GOLDEN = np.load(Path(__file__).with_name("golden_kinematics.npz"))
OFFSET = (0.06, -0.02, 0.03)
JOINT_POS = torch.from_numpy(GOLDEN["joint_pos"])


def golden_columns() -> list[int]:
    return [list(GOLDEN["link_names"]).index(name) for name in ROBOT.body_names]


def test_golden_file_covers_every_joint_and_link_of_the_robot() -> None:
    assert tuple(GOLDEN["joint_names"]) == ROBOT.joint_names
    assert sorted(GOLDEN["link_names"]) == sorted(ROBOT.body_names)


def test_every_link_is_where_the_urdf_puts_it() -> None:
    positions, rotations = Kinematics(ROBOT.bodies).forward(JOINT_POS.float())
    expected = GOLDEN["rotations"][:, golden_columns()].astype(float)
    assert np.abs(positions.numpy() - GOLDEN["positions"][:, golden_columns()]).max() < 1e-5
    relative = expected.swapaxes(-1, -2) @ rotations.numpy().astype(float)
    # |R - 1| in the Frobenius norm is sqrt(8) sin(angle / 2).
    assert (np.linalg.norm(relative - np.eye(3), axis=(-2, -1)) / np.sqrt(2)).max() < 1e-5


@pytest.mark.parametrize("end", ["palm_link", "index_link_3", "thumb_link_3"])
def test_jacobian_equals_finite_differences(end: str) -> None:
    chain = ROBOT.chain(end)
    kinematics = Kinematics(chain, dtype=torch.float64)
    columns = [ROBOT.joint_names.index(body.joint.name) for body in chain if body.joint is not None]
    joint_pos = JOINT_POS[:20, columns]

    def pose(q: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        positions, rotations = kinematics.forward(q)
        point = positions[:, -1] + rotate(rotations[:, -1], torch.tensor(OFFSET, dtype=torch.float64))
        return point.numpy(), rotations[:, -1].numpy()

    positions, rotations = kinematics.forward(joint_pos)
    jacobian = kinematics.jacobian(positions, rotations, torch.from_numpy(pose(joint_pos)[0])).numpy()
    assert jacobian.shape == (20, 6, len(columns))
    step = 1e-6
    for j in range(len(columns)):
        nudge = step * torch.eye(len(columns), dtype=torch.float64)[j]
        (p1, r1), (p0, r0) = pose(joint_pos + nudge), pose(joint_pos - nudge)
        angular = Rotation.from_matrix(r1 @ r0.swapaxes(1, 2)).as_rotvec() / (2 * step)
        np.testing.assert_allclose(jacobian[:, :3, j], (p1 - p0) / (2 * step), atol=1e-7)
        np.testing.assert_allclose(jacobian[:, 3:, j], angular, atol=1e-7)


@pytest.mark.parametrize("end", ["palm_link", "middle_link_3"])
def test_jacobian_equals_that_of_mujoco(end: str) -> None:
    chain = ROBOT.chain(end)
    kinematics = Kinematics(chain)
    columns = [ROBOT.joint_names.index(body.joint.name) for body in chain if body.joint is not None]
    q = JOINT_POS[:20].float()
    positions, rotations = kinematics.forward(q[:, columns])
    point = positions[:, -1] + rotate(rotations[:, -1], torch.tensor(OFFSET))
    jacobian = kinematics.jacobian(positions, rotations, point).numpy()
    model = compiled(OBJECTS.objects[0])
    data = mujoco.MjData(model)
    expected = np.zeros((6, model.nv))
    for row in range(len(q)):
        data.qpos[: len(ROBOT.joints)] = q[row].numpy()
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        place = point[row].numpy().astype(float)
        mujoco.mj_jac(model, data, expected[:3], expected[3:], place, model.body(end).id)
        np.testing.assert_allclose(jacobian[row], expected[:, columns], atol=1e-5)


def test_poses_and_jacobians_of_a_row_do_not_depend_on_its_batch() -> None:
    kinematics = Kinematics(ROBOT.chain("palm_link"))
    q = JOINT_POS[:, :7].float()

    def solve(rows: slice) -> list[torch.Tensor]:
        positions, rotations = kinematics.forward(q[rows])
        return [positions, rotations, kinematics.jacobian(positions, rotations, positions[:, -1])]

    whole = solve(slice(None))
    for size in (1, 3, 8, 50):
        for first in range(0, 100 - size + 1, max(size, 5)):
            part = solve(slice(first, first + size))
            assert all(torch.equal(w[first : first + size], p) for w, p in zip(whole, part, strict=True))


def test_rotation_from_quat_normalises_and_agrees_with_scipy() -> None:
    quat = (0.3, -1.2, 0.7, 0.4)
    expected = Rotation.from_quat(quat, scalar_first=True).as_matrix()
    np.testing.assert_allclose(rotation_from_quat(quat).numpy(), expected, atol=1e-14)


def test_frame_pose_composes_body_and_frame() -> None:
    frame = Frame("any", (0.1, -0.2, 0.3), (0.5, 0.5, -0.5, 0.5))
    bodies = Rotation.random(5, rng=1)
    position = np.random.default_rng(0).normal(size=(5, 3))
    pos, rot = frame_pose(frame, torch.from_numpy(position), torch.from_numpy(bodies.as_matrix()))
    np.testing.assert_allclose(pos.numpy(), position + bodies.apply(frame.pos), atol=1e-14)
    expected = (bodies * Rotation.from_quat(frame.quat, scalar_first=True)).as_matrix()
    np.testing.assert_allclose(rot.numpy(), expected, atol=1e-14)
