"""Actions that move every joint by itself."""

import numpy as np
import torch

from dexgrasp_envs.config import ControlConfig, JointDeltaConfig, PhysicsConfig
from dexgrasp_envs.control.joint_controller import JointController
from tests.helpers import ROBOT, START_POSTURE

CONFIG, DELTAS, PHYSICS = ControlConfig(), JointDeltaConfig(), PhysicsConfig()
CONTROLLER = JointController(ROBOT, CONFIG, DELTAS, PHYSICS, "cpu")
START, ARM, JOINTS = torch.tensor([START_POSTURE]), ROBOT.arm_joints, len(ROBOT.joints)
LIMITS = torch.tensor([joint.limits for joint in ROBOT.joints])


def roll(action: torch.Tensor, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions [steps * S, J] and velocities of a robot that does exactly as commanded."""
    state, places, speeds = CONTROLLER.initial(START), [START], [torch.zeros_like(START)]
    for _ in range(steps):
        state, _ = CONTROLLER.step(state, action, state.joint_pos)
        places.append(state.joint_pos)
        speeds.append(state.joint_vel)
    return torch.cat(places), torch.cat(speeds)


def test_an_action_has_one_entry_for_each_joint() -> None:
    assert CONTROLLER.action_size == JOINTS == 23


def test_a_joint_moves_where_its_entry_points_and_the_others_stay() -> None:
    for joint in (0, 6, 7, 22):
        for sign in (-1.0, 1.0):
            action = torch.zeros(1, JOINTS)
            action[0, joint] = sign
            moved = (roll(action, 3)[0][-1] - START[0]) * sign
            assert moved[joint] > 0.01
            assert not moved[torch.arange(JOINTS) != joint].any()


def test_a_held_action_settles_at_the_speed_that_the_docstring_tells() -> None:
    action = torch.zeros(1, JOINTS)
    action[0, 0], action[0, ARM] = 1.0, 0.1
    speeds = roll(action, 12)[1][-1]
    np.testing.assert_allclose(speeds[0], CONFIG.arm_bandwidth * DELTAS.arm_step / 2, rtol=0.35)
    np.testing.assert_allclose(speeds[ARM], 0.1 * CONFIG.hand_bandwidth * DELTAS.hand_step / 2, rtol=0.6)


def test_no_random_action_leaves_the_joint_limits() -> None:
    generator = torch.Generator().manual_seed(0)
    state = CONTROLLER.initial(START.repeat(64, 1))
    for _ in range(150):
        action = torch.sign(torch.rand(64, JOINTS, generator=generator) - 0.4)
        state, _ = CONTROLLER.step(state, action, state.joint_pos)
        assert (state.joint_pos >= LIMITS[:, 0]).all()
        assert (state.joint_pos <= LIMITS[:, 1]).all()


def test_a_stalled_joint_is_pushed_by_no_more_than_its_step() -> None:
    state = CONTROLLER.initial(START)
    for _ in range(20):
        state, _ = CONTROLLER.step(state, torch.ones(1, JOINTS), START)
        ahead = (state.joint_pos - START)[0]
        assert (ahead[:ARM] <= DELTAS.arm_step).all()
        assert (ahead[ARM:] <= DELTAS.hand_step).all()
