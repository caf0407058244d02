from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

from dexgrasp_envs import arguments
from dexgrasp_envs.config import CAMERAS, CameraConfig, EnvConfig, ObservationConfig, PhysicsConfig
from dexgrasp_envs.errors import ConfigError

CPU = torch.device("cpu")


@pytest.mark.parametrize("value", [3, np.int32(3), np.uint8(3)])
def test_whole_numbers_of_any_kind_become_python_integers(value: Any) -> None:
    for check in (arguments.positive, arguments.not_negative):
        assert check("n", value) == 3
        assert type(check("n", value)) is int


def test_zero_is_not_negative_but_not_positive() -> None:
    assert arguments.not_negative("n", 0) == 0
    with pytest.raises(ConfigError, match="n must be an integer of at least 1, got 0"):
        arguments.positive("n", 0)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_mode_may_be_given_by_its_name(mode: AutoresetMode) -> None:
    assert arguments.autoreset_mode(mode) is mode
    assert arguments.autoreset_mode(mode.value) is mode


@pytest.mark.parametrize("value", [5, [5, 5, 5], np.full(3, 5, np.uint16), torch.tensor([5, 5, 5]), np.int64(5)])
def test_one_value_or_one_per_row_become_a_value_per_row(value: Any) -> None:
    assert arguments.per_row("n", value, 3, torch.int64, CPU).tolist() == [5, 5, 5]


def test_values_per_row_are_a_copy() -> None:
    for given in (np.zeros(3, np.int64), torch.zeros(3, dtype=torch.int64)):
        arguments.per_row("n", given, 3, torch.int64, CPU)[0] = 1
        assert not given.any()


def test_actions_are_a_copy() -> None:
    for given in (np.zeros((3, 2), np.float32), torch.zeros(3, 2)):
        arguments.action_batch(given, 3, 2, CPU)[0] = 1
        assert not given.any()


def test_actions_leave_the_graph_of_the_policy() -> None:
    action = arguments.action_batch(torch.zeros(3, 2, requires_grad=True), 3, 2, CPU)
    assert not action.requires_grad


def test_actions_are_clipped() -> None:
    assert arguments.action_batch([[-3, 0.5]], 1, 2, CPU).tolist() == [[-1.0, 0.5]]


def test_without_options_the_configuration_is_the_default_with_the_groups_of_the_id() -> None:
    assert arguments.env_config(()) == EnvConfig()
    assert arguments.env_config(("depth",)) == EnvConfig().observing("depth")


def test_groups_of_id_configuration_and_options_are_joined() -> None:
    config = arguments.env_config(("depth",), EnvConfig().observing("state"), groups=["depth"], privileged=True)
    assert config.observation.groups == ("state", "depth", "privileged")


def test_image_options_override_the_configuration() -> None:
    images = ObservationConfig(image_size=(48, 64), depth_format="uint8", camera=CAMERAS["front"], image_period=3)
    config = EnvConfig(observation=images)
    assert arguments.env_config((), config) == config
    changed = arguments.env_config((), config, image_size=[60, 80], depth_format="float32", camera="wrist").observation
    assert changed == ObservationConfig((), CAMERAS["wrist"], (60, 80), 3, "float32")


def test_a_camera_may_be_given_by_its_name() -> None:
    for name, camera in CAMERAS.items():
        assert arguments.env_config((), camera=name) == arguments.env_config((), camera=camera)
    assert arguments.env_config((), camera=CameraConfig(fovy=50)).observation.camera.fovy == 50.0


def test_a_configuration_comes_out_in_its_canonical_form() -> None:
    config = arguments.env_config((), EnvConfig(physics=PhysicsConfig(friction=1)), image_size=[48, 64])
    assert type(config.physics.friction) is float
    assert config.observation.image_size == (48, 64)
