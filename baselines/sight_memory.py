"""What an encoder has looked at: images with the truth about them, from many placements."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

CAPACITY = 24_576
"""Most moments kept; later ones replace random earlier ones."""
MAX_BYTES = 2**28
"""Most memory that they take, bytes."""


class SightMemory:
    """Observations of single moments, images and the truth about them, in their own dtypes.

    A rollout shows the same few hundred objects for ten seconds, so an encoder that learns from rollouts alone forgets
    what it saw before.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._count = self._rows = 0
        self._kept: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return self._count

    @property
    def kept(self) -> dict[str, Tensor]:
        """Observation group -> [len, ...]; views."""
        return {group: values[: self._count] for group, values in self._kept.items()}

    def add(self, obs: Mapping[str, Tensor]) -> None:
        """Take in K moments, {group: [K, ...]}, always of the same groups; copies."""
        if not self._count:
            self._rows = min(self.capacity, MAX_BYTES // sum(values[0].nbytes for values in obs.values()))
            self._kept = {group: v.new_empty(self._rows, *v.shape[1:]) for group, v in obs.items()}
        count = len(next(iter(obs.values())))
        fitting = min(count, self._rows - self._count)
        left = count - fitting
        places = torch.randint(self._count + fitting, (left,)).numpy()
        for group, values in obs.items():
            self._kept[group][self._count : self._count + fitting] = values[:fitting]
            # torch cannot write uint16 by index.
            self._kept[group].numpy()[places] = values[fitting:].numpy()
        self._count += fitting

    def sample(self, count: int) -> dict[str, Tensor]:
        """`count` moments, {group: [count, ...]}, drawn with replacement."""
        index = torch.randint(self._count, (count,))
        return {group: values[index] for group, values in self._kept.items()}

    def get_state(self) -> dict[str, Any]:
        """Everything that is kept."""
        # Copies: a checkpoint would hold the whole of what a view looks at.
        return {group: values.clone() for group, values in self.kept.items()}

    def set_state(self, state: dict[str, Any]) -> None:
        """The inverse of `get_state`."""
        self._count = 0
        if state:
            self.add(state)
