"""Compiled poses against golden ones of the raw URDF and MuJoCo's own kinematics."""

from pathlib import Path

import mujoco
import numpy as np
import pytest

from dexgrasp_envs.robots.body_poses import BodyPoses
from dexgrasp_envs.robots.pose_kernels import place_free
from dexgrasp_envs.scene.scene import OBJECT
from tests.helpers import OBJECTS, ROBOT, compiled

JOINTS, BODIES = len(ROBOT.joints), len(ROBOT.bodies)
GOLDEN = np.load(Path(__file__).with_name("golden_kinematics.npz"))


@pytest.fixture
def qpos() -> np.ndarray:
    """Any joints, any place and turn of the object; quaternions of any length."""
    rng = np.random.default_rng(0)
    return np.concatenate([rng.uniform(-3, 3, (20, JOINTS)), rng.normal(size=(20, 7)) * 2], 1)


def poses(qpos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the robot's bodies, then of the object."""
    pos, rot = np.empty((len(qpos), BODIES + 1, 3), np.float32), np.empty((len(qpos), BODIES + 1, 3, 3), np.float32)
    BodyPoses(ROBOT.bodies)(qpos[:, :JOINTS], pos[:, :-1], rot[:, :-1])
    place_free(qpos[:, JOINTS:], pos[:, -1], rot[:, -1])
    return pos, rot


def test_golden_file_covers_every_joint_and_link_of_the_robot():
    assert tuple(GOLDEN["joint_names"]) == ROBOT.joint_names
    assert sorted(GOLDEN["link_names"]) == sorted(ROBOT.body_names)


def test_every_link_is_where_the_urdf_puts_it():
    joint_pos = GOLDEN["joint_pos"]
    pos, rot = np.empty((len(joint_pos), BODIES, 3)), np.empty((len(joint_pos), BODIES, 3, 3))
    BodyPoses(ROBOT.bodies)(joint_pos, pos, rot)
    columns = [list(GOLDEN["link_names"]).index(name) for name in ROBOT.body_names]
    assert np.abs(pos - GOLDEN["positions"][:, columns]).max() < 1e-5
    relative = GOLDEN["rotations"][:, columns].astype(float).swapaxes(-1, -2) @ rot
    # |R - 1| in the Frobenius norm is sqrt(8) sin(angle / 2).
    assert (np.linalg.norm(relative - np.eye(3), axis=(-2, -1)) / np.sqrt(2)).max() < 1e-5


def test_poses_are_those_of_mujoco(qpos):
    model = compiled(OBJECTS.objects[0])
    data = mujoco.MjData(model)
    bodies = [model.body(name).id for name in (*ROBOT.body_names, OBJECT)]
    pos, rot = poses(qpos)
    for row, values in enumerate(qpos):
        data.qpos[:] = values
        mujoco.mj_kinematics(model, data)
        np.testing.assert_allclose(pos[row], data.xpos[bodies], atol=5e-7)
        np.testing.assert_allclose(rot[row], data.xmat[bodies].reshape(-1, 3, 3), atol=2e-7)


def test_a_row_does_not_depend_on_the_others(qpos):
    for together, alone in zip(poses(qpos), poses(qpos[7:8]), strict=True):
        assert np.array_equal(together[7:8], alone)


def test_no_rows():
    pos, rot = poses(np.empty((0, JOINTS + 7)))
    assert pos.shape == (0, BODIES + 1, 3) and rot.shape == (0, BODIES + 1, 3, 3)
