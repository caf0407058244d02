"""The controller that a configuration names."""

from typing import Any

import torch

from ..config import EnvConfig
from ..robots.robot import Robot
from .controller import Controller
from .joint_controller import JointController
from .palm_controller import PalmController


def make_controller(robot: Robot, config: EnvConfig, device: torch.device | str) -> Controller[Any]:
    """The controller of `config.controller`, one of `config.CONTROLLERS`."""
    if config.controller == "joint_delta":
        return JointController(robot, config.control, config.joint_delta, config.physics, device)
    return PalmController(robot, config.control, config.physics, device)
