"""What a check is given: connections to the server, each closed when the check ends."""

import time
from contextlib import ExitStack
from typing import Any

import gymnasium
import zmq
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from ..keys import ClientKeys
from ..spaces import space_from_data
from ..wire import Kind
from .peer import Peer, error_of
from .report import Failed

_PAUSE = 0.05
"""Between two questions whether the server is free, s."""


class Session:
    """One check's connections. A context manager.

    Args:
        endpoint: The server's address.
        keys: This client's key and the server's, if it has keys.
        env_id: What the server must serve, if that is known.
        deadline: Most seconds for the whole check.
        most_steps: Steps after which no end of an episode is waited for.
    """

    def __init__(self, endpoint: str, keys: ClientKeys | None, env_id: str | None, deadline: float, most_steps: int):
        self.endpoint = endpoint
        self.env_id = env_id
        self.most_steps = most_steps
        self.end = time.monotonic() + deadline
        """When to give up, s of the monotonic clock."""
        self.identity: dict[str, Any] = {}
        """What the server said of itself to the last `client`."""
        self._keys = keys
        self._stack = ExitStack()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._context.term()

    def stranger(self) -> Peer:
        """A connection without a lease."""
        peer = Peer(self._context, self.endpoint, self.end, self._keys)
        self._stack.callback(peer.close)
        return peer

    def client(self) -> Peer:
        """A connection with the lease, for which it waits while the server is busy."""
        peer = self.stranger()
        while True:
            header, data = peer.hello()
            if header.kind == Kind.WELCOME:
                self.identity = data["identity"]
                return peer
            if data["type"] != "ServerBusy":
                raise Failed(f"HELLO was answered with {error_of(data)}")
            if time.monotonic() > self.end:
                raise Failed("the server is busy; check one that has no client")
            time.sleep(_PAUSE)

    @property
    def num_envs(self) -> int:
        """Number of environments."""
        return int(self.identity["num_envs"])

    @property
    def mode(self) -> AutoresetMode:
        """What happens to rows whose episode ended."""
        return AutoresetMode(self.identity["autoreset_mode"])

    def single_space(self, which: str) -> gymnasium.Space[Any]:
        """The `observation` or `action` space of one environment."""
        return space_from_data(self.identity[f"{which}_space"])

    def batched_space(self, which: str) -> gymnasium.Space[Any]:
        """The same of all environments."""
        return batch_space(self.single_space(which), self.num_envs)
