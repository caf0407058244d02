"""Poses from generalised positions, against MuJoCo's own kinematics."""

import mujoco
import numpy as np
import pytest

from dexgrasp_envs.scene.scene import OBJECT
from dexgrasp_envs.sim.mujoco.body_poses import BodyPoses
from tests.helpers import OBJECTS, ROBOT, compiled

JOINTS = len(ROBOT.joints)


@pytest.fixture
def qpos() -> np.ndarray:
    """Any joints, any place and turn of the object; quaternions of any length."""
    rng = np.random.default_rng(0)
    return np.concatenate([rng.uniform(-3, 3, (20, JOINTS)), rng.normal(size=(20, 7)) * 2], 1)


def test_poses_are_those_of_mujoco(qpos):
    model = compiled(OBJECTS.objects[0])
    data = mujoco.MjData(model)
    bodies = [model.body(name).id for name in (*ROBOT.body_names, OBJECT)]
    pos, rot = BodyPoses(ROBOT)(qpos)
    assert pos.dtype == rot.dtype == np.float32
    for row, values in enumerate(qpos):
        data.qpos[:] = values
        mujoco.mj_kinematics(model, data)
        np.testing.assert_allclose(pos[row], data.xpos[bodies], atol=5e-7)
        np.testing.assert_allclose(rot[row], data.xmat[bodies].reshape(-1, 3, 3), atol=2e-7)


def test_a_row_does_not_depend_on_the_others(qpos):
    place = BodyPoses(ROBOT)
    pos, rot = place(qpos)
    alone_pos, alone_rot = place(qpos[7:8])
    assert np.array_equal(pos[7:8], alone_pos)
    assert np.array_equal(rot[7:8], alone_rot)


def test_no_rows():
    pos, rot = BodyPoses(ROBOT)(np.empty((0, JOINTS + 7)))
    assert pos.shape == (0, len(ROBOT.bodies) + 1, 3)
    assert rot.shape == (0, len(ROBOT.bodies) + 1, 3, 3)
