"""What an encoder has looked at: images with the truth about them, from many placements."""

from typing import Any

import torch
from torch import Tensor

CAPACITY = 24_576
"""Most images kept; later ones replace random earlier ones."""
MAX_BYTES = 2**28
"""Most memory of the images, bytes."""


class SightMemory:
    """Pairs of a raw image and the privileged observation of the same moment, in their own dtypes.

    A rollout shows the same few hundred objects for ten seconds, so an encoder that learns from rollouts alone forgets
    what it saw before.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._count = 0
        self._images = self._privileged = torch.empty(0)

    def __len__(self) -> int:
        return self._count

    @property
    def images(self) -> Tensor:
        """What is kept, [len, 1, H, W]; a view."""
        return self._images[: self._count]

    @property
    def privileged(self) -> Tensor:
        """The truth about it, [len, size]; a view."""
        return self._privileged[: self._count]

    def add(self, images: Tensor, privileged: Tensor) -> None:
        """Take in images [K, 1, H, W] and privileged observations [K, size]; copies."""
        if not self._count:
            rows = min(self.capacity, MAX_BYTES // images[0].nbytes)
            self._images, self._privileged = (t.new_empty(rows, *t.shape[1:]) for t in (images, privileged))
        fitting = min(len(images), len(self._images) - self._count)
        fresh = slice(self._count, self._count + fitting)
        self._images[fresh], self._privileged[fresh] = images[:fitting], privileged[:fitting]
        self._count += fitting
        left = len(images) - fitting
        if left > 0:
            places = torch.randint(self._count, (left,)).numpy()
            # torch cannot write uint16 by index.
            self._images.numpy()[places] = images[-left:].numpy()
            self._privileged.numpy()[places] = privileged[-left:].numpy()

    def sample(self, count: int) -> tuple[Tensor, Tensor]:
        """Images [count, 1, H, W] and privileged observations [count, size], drawn with replacement."""
        index = torch.randint(self._count, (count,))
        return self._images[index], self._privileged[index]

    def get_state(self) -> dict[str, Any]:
        """Everything that is kept."""
        # Copies: a checkpoint would hold the whole of what a view looks at.
        return {"images": self.images.clone(), "privileged": self.privileged.clone()}

    def set_state(self, state: dict[str, Any]) -> None:
        """The inverse of `get_state`."""
        self._count = 0
        if len(state["images"]):
            self.add(state["images"], state["privileged"])
