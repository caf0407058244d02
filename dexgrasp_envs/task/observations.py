"""The observation groups: what each holds, its bounds, and its values."""

import itertools
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor

from ..config import EnvConfig
from ..control.controller import Controller, ControlState
from ..objects import ObjectSet
from ..robots.robot import Robot
from ..robots.rotations import rotate
from ..types import Field, SimState
from .geometry import HandObject, length
from .noise import Sensed
from .state import TaskState

_MAX_FORCE = 50.0
_MAX_SPEED = 10.0
_MAX_CONTACTS = 16.0


class Observations:
    """Builds the group `proprio` and, on request, `state` and `privileged`; all float32, clipped into their spaces.

    `proprio` is what the robot knows of itself and its goal; `state` is what a state policy may see of the object;
    `privileged` is for a critic only. Positions in m, world frame, unless said otherwise; rotations as the first two
    columns of the matrix.
    """

    def __init__(
        self,
        robot: Robot,
        objects: ObjectSet,
        config: EnvConfig,
        controller: Controller[Any],
        device: torch.device | str,
    ):
        self._config = config
        self._controller = controller
        self._goal = torch.tensor(config.episode.goal, dtype=torch.float32, device=device)
        shapes = [[*obj.half_extents, float(obj.is_round)] for obj in objects.objects]
        self._shapes = torch.tensor(shapes, dtype=torch.float32, device=device)
        joints, tips = len(robot.joints), len(robot.fingers)
        partners = tips + 2
        object_fields = (
            Field("points_from_object", 3 * (1 + tips), -2.0, 2.0),
            Field("object_in_palm", 3, -2.0, 2.0),
            Field("object_from_goal", 3, -2.0, 2.0),
            Field("object_rotation", 6, -1.0, 1.0),
            Field("object_half_extents", 3, 0.0, 1.0),
            Field("object_is_round", 1, 0.0, 1.0),
        )
        self.groups: dict[str, tuple[Field, ...]] = {
            "proprio": (
                Field("joint_pos", joints, -4.0, 4.0),
                Field("joint_command_lead", joints, -4.0, 4.0),
                Field("joint_vel", joints, -_MAX_SPEED, _MAX_SPEED),
                Field("palm_pos", 3, -2.0, 2.0),
                Field("palm_rotation", 6, -1.0, 1.0),
                Field("tips_from_palm", 3 * tips, -2.0, 2.0),
                Field("goal_from_palm", 3, -2.0, 2.0),
                *controller.fields,
                Field("last_action", controller.action_size, -1.0, 1.0),
            )
        }
        """The fields of each group, in order."""
        if "state" in config.observation.groups:
            self.groups["state"] = object_fields
        if "privileged" in config.observation.groups:
            self.groups["privileged"] = (
                *object_fields,
                Field("object_velocity", 6, -_MAX_SPEED, _MAX_SPEED),
                Field("contact_count", partners, 0.0, _MAX_CONTACTS),
                Field("contact_force", partners, 0.0, _MAX_FORCE),
                Field("height_gained", 1, -2.0, 2.0),
                Field("episode_progress", 1, 0.0, 1.0),
            )
        self._bounds = {
            name: (self._spread(fields, "low", device), self._spread(fields, "high", device))
            for name, fields in self.groups.items()
        }
        self.slices = {name: _slices(fields) for name, fields in self.groups.items()}
        """Group -> field -> [start, stop)."""
        self.space = gymnasium.spaces.Dict(
            {
                name: gymnasium.spaces.Box(low.cpu().numpy(), high.cpu().numpy())
                for name, (low, high) in self._bounds.items()
            }
        )
        """One environment's observation space."""

    def __call__(
        self, sim: SimState, scene: HandObject, control: ControlState, task: TaskState, sensed: Sensed | None = None
    ) -> dict[str, Tensor]:
        """All groups of all rows, [N, size] each; `proprio` and `state` as `sensed`, or exact if it is None."""
        if sensed is None:
            sensed = Sensed(sim.joint_pos, sim.joint_vel, scene)
        seen = sensed.scene
        parts = {
            "proprio": [
                sensed.joint_pos,
                control.joint_pos - sensed.joint_pos,
                sensed.joint_vel,
                seen.palm_pos,
                _two_columns(seen.palm_rot),
                (seen.points[:, 1:] - seen.palm_pos[:, None]).flatten(1),
                self._goal - seen.palm_pos,
                *self._controller.shown(control),
                task.last_action,
            ],
        }
        if "state" in self.groups:
            parts["state"] = self._object_parts(seen, task)
        if "privileged" in self.groups:
            parts["privileged"] = [
                *self._object_parts(scene, task),
                sim.object_vel,
                sim.contact_count,
                length(sim.contact_force),
                scene.object_pos[:, 2:] - task.rest_height[:, None],
                task.step[:, None] / self._config.max_steps,
            ]
        return {name: torch.clamp(torch.cat(parts[name], 1), *self._bounds[name]) for name in self.groups}

    def _object_parts(self, scene: HandObject, task: TaskState) -> list[Tensor]:
        return [
            (scene.points - scene.object_pos[:, None]).flatten(1),
            rotate(scene.palm_rot.transpose(1, 2), scene.object_pos - scene.palm_pos),
            scene.object_pos - self._goal,
            _two_columns(scene.object_rot),
            self._shapes[task.object_index],
        ]

    @staticmethod
    def _spread(fields: tuple[Field, ...], bound: str, device: torch.device | str) -> Tensor:
        values = np.concatenate([np.full(field.size, getattr(field, bound)) for field in fields])
        return torch.tensor(values, dtype=torch.float32, device=device)


def _slices(fields: tuple[Field, ...]) -> dict[str, list[int]]:
    ends = [0, *itertools.accumulate(field.size for field in fields)]
    return {field.name: [start, stop] for field, start, stop in zip(fields, ends, ends[1:], strict=False)}


def _two_columns(rotation: Tensor) -> Tensor:
    """First two columns of rotation [N, 3, 3] as [N, 6]."""
    return rotation[:, :, :2].transpose(1, 2).flatten(1)
