"""The robot's figures: against golden poses of the raw URDF, literal numbers from it, and MuJoCo's compiled model."""

from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch

from dexgrasp_envs.config import ControlConfig
from dexgrasp_envs.control.palm_target import nominal_palm_rotation
from dexgrasp_envs.robots.rotations import frame_pose
from dexgrasp_envs.scene.bodies import CollisionGroup
from tests.helpers import OBJECTS, ROBOT, START_POSTURE, compiled

GOLDEN = np.load(Path(__file__).with_name("golden_kinematics.npz"))
MODEL = compiled(OBJECTS.objects[0])


def posed(joint_pos: np.ndarray) -> mujoco.MjData:
    """MuJoCo's data at a posture, the object out of the way."""
    data = mujoco.MjData(MODEL)
    data.qpos[: len(ROBOT.joints)] = joint_pos
    data.qpos[len(ROBOT.joints) :] = (0.0, 2.0, 2.0, 1.0, 0.0, 0.0, 0.0)
    mujoco.mj_forward(MODEL, data)
    return data


def palm_at(joint_pos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    data = posed(joint_pos)
    body = data.body(ROBOT.palm.body)
    position, rotation = torch.tensor(body.xpos)[None], torch.tensor(body.xmat).reshape(1, 3, 3)
    pos, rot = frame_pose(ROBOT.palm, position, rotation)
    return pos[0].numpy(), rot[0].numpy()


def test_compiled_links_are_where_the_urdf_puts_them() -> None:
    data = mujoco.MjData(MODEL)
    bodies = [MODEL.body(name).id for name in GOLDEN["link_names"]]
    joints = [MODEL.joint(name).qposadr[0] for name in GOLDEN["joint_names"]]
    for row, joint_pos in enumerate(GOLDEN["joint_pos"]):
        data.qpos[joints] = joint_pos
        mujoco.mj_kinematics(MODEL, data)
        assert np.abs(data.xpos[bodies] - GOLDEN["positions"][row]).max() < 1e-5
        assert np.abs(data.xmat[bodies].reshape(-1, 3, 3) - GOLDEN["rotations"][row]).max() < 1e-5


@pytest.mark.parametrize(
    ("joint", "low", "high"),
    [
        ("iiwa7_joint_1", -2.96705972839, 2.96705972839),
        ("iiwa7_joint_2", -2.09439510239, 2.09439510239),
        ("iiwa7_joint_7", -3.05432619099, 3.05432619099),
        ("index_joint_0", -0.558488888889, 0.558488888889),
        ("ring_joint_2", -0.279244444444, 1.727825),
        ("thumb_joint_0", 0.279244444444, 1.57075),
    ],
)
def test_joint_limits_are_those_of_the_urdf(joint: str, low: float, high: float) -> None:
    np.testing.assert_allclose(MODEL.joint(joint).range, (low, high), rtol=1e-12)
    assert MODEL.joint(joint).limited[0]


@pytest.mark.parametrize(
    ("link", "mass"),
    [
        ("iiwa7_link_0", 5.0),
        ("iiwa7_link_3", 4.05623),
        ("iiwa7_link_7", 3.129),
        ("palm_link", 0.4154),
        ("index_link_0", 0.0119),
        ("ring_link_2", 0.0355),
        ("thumb_link_3", 0.0388),
    ],
)
def test_masses_are_those_of_the_urdf(link: str, mass: float) -> None:
    assert MODEL.body(link).mass[0] == pytest.approx(mass, rel=1e-12)


def test_principal_inertias_of_the_arm_are_those_of_the_urdf() -> None:
    for body in ROBOT.bodies[:8]:
        assert body.inertial is not None
        xx, yy, zz, xy, xz, yz = body.inertial.inertia
        expected = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        np.testing.assert_allclose(np.sort(MODEL.body(body.name).inertia), expected, rtol=1e-9)


def test_every_compiled_inertia_is_physical() -> None:
    inertia = np.sort(MODEL.body_inertia[1:], 1)
    moving = MODEL.body_mass[1:] > 0
    assert moving.sum() >= len(ROBOT.bodies)
    assert (inertia[moving, 0] > 0).all()
    assert (inertia[moving, 0] + inertia[moving, 1] >= inertia[moving, 2] * (1 - 1e-9)).all()


def test_the_model_has_at_most_60_geoms() -> None:
    assert 30 <= MODEL.ngeom <= 60


def test_palm_frame_is_right_handed_with_z_along_the_fingers() -> None:
    straight = np.array((*ROBOT.home, *np.zeros(16)))
    straight[-4] = 0.9
    _, rot = palm_at(straight)
    assert np.linalg.det(rot) == pytest.approx(1.0, abs=1e-6)
    data = posed(straight)
    along = data.body("middle_link_3").xpos - data.body("middle_link_1").xpos
    assert along @ rot[:, 2] > 0.995 * np.linalg.norm(along)


def test_palm_normal_points_to_the_side_that_the_fingers_close_on() -> None:
    half_closed = np.array(START_POSTURE)
    closed = half_closed.copy()
    closed[[8, 9, 12, 13, 16, 17]] += 0.5
    _, rot = palm_at(half_closed)
    for finger in ("index", "middle", "ring"):
        motion = posed(closed).body(f"{finger}_link_3").xpos - posed(half_closed).body(f"{finger}_link_3").xpos
        assert motion @ rot[:, 0] > 0.01


def test_home_posture_puts_the_grasp_centre_at_the_start_target_in_nominal_orientation() -> None:
    pos, rot = palm_at(np.array(START_POSTURE))
    assert np.linalg.norm(pos + rot @ ROBOT.grasp_center - ROBOT.home_center) < 0.015
    nominal = np.array(nominal_palm_rotation(ControlConfig().palm_tilt))
    assert np.arccos((np.trace(nominal.T @ rot) - 1) / 2) < 0.05


def finger_thumb_contacts(data: mujoco.MjData) -> int:
    groups = {}
    for body in ROBOT.bodies:
        first = MODEL.body(body.name).geomadr[0]
        groups.update({first + i: geom.collision for i, geom in enumerate(body.geoms)})
    pairs = [{groups.get(c.geom1), groups.get(c.geom2)} for c in data.contact]
    return sum(pair == {CollisionGroup.FINGER, CollisionGroup.THUMB} for pair in pairs)


def test_nominal_hand_posture_has_no_contact_of_finger_and_thumb_but_a_fist_has() -> None:
    assert finger_thumb_contacts(posed(np.array(START_POSTURE))) == 0
    fist = np.array((*ROBOT.home, *(0.0, 1.4, 1.4, 1.2) * 3, 1.3, 1.0, 1.0, 1.0))
    assert finger_thumb_contacts(posed(fist)) > 0


def test_home_and_nominal_postures_lie_within_the_limits() -> None:
    limits = np.array([joint.limits for joint in ROBOT.joints])
    assert (limits[:, 0] < START_POSTURE).all()
    assert (limits[:, 1] > START_POSTURE).all()


def test_synergies_name_every_hand_joint() -> None:
    assert np.array(ROBOT.synergies).shape == (5, 16)
    assert ROBOT.joint_names[ROBOT.arm_joints :] == tuple(f"{f}_joint_{i}" for f in ROBOT.fingers for i in range(4))


def test_tips_lie_in_the_last_capsule_of_their_finger() -> None:
    by_name = {body.name: body for body in ROBOT.bodies}
    for tip in ROBOT.tips:
        pad = by_name[tip.body].geoms[-1]
        radius, half_length = pad.size
        assert np.linalg.norm(np.subtract(tip.pos, pad.pos)) < radius + half_length
