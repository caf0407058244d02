"""What a client knows of a server that was started for it, wherever that runs."""

from collections.abc import Callable
from typing import Protocol


class Supervised(Protocol):
    """A server that can be started again when it was lost: a `Child`, or one that Ray placed."""

    @property
    def endpoint(self) -> str:
        """Where it listens; once it was started again, perhaps elsewhere."""

    @property
    def generation(self) -> int:
        """How many times it was started again."""

    def ended(self, generation: int) -> str | None:
        """How the process of a generation ended, None while it runs; without waiting."""

    def revive(self, generation: int, given_up: Callable[[], bool]) -> None:
        """Start it again, and wait until it is ready, unless somebody else did so since `generation`."""
