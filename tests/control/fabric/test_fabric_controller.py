"""The fabric as a controller of a robot that does exactly as commanded, and of a simulated one."""

import dataclasses
import functools

import numpy as np
import torch

from dexgrasp_envs.config import ControlConfig, EnvConfig, FabricConfig, PhysicsConfig
from dexgrasp_envs.control.fabric.fabric_controller import FabricController, FabricState
from dexgrasp_envs.control.fabric.spheres import robot_spheres
from dexgrasp_envs.control.hand_posture import HandPosture
from dexgrasp_envs.control.make_controller import make_controller
from dexgrasp_envs.control.palm_target import PalmTarget
from dexgrasp_envs.robots.rotations import rotate
from dexgrasp_envs.scene.tabletop import TABLE_TOP
from tests.helpers import ROBOT, START_POSTURE, angles_between, body_poses, make_sim, palm_pose, start_state

START, ARM = torch.tensor([START_POSTURE]), ROBOT.arm_joints
LIMITS = torch.tensor([joint.limits for joint in ROBOT.joints])
SPHERES = robot_spheres(ROBOT)


@functools.cache
def fabric(targets: str = "relative", substeps: int = 8, threads: int = 1) -> FabricController:
    config = EnvConfig(fabric=FabricConfig(targets=targets), physics=PhysicsConfig(substeps=substeps))
    return FabricController(ROBOT, config, "cpu", threads)


def roll(controller: FabricController, actions: torch.Tensor) -> list[FabricState]:
    """States before and after each of actions [T, N, 11]."""
    state = controller.initial(START.repeat(actions.shape[1], 1))
    states = [state]
    for action in actions:
        state, _ = controller.step(state, action, state.joint_pos)
        states.append(state)
    return states


def clearance(joint_pos: torch.Tensor) -> float:
    """Distance of the lowest sphere of hand and arm from the table's plane, m."""
    positions, rotations = body_poses(joint_pos)
    body = [ROBOT.body_names.index(sphere.body) for sphere in SPHERES]
    centers = positions[:, body] + rotate(rotations[:, body], torch.tensor([sphere.center for sphere in SPHERES]))
    return float((centers[..., 2] - torch.tensor([sphere.radius for sphere in SPHERES])).min() - TABLE_TOP)


def random_actions(steps: int, rows: int, seed: int) -> torch.Tensor:
    return 2 * torch.rand(steps, rows, 11, generator=torch.Generator().manual_seed(seed)) - 1


def test_it_converges_to_reachable_palm_poses_and_to_the_synergy_posture() -> None:
    actions = torch.zeros(45, 16, 11)
    actions[:, :, 6:] = 0.5 * random_actions(1, 16, 0)[:, :, 6:]
    actions[:3, :, :6] = 0.7 * random_actions(1, 16, 1)[:, :, :6]
    end = roll(fabric(), actions)[-1]
    control = ControlConfig()
    center, rot = palm_pose(end.joint_pos)
    wanted = PalmTarget(ROBOT, control, "cpu").rotation(end.target_euler)
    assert (center - end.target_pos).norm(dim=1).max() < 0.01
    assert angles_between(wanted, rot).max() < np.radians(3)
    posture = HandPosture(ROBOT, control.joint_margin, "cpu")(actions[-1, :, 6:])
    assert (end.joint_pos[:, ARM:] - posture).abs().max() < 0.05


def test_random_targets_never_break_a_limit_at_any_substep() -> None:
    limits = fabric()._model[2]
    actions = torch.sign(random_actions(20, 8, 2)).repeat_interleave(12, 0)
    states = roll(fabric(substeps=1), actions)
    pos, vel, acc = (
        torch.stack([getattr(state, name) for state in states]).double().numpy()
        for name in ("joint_pos", "joint_vel", "joint_acc")
    )
    assert (pos >= LIMITS[:, 0].numpy()).all()
    assert (pos <= LIMITS[:, 1].numpy()).all()
    assert (np.abs(vel) <= limits.velocity * (1 + 1e-6)).all()
    assert (np.abs(acc) <= limits.acceleration * (1 + 1e-6)).all()
    assert (np.abs(np.diff(acc, axis=0)) <= limits.jerk / 120 * (1 + 1e-3)).all()


def test_links_stay_above_the_table_that_the_governor_pushes_them_through() -> None:
    actions = random_actions(1, 12, 3).repeat(45, 1, 1)
    actions[:, :, :2] *= 0.15
    actions[:, :, 2] = -1.0
    governor = make_controller(ROBOT, EnvConfig(), "cpu")
    lowest = {}
    for name, controller in (("governor", governor), ("fabric", fabric())):
        lowest[name] = min(clearance(state.joint_pos) for state in roll(controller, actions)[::3])
    assert lowest["governor"] < -0.02
    assert lowest["fabric"] > 0.0


def test_links_stay_above_the_table_under_jumping_targets() -> None:
    generator = torch.Generator().manual_seed(0)
    actions = torch.sign(2 * torch.rand(24, 24, 11, generator=generator) - 1).repeat_interleave(2, 0)
    actions[:, :, 2] = torch.where(torch.rand(48, 24, generator=generator) < 0.7, -1.0, 1.0)
    states = roll(fabric(), actions)
    assert min(clearance(state.joint_pos) for state in states) > -0.002


def test_within_the_workspace_the_hand_stays_far_from_the_arm() -> None:
    """Why there are no barriers between them."""
    links = [ROBOT.body_names.index(f"iiwa7_link_{i}") for i in range(5)]
    nearest = np.inf
    for state in roll(fabric(), torch.sign(random_actions(12, 32, 5)).repeat_interleave(8, 0))[::4]:
        positions, _ = body_poses(state.joint_pos)
        hand = positions[:, ROBOT.body_names.index("palm_link") :]
        nearest = min(nearest, float((hand[:, :, None] - positions[:, None, links]).norm(dim=-1).min()))
    assert nearest > 0.2


def test_absolute_targets_fill_their_box_and_rotation_limits() -> None:
    control = ControlConfig()
    for sign, corner in ((1.0, control.workspace_high), (-1.0, control.workspace_low)):
        state = roll(fabric("absolute"), torch.full((1, 1, 11), sign))[-1]
        np.testing.assert_allclose(state.target_pos[0], corner, atol=1e-6)
        np.testing.assert_allclose(state.target_euler[0], np.multiply(sign, control.rotation_limit), atol=1e-6)


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    actions = random_actions(3, 5, 4)
    ends = [roll(controller, actions)[-1] for controller in (fabric(), fabric(threads=3))]
    for field in dataclasses.fields(FabricState):
        assert torch.equal(*(getattr(end, field.name) for end in ends)), field.name


def test_the_palm_follows_a_moving_target_under_simulation() -> None:
    sim = make_sim(1)
    sim.reset(torch.arange(1), start_state([0], (0.7, 0.4, 0.29)))
    state, now = fabric().initial(START), sim.state()
    for step in range(30):
        move = torch.zeros(1, 11)
        if step < 5:
            move[0, :3] = torch.tensor([0.5, 0.5, -0.5])
        state, targets = fabric().step(state, move, now.joint_pos)
        sim.step(targets)
        now = sim.state()
    np.testing.assert_allclose(state.target_pos[0], np.add(ROBOT.home_center, (0.1, 0.1, -0.1)), atol=1e-5)
    assert (palm_pose(now.joint_pos)[0] - state.target_pos).norm() < 0.015
