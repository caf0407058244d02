"""Where an action wants the palm: a target of the grasp centre and of the palm's orientation."""

import functools
import math

import torch
from torch import Tensor

from ..config import ControlConfig
from ..robots.robot import Robot
from ..robots.rotations import rotate
from ..types import Field

PALM_ACTION = 6
"""Entries of an action that move the palm: 3 of its position, then yaw, pitch and roll."""
PALM_FIELDS: tuple[Field, ...] = (Field("target_pos", 3, -2.0, 2.0), Field("target_euler", 3, -3.2, 3.2))
"""What proprioception shows of the target."""


class PalmTarget:
    """Targets in the world frame: grasp centre [N, 3], m; (yaw, pitch, roll) [N, 3] from nominal, rad."""

    def __init__(self, robot: Robot, config: ControlConfig, device: torch.device | str):
        self._config = config
        constant = functools.partial(torch.tensor, dtype=torch.float32, device=device)
        self._low = constant(config.workspace_low)
        self._high = constant(config.workspace_high)
        self._euler_limit = constant(config.rotation_limit)
        self._nominal_rot = constant(nominal_palm_rotation(config.palm_tilt))
        self._start = constant(robot.home_center)

    def start(self, rows: int) -> tuple[Tensor, Tensor]:
        """The target at the start of an episode, in so many rows."""
        return self._start.repeat(rows, 1), self._start.new_zeros(rows, 3)

    def moved(self, pos: Tensor, euler: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """A target moved by action [N, 6], within its limits."""
        pos = pos + self._config.position_step * action[:, 0:3]
        pos = torch.clamp(pos, self._low, self._high)
        euler = euler + self._config.rotation_step * action[:, 3:6]
        return pos, torch.clamp(euler, -self._euler_limit, self._euler_limit)

    def placed(self, action: Tensor) -> tuple[Tensor, Tensor]:
        """The target that action [N, 6] names in the box and the rotation limits, -1 and 1 being their ends."""
        pos = self._low + 0.5 * (action[:, 0:3] + 1.0) * (self._high - self._low)
        return pos, self._euler_limit * action[:, 3:6]

    def rotation(self, euler: Tensor) -> Tensor:
        """World rotation [N, 3, 3] of the palm frame: Rz(yaw) Ry(pitch) Rx(roll) times nominal."""
        sine, cosine = torch.sin(euler), torch.cos(euler)
        sy, sp, sr = sine.unbind(1)
        cy, cp, cr = cosine.unbind(1)
        turn = torch.stack(
            [
                *(cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr),
                *(sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr),
                *(-sp, cp * sr, cp * cr),
            ],
            1,
        ).reshape(-1, 3, 3)
        return torch.stack([rotate(turn, column) for column in self._nominal_rot.unbind(1)], -1)


def nominal_palm_rotation(tilt: float) -> list[list[float]]:
    """Palm frame with the fingers forward, tilted down by `tilt` rad: columns normal, lateral, finger direction."""
    sine, cosine = math.sin(tilt), math.cos(tilt)
    return [[-sine, 0.0, cosine], [0.0, 1.0, 0.0], [-cosine, 0.0, -sine]]
