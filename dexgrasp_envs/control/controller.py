"""What every controller offers: actions in, set-points of the joints' servos out."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from torch import Tensor

from ..types import BatchState, Field


@dataclass
class ControlState(BatchState):
    """What every controller remembers, float32; some remember more."""

    joint_pos: Tensor
    """[N, J] commanded joints, rad."""
    joint_vel: Tensor
    """[N, J] velocity of the commanded joints, rad/s."""


StateT = TypeVar("StateT", bound=ControlState)


class Controller(Protocol[StateT]):
    """Maps actions [N, action_size] in -1..1 to servo set-points of all joints for every substep.

    Stateless itself: what belongs to an environment is in its `ControlState`, so that it can be saved and sent. Results
    for one row do not depend on the other rows of the batch.
    """

    action_size: int
    """Length of an action."""
    fields: tuple[Field, ...]
    """What proprioception shows of the state, besides how far the commanded joints lead the measured ones."""

    def initial(self, joint_pos: Tensor) -> StateT:
        """The state at the start of an episode with joints [n, J] at rest, rad."""
        ...

    def step(self, state: StateT, action: Tensor, joint_pos: Tensor) -> tuple[StateT, Tensor]:
        """The next state and set-points [N, S, J], rad, given action [N, action_size] and measured joints [N, J]."""
        ...

    def shown(self, state: StateT) -> tuple[Tensor, ...]:
        """The values of `fields`, [N, size] each."""
        ...

    def close(self) -> None:
        """Free what the controller holds; may be called twice."""
        ...
