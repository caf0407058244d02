"""The controller that a configuration names."""

from typing import Any

import torch

from ..config import EnvConfig
from ..robots.robot import Robot
from .controller import Controller
from .fabric.fabric_controller import FabricController
from .joint_controller import JointController
from .palm_controller import PalmController


def make_controller(robot: Robot, config: EnvConfig, device: torch.device | str, threads: int = 1) -> Controller[Any]:
    """The controller of `config.controller`, one of `config.CONTROLLERS`; `threads` 0 means one per core."""
    if config.controller == "fabric":
        return FabricController(robot, config, device, threads)
    if config.controller == "joint_delta":
        return JointController(robot, config.control, config.joint_delta, config.physics, device)
    return PalmController(robot, config.control, config.physics, device)
