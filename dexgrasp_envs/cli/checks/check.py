"""`Check` and what comes of it, `Finding`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check came out."""

    OK = "ok"
    ADVICE = "advice"
    """It works, and would work better with the finding's `fix`."""
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """What a check found."""

    status: Status
    """How it came out."""
    detail: str
    """What was seen, in one line."""
    fix: str = ""
    """What to do about it; empty if there is nothing to do."""


class CheckFailed(Exception):
    """What a check saw is wrong; the message is the finding."""


@dataclass(frozen=True)
class Check:
    """One thing that is looked at."""

    name: str
    """What the check is shown as."""
    look: Callable[[], Finding]
    """Looks; whatever it raises is a failure."""
    fix: str = ""
    """What to do about a failure."""
    required: bool = False
    """Whether no environment runs without it."""

    def run(self) -> Finding:
        """Look, and turn an exception into a failed `Finding`."""
        try:
            return self.look()
        except CheckFailed as error:
            return Finding(Status.FAILED, str(error), self.fix)
        except Exception as error:
            return Finding(Status.FAILED, f"{type(error).__name__}: {error}", self.fix)
