"""Learning curves: `python -m baselines.plot runs/state/progress.csv runs/blind/progress.csv --labels state blind`.

Prints when each run first reached 50 % and 80 % of the metric, over the last episodes of all environments. The curves
in results/ are drawn by `benchmark.report`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd
import tyro

from .figure import drawn

LEVELS = (0.5, 0.8)
"""Levels of the metric whose first times are told."""
NAMES = {"success_at_end": "success at end", "success_share": "success share", "lifted": "lifted"}


@dataclass(frozen=True)
class Args:
    """Draw learning curves from the progress.csv of runs."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """The progress.csv of each run."""
    labels: tuple[str, ...] = ()
    """Legend entry of each run; the names of their folders by default."""
    metric: str = "success_at_end"
    """Column to draw."""
    out: Path = Path("runs/learning_curve.png")
    """Where to write the figure; its ending decides the format."""


def plot(args: Args) -> None:
    """Draw the metric over environment steps and over wall-clock time."""
    labels = args.labels or tuple(path.parent.name for path in args.runs)
    if len(labels) != len(args.runs):
        raise SystemExit(f"{len(args.runs)} runs need as many --labels, got {len(labels)}")
    runs = {label: pd.read_csv(path) for label, path in zip(labels, args.runs, strict=True)}
    draw_curves(runs, args.metric, args.out)


def draw_curves(runs: Mapping[str, pd.DataFrame], metric: str, path: Path) -> None:
    """Draw `metric` of the progress of each run, by label, over environment steps and over wall-clock time."""
    with drawn(path, 11, 3.4, columns=2) as axes:
        for i, (label, progress) in enumerate(runs.items()):
            # After the ten colours come the same ones dashed.
            style = {"color": f"C{i}", "linestyle": "-" if i < 10 else "--", "label": label}
            axes[0].plot(progress["steps"] / 1e6, progress[metric], **style)
            axes[1].plot(progress["seconds"] / 60, progress[metric], **style)
        axes[0].set(xlabel="environment steps (millions)", ylabel=NAMES.get(metric, metric))
        axes[1].set(xlabel="training time (minutes)")
        for axis in axes:
            axis.grid(alpha=0.3)
            if metric in NAMES:
                axis.set_ylim(-0.02, 1.02)
        axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)


def first_time(progress: pd.DataFrame, metric: str, level: float) -> tuple[int, float] | None:
    """Environment steps and minutes of training at which `metric` first reached `level`; None if it never did."""
    reached = progress[progress[metric] >= level]
    return None if reached.empty else (int(reached["steps"].iloc[0]), float(reached["seconds"].iloc[0]) / 60)


def main() -> None:
    """Entry point."""
    args = tyro.cli(Args, description=__doc__)
    plot(args)
    for path in args.runs:
        progress = pd.read_csv(path)
        for level in LEVELS:
            time = first_time(progress, args.metric, level)
            words = "not reached" if time is None else f"{time[0]:,} steps, {time[1]:.1f} minutes"
            print(f"{path}: {args.metric} {level:.0%}: {words}")


if __name__ == "__main__":
    main()
