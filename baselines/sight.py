"""What a policy that sees has to know of its environment."""

from dataclasses import dataclass
from typing import Any, Self

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor


@dataclass(frozen=True)
class Sight:
    """Camera, goal and the places of two positions in flat groups; `asdict` of it fits into JSON and a checkpoint."""

    camera: dict[str, Any]
    """`metadata["camera"]` of the environment: image size, intrinsics, nominal pose, scale of depth."""
    goal: tuple[float, ...]
    """Where the object is to be held, world frame, m."""
    palm_pos: tuple[int, ...]
    """[start, stop) of the palm's position in the group `proprio`."""
    object_from_goal: tuple[int, ...] | None
    """[start, stop) of the object's position less the goal in the group `privileged`; None without that group."""

    @classmethod
    def of(cls, env: VectorEnv) -> Self:
        """The sight of an environment with depth images."""
        fields = env.metadata["fields"]
        privileged = fields.get("privileged")
        return cls(
            camera=env.metadata["camera"],
            goal=tuple(env.unwrapped.config.episode.goal),  # type: ignore[attr-defined]
            palm_pos=tuple(fields["proprio"]["palm_pos"]),
            object_from_goal=None if privileged is None else tuple(privileged["object_from_goal"]),
        )

    def palm_position(self, proprio: Tensor) -> Tensor:
        """Position of the palm in `proprio` [..., size]: [..., 3], world frame, m."""
        return proprio[..., slice(*self.palm_pos)]

    def object_position(self, privileged: Tensor) -> Tensor:
        """True position of the object in `privileged` [..., size], which must exist: [..., 3], world frame, m."""
        assert self.object_from_goal is not None
        return privileged[..., slice(*self.object_from_goal)] + torch.tensor(self.goal)
