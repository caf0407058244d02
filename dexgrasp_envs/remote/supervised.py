"""What a client knows of servers that were started for it, wherever they run."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar


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


ServerT = TypeVar("ServerT", bound=Supervised)


class Launched(ABC, Generic[ServerT]):
    """Servers that were started together, and that end together."""

    servers: list[ServerT]
    """In the order of the commands that started them."""

    @property
    def endpoints(self) -> list[str]:
        """Where to connect to, in the order of the commands."""
        return [server.endpoint for server in self.servers]

    @abstractmethod
    def close(self) -> None:
        """End the servers, and free what was made for them; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
