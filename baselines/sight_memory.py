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
        self.images = torch.empty(0)
        self.privileged = torch.empty(0)

    def __len__(self) -> int:
        return len(self.images)

    def add(self, images: Tensor, privileged: Tensor) -> None:
        """Take in images [K, 1, H, W] and privileged observations [K, size]; copies."""
        room = min(self.capacity, MAX_BYTES // images[0].nbytes) - len(self)
        fresh = slice(0, max(room, 0))
        if room > 0:
            self.images = torch.cat([self.images.to(images.dtype).view(-1, *images.shape[1:]), images[fresh]])
            self.privileged = torch.cat([self.privileged.view(-1, *privileged.shape[1:]), privileged[fresh]])
        left = len(images) - max(room, 0)
        if left > 0:
            places = torch.randint(len(self), (left,)).numpy()
            # torch cannot write uint16 by index.
            self.images.numpy()[places] = images[-left:].numpy()
            self.privileged.numpy()[places] = privileged[-left:].numpy()

    def sample(self, count: int) -> tuple[Tensor, Tensor]:
        """Images [count, 1, H, W] and privileged observations [count, size], drawn with replacement."""
        index = torch.randint(len(self), (count,))
        return self.images[index], self.privileged[index]

    def get_state(self) -> dict[str, Any]:
        """Everything that is kept."""
        return {"images": self.images, "privileged": self.privileged}

    def set_state(self, state: dict[str, Any]) -> None:
        """The inverse of `get_state`."""
        self.images, self.privileged = state["images"], state["privileged"]
