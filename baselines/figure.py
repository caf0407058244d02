"""Figures that come out the same, byte by byte, from the same numbers: no style of the user's, no date, one font."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

DPI = 150


@contextmanager
def drawn(path: Path, width: float, height: float, columns: int = 1, share: bool = True) -> Iterator[tuple[Any, ...]]:
    """Axes side by side, which on request share y, of a figure of so many inches; written to `path` at the end.

    The ending of `path` decides the format; only PNG is the same bytes every time, with the same matplotlib.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        figure = Figure(figsize=(width, height), layout="constrained")
        yield tuple(figure.subplots(1, columns, sharey=share, squeeze=False)[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"Software": None} if path.suffix == ".png" else None
        figure.savefig(path, dpi=DPI, metadata=metadata)
