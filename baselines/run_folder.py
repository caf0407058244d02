"""What long runs share: a progress bar, a table of progress that can be watched and continued, and a good end."""

import csv
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


def progress_bar(console: Console) -> Progress:
    """A bar with the time that has passed and the field `note` of its task."""
    return Progress(BarColumn(20), TimeElapsedColumn(), TextColumn("{task.fields[note]}"), console=console)


def outcomes(record: Mapping[str, float]) -> str:
    """What a progress bar says of the episodes that have ended, as far as any have."""
    shown = (("success", "success_at_end"), ("lifted", "lifted"))
    return "  ".join(f"{name} {record[key]:.1%}" for name, key in shown if key in record)


@contextmanager
def progress_csv(folder: Path, columns: Sequence[str], kept: list[dict[str, str]]) -> Iterator["csv.DictWriter[str]"]:
    """`progress.csv` beginning with the rows `kept`, flushed line by line; other names than `columns` are ignored."""
    with (folder / "progress.csv").open("w", newline="", buffering=1) as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(kept)
        yield writer


def rows_until(path: Path, steps: int) -> list[dict[str, str]]:
    """Whole rows of a progress.csv up to `steps`: those after the checkpoint belong to training that was lost."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if None not in row.values() and int(row["steps"]) <= steps]


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM, so that training ends after the iteration at hand and saves."""
    caught: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda received, _: caught.append(received)) for number in numbers]
    try:
        yield caught
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
