"""How often something may be started again."""

import time
from collections import deque

from ..errors import RemoteError

MOST, WINDOW = 5, 60.0
"""So many times in so many seconds at most."""


class Restarts:
    """Remembers when something was started again.

    Args:
        name: What it is, for messages.
    """

    def __init__(self, name: str):
        self._name = name
        self._times: deque[float] = deque(maxlen=MOST)

    def add(self, last_end: str | None) -> None:
        """Count one more; RemoteError, which tells how it ended last, if that is too often."""
        now = time.monotonic()
        if len(self._times) == MOST and now - self._times[0] < WINDOW:
            raise RemoteError(f"{self._name} was started again {MOST} times in {WINDOW:g} s; its last end: {last_end}")
        self._times.append(now)
