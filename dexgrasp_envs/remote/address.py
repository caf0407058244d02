"""Where some rows are served, and how a connection to there is made."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import zmq

from .connection import Connection
from .keys import ClientKeys
from .limits import Deadlines
from .supervised import Supervised


@dataclass(frozen=True)
class Address:
    """A group of environments at a server."""

    context: "zmq.Context[zmq.Socket[bytes]]"
    first_endpoint: str
    """tcp://HOST:PORT or ipc://PATH."""
    deadlines: Deadlines
    keys: ClientKeys | None = None
    """This client's key and the server's, if it has keys."""
    shared_memory: bool = True
    """Whether large arrays may come through shared memory."""
    copy: bool = True
    """Whether they are copied out of it."""
    child: Supervised | None = None
    """The server's process, where this process started it."""
    group: int = 0
    """Which of the server's groups."""

    @property
    def endpoint(self) -> str:
        """Where the server is now."""
        return self.first_endpoint if self.child is None else self.child.endpoint

    @property
    def generation(self) -> int:
        """Which of the child's processes is there."""
        return 0 if self.child is None else self.child.generation

    def of_group(self, group: int) -> Self:
        """Another group of the same server."""
        return replace(self, group=group)

    def connection(self, given_up: Callable[[], bool] = lambda: False) -> Connection:
        """A connection that has not said hello yet; it ends when it is given up."""
        child, generation = self.child, self.generation

        def check() -> str | None:
            if given_up():
                return "nobody waits for it any more"
            return None if child is None else child.ended(generation)

        return Connection(
            self.context,
            self.endpoint,
            self.deadlines,
            check,
            self.keys,
            self.shared_memory,
            group=self.group,
            copy=self.copy,
        )
