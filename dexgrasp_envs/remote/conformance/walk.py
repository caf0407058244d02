"""Stepping a server with random actions that are the same each time."""

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode

from .peer import Peer
from .session import Session

_ACTION_SEED = 5


class Walk:
    """Resets and steps of one client, which keep to the declared autoreset mode.

    Args:
        session: Whose server it is.
        peer: A client with the lease.
    """

    def __init__(self, session: Session, peer: Peer):
        self._peer = peer
        self._waits = session.mode is AutoresetMode.DISABLED
        self._actions = session.batched_space("action")
        self._done: npt.NDArray[np.bool_] = np.zeros(session.num_envs, bool)

    def begin(self, seed: int) -> Any:
        """Reset everything, the actions too."""
        self._actions.seed(_ACTION_SEED)
        self._done[...] = False
        return self._peer.do("reset", seed=seed, options=None)

    def action(self) -> Any:
        """The next action of all environments."""
        return self._actions.sample()

    def step(self) -> Any:
        """Step; rows that wait to be reset, with autoreset disabled, are reset first."""
        if self._waits and self._done.any():
            self._peer.do("reset", seed=None, options={"reset_mask": self._done})
        data = self._peer.do("step", actions=self.action())
        self._done = np.asarray(data["terminated"]) | np.asarray(data["truncated"])
        return data

    def steps(self, seed: int, count: int) -> list[Any]:
        """The replies to a reset and some steps."""
        return [self.begin(seed), *(self.step() for _ in range(count))]


def same(first: Any, second: Any) -> bool:
    """The same keys and the same bits, in all depths."""
    if isinstance(first, dict):
        return (
            isinstance(second, dict) and first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
        )
    if isinstance(first, list | tuple):
        return type(first) is type(second) and len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, np.ndarray | np.generic):
        if not isinstance(second, np.ndarray | np.generic) or (first.dtype, first.shape) != (
            second.dtype,
            second.shape,
        ):
            return False
        if first.dtype == object:
            return all(map(same, np.ravel(first), np.ravel(second)))
        return first.tobytes() == second.tobytes()
    return bool(first == second)
