"""Looking for a lost server until it, or another one in its place, is there."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

FIRST_DELAY, LONGEST_DELAY = 0.1, 10.0
"""Between two attempts, s; each delay is twice the last one."""
GivenUp = Callable[[], bool]
"""Says whether an attempt is to be given up."""
_Found = TypeVar("_Found")
_logger = logging.getLogger("dexgrasp_envs.remote")


class Reconnect(threading.Thread, Generic[_Found]):
    """Makes attempts in the background until one succeeds.

    Args:
        attempt: Gives what was found, or raises; it looks again and again whether it is given up.
    """

    def __init__(self, attempt: Callable[[GivenUp], _Found]):
        super().__init__(name="dexgrasp-reconnect", daemon=True)
        self.found: _Found | None = None
        """What the successful attempt gave."""
        self.reason = "no attempt has ended"
        """Why the last attempt failed; not the error, which would keep all that its frames hold."""
        self._attempt = attempt
        self._stop_now = threading.Event()

    def run(self) -> None:
        """Try, wait, and try again."""
        delay = FIRST_DELAY
        while not self._stop_now.is_set():
            try:
                self.found = self._attempt(self._stop_now.is_set)
                return
            except Exception as error:
                # Whatever it is, such as no memory for a process, it may pass.
                reason = str(error)
                if reason != self.reason:
                    _logger.warning("still looking: %s", reason)
                self.reason = reason
            self._stop_now.wait(delay)
            delay = min(2 * delay, LONGEST_DELAY)

    def stop(self) -> _Found | None:
        """Give up; what was found, if it was found before."""
        self._stop_now.set()
        self.join()
        return self.found
