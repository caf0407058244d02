"""What came of the checks."""

from dataclasses import dataclass
from enum import StrEnum


class Failed(Exception):
    """A check found a server that does not conform; the message says what it did and what it should have done."""


class Skipped(Exception):
    """A check does not apply to this server; the message says why."""


class Status(StrEnum):
    """What came of one check."""

    PASSED = "passed"
    FAILED = "FAILED"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Outcome:
    """One check."""

    name: str
    """Of the function that checked."""
    promise: str
    """What a server that conforms does, a sentence."""
    status: Status
    reason: str = ""
    """Why it failed or was skipped."""
    seconds: float = 0.0
    """How long it took."""

    def line(self, width: int) -> str:
        """In one line, with so many characters for the name."""
        return f"{self.status:8}{self.name:{width}}  {self.reason or self.promise}"


@dataclass(frozen=True)
class Report:
    """All checks of one server."""

    endpoint: str
    outcomes: tuple[Outcome, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return not self.count(Status.FAILED)

    def count(self, status: Status) -> int:
        """How many checks came out so."""
        return sum(outcome.status is status for outcome in self.outcomes)

    @property
    def totals(self) -> str:
        """In one line."""
        counts = ", ".join(f"{self.count(status)} {status.lower()}" for status in Status)
        return f"{self.endpoint}: {counts}"

    def __str__(self) -> str:
        """One line a check, and the totals."""
        width = max((len(outcome.name) for outcome in self.outcomes), default=0)
        return "\n".join([*(outcome.line(width) for outcome in self.outcomes), self.totals])
