"""Bounds that both ends keep."""

from dataclasses import dataclass

MAX_GROUPS = 64
"""Of environments at one server: a client has some sockets for each."""
MAX_BYTES = 1 << 30
"""Most bytes of arrays in one message."""
WINDOW = 30.0
"""A peer that is silent for so many seconds is given up; long calls that hold Python's interpreter lock must fit in."""


@dataclass(frozen=True)
class Deadlines:
    """How long a client waits, s."""

    connect: float = 10.0
    """For a server to welcome the client."""
    call: float = 300.0
    """For a call to be done."""
    heartbeat: float = 1.0
    """Between two signs of life."""
    window: float = WINDOW
    """A server that is silent for so long is lost."""
    lost: float = 600.0
    """For a lost server, or another one in its place, to come back."""
