"""The default controller."""

import numpy as np
import torch

from dexgrasp_envs.config import ControlConfig, PhysicsConfig
from dexgrasp_envs.control.palm_controller import PalmController
from dexgrasp_envs.robots.rotations import frame_pose, rotate
from dexgrasp_envs.types import SimState
from tests.helpers import ROBOT, START_POSTURE, make_sim, start_state

CONFIG, PHYSICS = ControlConfig(), PhysicsConfig()
CONTROLLER = PalmController(ROBOT, CONFIG, PHYSICS, "cpu")
START = torch.tensor([START_POSTURE])
ARM = ROBOT.arm_joints


def grasp_center(state: SimState) -> torch.Tensor:
    body = ROBOT.body_names.index(ROBOT.palm.body)
    pos, rot = frame_pose(ROBOT.palm, state.body_pos[:, body], state.body_rot[:, body])
    return pos + rotate(rot, torch.tensor(ROBOT.grasp_center))


def action(**parts: tuple[float, ...]) -> torch.Tensor:
    slots = {"pos": slice(0, 3), "euler": slice(3, 6), "hand": slice(6, 11)}
    result = torch.zeros(1, 11)
    for name, values in parts.items():
        result[0, slots[name]] = torch.tensor(values)
    return result


def test_the_target_moves_by_the_step_sizes() -> None:
    state, _ = CONTROLLER.step(CONTROLLER.initial(START), action(pos=(1, -0.5, 0.25), euler=(1, -1, 0.5)), START)
    np.testing.assert_allclose(state.target_pos[0] - torch.tensor(ROBOT.home_center), [0.04, -0.02, 0.01], atol=1e-6)
    np.testing.assert_allclose(state.target_euler[0], [0.15, -0.15, 0.075], atol=1e-6)


def test_the_target_stays_in_workspace_and_rotation_limits() -> None:
    for sign, corner in ((1.0, CONFIG.workspace_high), (-1.0, CONFIG.workspace_low)):
        state = CONTROLLER.initial(START)
        for _ in range(30):
            state, _ = CONTROLLER.step(state, action(pos=(sign,) * 3, euler=(sign,) * 3), START)
        np.testing.assert_allclose(state.target_pos[0], corner, atol=1e-6)
        np.testing.assert_allclose(state.target_euler[0], np.multiply(sign, CONFIG.rotation_limit), atol=1e-6)


def test_the_command_is_kept_within_the_lead_of_the_measured_joints() -> None:
    measured = START - 0.5
    measured[:, ARM:] -= 1.0
    state = CONTROLLER.initial(START)
    _, setpoints = CONTROLLER.step(state, torch.zeros(1, 11), measured)
    # One substep later the command has moved by no more than its acceleration allows.
    slack = 150.0 * PHYSICS.timestep**2 + (0.2 / 3.0) * 150.0 * PHYSICS.timestep
    gap = setpoints[0, 0] - measured[0]
    arm_slack = 16.0 * PHYSICS.timestep**2 + 0.1 * 16.0 * PHYSICS.timestep
    np.testing.assert_allclose(gap[:ARM], CONFIG.arm_lead, atol=arm_slack)
    np.testing.assert_allclose(gap[ARM:], CONFIG.hand_lead, atol=slack)


def test_a_stalled_arm_is_pushed_by_no_more_than_lead_and_one_action() -> None:
    state, push = CONTROLLER.initial(START), action(pos=(0, 0, -1))
    reach = torch.tensor(CONFIG.arm_max_velocity) * PHYSICS.timestep * PHYSICS.substeps
    for _ in range(20):
        state, _ = CONTROLLER.step(state, push, START)
        assert ((state.joint_pos - START)[0, :ARM].abs() <= CONFIG.arm_lead + reach + 1e-6).all()
    assert ((state.joint_pos - START)[0, :ARM].abs() > CONFIG.arm_lead).any()


def test_set_points_are_commands_plus_the_feed_forward_of_the_servo_damping() -> None:
    state, setpoints = CONTROLLER.step(CONTROLLER.initial(START), action(pos=(1, 1, 1), hand=(1,) * 5), START)
    assert setpoints.shape == (1, PHYSICS.substeps, len(ROBOT.joints))
    ratio = torch.tensor([joint.servo_damping / joint.stiffness for joint in ROBOT.joints])
    assert (state.joint_vel.abs() > 0.01).any()
    np.testing.assert_allclose(setpoints[:, -1], state.joint_pos + ratio * state.joint_vel, atol=1e-6)


def test_the_initial_state_is_at_rest_where_the_joints_are() -> None:
    joints = torch.randn(3, len(ROBOT.joints), generator=torch.Generator().manual_seed(0))
    state = CONTROLLER.initial(joints)
    assert torch.equal(state.joint_pos, joints)
    assert not state.joint_vel.any()
    assert not state.target_euler.any()
    assert torch.equal(state.target_pos, torch.tensor(ROBOT.home_center).expand(3, 3))


def test_zero_action_keeps_the_robot_within_1_cm_of_the_start_target_for_a_second() -> None:
    sim = make_sim(1)
    sim.reset(torch.arange(1), start_state([0], (0.7, 0.4, 0.29)))
    state, now = CONTROLLER.initial(START), sim.state()
    for step in range(15):
        state, targets = CONTROLLER.step(state, torch.zeros(1, 11), now.joint_pos)
        sim.step(targets)
        now = sim.state()
        assert (grasp_center(now) - torch.tensor(ROBOT.home_center)).norm() < 0.01, step
        np.testing.assert_allclose(now.joint_pos[0, ARM:], ROBOT.hand_nominal, atol=0.02)


def test_the_palm_follows_a_moving_target_under_simulation() -> None:
    sim = make_sim(1)
    sim.reset(torch.arange(1), start_state([0], (0.7, 0.4, 0.29)))
    state, now = CONTROLLER.initial(START), sim.state()
    for step in range(30):
        move = action(pos=(0.5, 0.5, -0.5)) if step < 5 else action()
        state, targets = CONTROLLER.step(state, move, now.joint_pos)
        sim.step(targets)
        now = sim.state()
    np.testing.assert_allclose(state.target_pos[0], np.add(ROBOT.home_center, (0.1, 0.1, -0.1)), atol=1e-5)
    assert (grasp_center(now) - state.target_pos).norm() < 0.01
