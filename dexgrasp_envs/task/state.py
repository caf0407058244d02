"""What the task remembers about each environment."""

from dataclasses import dataclass

from torch import Tensor

from ..types import BatchState


@dataclass
class TaskState(BatchState):
    """Counters and references of the current episode of each row."""

    seed: Tensor
    """[N] int64, the seed of the row's random numbers."""
    episode: Tensor
    """[N] int64, episodes since the seed was set, from 0."""
    step: Tensor
    """[N] int64, actions taken in this episode."""
    done: Tensor
    """[N] bool, the episode is over and the row has not been reset."""
    object_index: Tensor
    """[N] int64, index in the object set."""
    rest_height: Tensor
    """[N] lowest height of the object's centre so far in this episode, m."""
    lifted: Tensor
    """[N] bool, the object is lifted and the row has not diverged; nothing is in the first state of an episode."""
    last_action: Tensor
    """[N, A] the last action, clipped."""
    adr_level: Tensor
    """[N] int64, level of randomisation of this episode."""
    next_adr_level: Tensor
    """[N] int64, that of the next one."""
