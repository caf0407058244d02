"""What happens at a server, one line of JSON an event, for those who keep logs."""

import json
import sys
from datetime import UTC, datetime
from typing import Any, Protocol


class Log(Protocol):
    """Takes an event, and what there is to say of it in plain data."""

    def __call__(self, event: str, **fields: Any) -> None:
        """Take it; from any thread."""


def to_nowhere(event: str, **fields: Any) -> None:
    """A `Log` that keeps nothing."""


def to_stderr(event: str, **fields: Any) -> None:
    """A `Log` that writes one line to stderr: `time` (UTC, ISO 8601), `event`, and the fields."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    # In one piece, so that lines of two threads do not mix.
    sys.stderr.write(json.dumps({"time": time, "event": event, **fields}) + "\n")
    sys.stderr.flush()
