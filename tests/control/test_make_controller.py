"""Controllers by the name in the configuration."""

import dataclasses

import numpy as np
import pytest
import torch

from dexgrasp_envs.config import CONTROLLERS, RATES, EnvConfig
from dexgrasp_envs.control.make_controller import make_controller
from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.vector_env import DexGraspVectorEnv
from tests.helpers import ROBOT, START_POSTURE

START = torch.tensor([START_POSTURE])
SIZES = {"governor": 11, "fabric": 11, "joint_delta": 23}


@pytest.mark.parametrize("name", CONTROLLERS)
def test_every_controller_keeps_the_interface(name: str) -> None:
    config = EnvConfig(controller=name)
    controller = make_controller(ROBOT, config, "cpu")
    state = controller.initial(START.repeat(3, 1))
    assert torch.equal(state.joint_pos, START.repeat(3, 1))
    assert not state.joint_vel.any()
    assert controller.action_size == SIZES[name]
    state, setpoints = controller.step(state, torch.zeros(3, controller.action_size), START.repeat(3, 1))
    assert setpoints.shape == (3, config.physics.substeps, 23)
    assert setpoints.dtype == state.joint_pos.dtype == torch.float32
    assert [values.shape for values in controller.shown(state)] == [(3, field.size) for field in controller.fields]
    controller.close()


@pytest.mark.parametrize("name", CONTROLLERS)
def test_an_environment_steps_with_every_controller_and_continues_from_its_state(name: str) -> None:
    env = DexGraspVectorEnv(3, controller=name, threads=1)
    assert env.single_action_space.shape == (SIZES[name],)
    actions = np.random.default_rng(0).uniform(-1, 1, (6, 3, SIZES[name]))
    env.reset(seed=0)
    for action in actions[:3]:
        env.step(action)
    saved = env.get_state()
    first = [env.step(action)[0]["proprio"] for action in actions[3:]]
    env.set_state(saved)
    again = [env.step(action)[0]["proprio"] for action in actions[3:]]
    env.close()
    assert np.array_equal(first, again)
    assert all(env.single_observation_space["proprio"].contains(row) for row in first[-1])


@pytest.mark.parametrize("name", CONTROLLERS)
def test_a_row_does_not_depend_on_its_batch(name: str) -> None:
    controller = make_controller(ROBOT, EnvConfig(controller=name), "cpu")
    generator = torch.Generator().manual_seed(0)
    joints = START + 0.1 * torch.randn(37, 23, generator=generator)
    actions = 2 * torch.rand(4, 37, controller.action_size, generator=generator) - 1

    def roll(rows: slice) -> torch.Tensor:
        state = controller.initial(joints[rows])
        for action in actions:
            state, setpoints = controller.step(state, action[rows], state.joint_pos)
        return setpoints

    whole = roll(slice(None))
    parts = [roll(slice(0, 1)), roll(slice(1, 8)), roll(slice(8, 37))]
    controller.close()
    assert torch.equal(whole, torch.cat(parts))


@pytest.mark.parametrize("name", CONTROLLERS)
def test_at_every_rate_a_held_action_moves_the_robot_equally_far_in_a_second(name: str) -> None:
    moved = []
    for rate, substeps in RATES.items():
        config = EnvConfig(controller=name).at_rate(rate)
        controller = make_controller(ROBOT, config, "cpu")
        action = torch.full((1, controller.action_size), 0.1)
        state = controller.initial(START)
        for _ in range(120 // substeps):
            state, _ = controller.step(state, action, state.joint_pos)
        controller.close()
        moved.append((state.joint_pos - START)[0])
    # Fresher targets: the palm's commands lag behind them less, and goals ahead of measured joints are renewed sooner.
    tolerance = 0.3 if name == "joint_delta" else 0.15
    np.testing.assert_allclose(moved[1], moved[0], atol=tolerance * float(moved[0].abs().max()))
    assert moved[0].abs().max() > 0.1


def test_the_default_rate_is_the_default_configuration() -> None:
    assert EnvConfig().at_rate("15hz") == EnvConfig()


def test_a_rate_changes_substeps_and_steps_of_the_target_alone() -> None:
    config = EnvConfig().at_rate("60hz")
    assert config.physics.substeps == 2
    assert config.max_steps == 600
    np.testing.assert_allclose([config.control.position_step, config.control.rotation_step], [0.01, 0.0375])
    rest = {"position_step": 0.04, "rotation_step": 0.15}
    assert (
        config.replace(physics=EnvConfig().physics, control=dataclasses.replace(config.control, **rest)) == EnvConfig()
    )


def test_an_unknown_rate_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="unknown rate '30hz'; the rates are 15hz, 60hz"):
        EnvConfig().at_rate("30hz")


def test_unknown_controllers_and_rates_are_refused_with_the_valid_names() -> None:
    with pytest.raises(ConfigError, match="controller must be one of 'governor', 'fabric', 'joint_delta'"):
        DexGraspVectorEnv(1, controller="fabrik")
    with pytest.raises(ConfigError, match="rate must be one of '15hz', '60hz'"):
        DexGraspVectorEnv(1, rate="30hz")
