"""What a server has done since it started, for those who want to know where the time goes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from .data_plane import Frame


@dataclass
class Counters:
    """Totals. None is written by two threads at a time; what is read is a moment old."""

    started: float = field(default_factory=time.monotonic)
    """s of the monotonic clock."""
    steps: int = 0
    """Environment steps: a step of N environments counts N."""
    calls: int = 0
    received: int = 0
    """Bytes from sockets."""
    sent: int = 0
    """Bytes to sockets."""
    shared: int = 0
    """Bytes to shared memory."""
    env: float = 0.0
    """Time in the environment, s."""
    serialise: float = 0.0
    """Time in which the stepping thread made replies ready to send, s."""
    idle: float = 0.0
    """Time in which the stepping thread waited for a call, s."""

    @contextmanager
    def timing(self, what: Literal["env", "serialise", "idle"]) -> Iterator[None]:
        """Add the time that a block takes, whatever comes of it."""
        before = time.monotonic()
        try:
            yield
        finally:
            setattr(self, what, getattr(self, what) + time.monotonic() - before)

    def as_data(self) -> dict[str, Any]:
        """Totals by name, and `uptime`, s."""
        names = ("steps", "calls", "received", "sent", "shared", "env", "serialise", "idle")
        return {"uptime": time.monotonic() - self.started, **{name: getattr(self, name) for name in names}}


def size_of(frames: Sequence[Frame]) -> int:
    """Bytes of a message."""
    return sum(map(len, frames))
