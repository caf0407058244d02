"""The compiled model against the neutral scene."""

import itertools

import mujoco
import numpy as np
import pytest

from dexgrasp_envs.config import PhysicsConfig
from dexgrasp_envs.robots.kuka_allegro import FINGERS
from dexgrasp_envs.scene.bodies import COLLIDES, CollisionGroup
from dexgrasp_envs.scene.scene import OBJECT
from dexgrasp_envs.sim.mujoco.compile import compile_model
from tests.helpers import OBJECTS, ROBOT, compiled, default_scene

MODEL = compiled(OBJECTS.objects[0])


def geom_groups() -> dict[int, CollisionGroup]:
    """The collision group of every geom that the neutral scene describes."""
    scene = default_scene()
    geoms = {body.name: body.geoms for body in scene.robot + scene.fixtures}
    geoms[OBJECT] = OBJECTS.objects[0].geoms
    return {MODEL.body(b).geomadr[0] + i: geom.collision for b, gs in geoms.items() for i, geom in enumerate(gs)}


def test_exactly_the_listed_pairs_of_groups_collide() -> None:
    groups = geom_groups()
    assert set(groups.values()) == set(CollisionGroup)
    for a, b in itertools.combinations(groups, 2):
        collide = MODEL.geom_contype[a] & MODEL.geom_conaffinity[b] or MODEL.geom_contype[b] & MODEL.geom_conaffinity[a]
        assert bool(collide) == (frozenset((groups[a], groups[b])) in COLLIDES), (groups[a], groups[b])


def test_geoms_outside_the_neutral_scene_touch_nothing() -> None:
    others = sorted(set(range(MODEL.ngeom)) - set(geom_groups()))
    assert others
    assert not MODEL.geom_contype[others].any()
    assert not MODEL.geom_conaffinity[others].any()


def test_sensors_are_fingers_then_palm_then_table_with_four_numbers_each() -> None:
    names = [MODEL.sensor(i).name for i in range(MODEL.nsensor)]
    assert names == [f"contact_{finger}_link_0" for finger in FINGERS] + ["contact_palm_link", "contact_table"]
    assert MODEL.sensor_dim.tolist() == [4] * 6


def test_actuators_are_position_servos_in_joint_order() -> None:
    assert [MODEL.actuator(i).name for i in range(MODEL.nu)] == list(ROBOT.joint_names)
    assert [MODEL.joint(int(i)).name for i in MODEL.actuator_trnid[:, 0]] == list(ROBOT.joint_names)
    stiffness = [joint.stiffness for joint in ROBOT.joints]
    damping = [joint.servo_damping for joint in ROBOT.joints]
    effort = np.array([joint.max_effort for joint in ROBOT.joints])
    np.testing.assert_array_equal(MODEL.actuator_gainprm[:, 0], stiffness)
    np.testing.assert_array_equal(MODEL.actuator_biasprm[:, 1], np.negative(stiffness))
    np.testing.assert_array_equal(MODEL.actuator_biasprm[:, 2], np.negative(damping))
    assert MODEL.actuator_forcelimited.all()
    np.testing.assert_array_equal(MODEL.actuator_forcerange, np.stack([-effort, effort], 1))


def test_joints_carry_limits_damping_and_armature_of_the_robot() -> None:
    n = len(ROBOT.joints)
    np.testing.assert_array_equal(MODEL.jnt_range[:n], [joint.limits for joint in ROBOT.joints])
    np.testing.assert_array_equal(MODEL.dof_damping[:n], [joint.damping for joint in ROBOT.joints])
    np.testing.assert_array_equal(MODEL.dof_armature[:n], [joint.armature for joint in ROBOT.joints])
    assert MODEL.jnt_limited[:n].all()


def test_physics_settings_reach_the_model() -> None:
    physics = PhysicsConfig(
        timestep=0.002, iterations=9, ls_iterations=11, tolerance=1e-7, friction=0.6, object_damping=0.01
    )
    model = compile_model(default_scene(), ROBOT, OBJECTS.objects[0], physics)
    option = model.opt
    assert (option.timestep, option.iterations, option.ls_iterations, option.tolerance) == (0.002, 9, 11, 1e-7)
    assert (model.geom_friction[sorted(geom_groups()), 0] == 0.6).all()
    assert (model.dof_damping[-6:] == 0.01).all()


def test_a_diverged_simulation_is_not_reset_silently() -> None:
    assert MODEL.opt.disableflags & mujoco.mjtDisableBit.mjDSBL_AUTORESET


@pytest.mark.parametrize("size", ["nq", "nv", "nu", "nbody", "ngeom", "nbvh", "nsensordata", "nM"])
def test_models_of_all_objects_have_the_same_sizes(size: str) -> None:
    assert {getattr(compiled(obj), size) for obj in OBJECTS.objects} == {getattr(MODEL, size)}
