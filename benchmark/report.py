"""Tables, figures and pages from the records: `python -m benchmark.report`. The same records give the same bytes.

Records that are not valid are named on stderr and skipped. Each record is a row, or rows, of its own, named by its
file: nothing is averaged over records.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import tyro

from baselines.plot import draw_curves
from baselines.record import Record, read_records
from baselines.result_table import ENDINGS, ResultTable
from baselines.success_table import draw_success, evaluations, success_table
from dexgrasp_envs.errors import DexGraspError

from . import comparison, tables
from .adr import adr_table, at_levels, draw_adr
from .comparison import comparison_table, draw_comparison, read_runs
from .curves import METRIC, curves_table, read_curves
from .figures import draw_frames, draw_parts, draw_scaling
from .headlines import headlines
from .pages import BEGIN, END, Section, put_between_marks, read_notes, readme_section, results_page

TITLES = {
    "targets": "Targets",
    "evaluation": "Success",
    "adr": "Randomisation",
    "learning": "Learning curves",
    "controllers": "Controllers",
    "grasps": "Grasps",
    "throughput": "Throughput",
    "render": "Depth images",
    "robotfit": "Robot",
    "transport": "Transport",
}
"""Headings, in their order, by kind of record."""
_TABLES: dict[str, Callable[[tables.Records], list[ResultTable]]] = {
    "throughput": tables.throughput,
    "render": tables.render,
    "transport": tables.transport,
    "grasps": tables.grasps,
    "robotfit": tables.robotfit,
}
_FIGURES: dict[str, dict[str, tuple[str, Callable[[tables.Records, Path], None]]]] = {
    "throughput": {"throughput_scaling.png": ("Env-steps/s by number of environments", draw_scaling)},
    "render": {
        "render_frames.png": ("Depth frames/s on one core by image size", draw_frames),
        "render_parts.png": ("Where the time of a step goes", draw_parts),
    },
}
"""File, caption and drawing of each figure of a kind."""
_CURVES = "Success while training, over environment steps and over time"
EXAMPLES = """

examples:
  python -m benchmark.report                                               # rewrites results/ and the README's table
  python -m benchmark.report --raw runs/benchmark --out runs/benchmark/report
"""


@dataclass(frozen=True)
class Args:
    """Write tables, figures and pages from records."""

    raw: Path = Path("results/raw")
    """Folder of the records and of the `*_progress.csv` of runs."""
    out: Path = Path("results")
    """Folder for tables/, figures/ and README.md; remarks come from its notes.md. A README.md beside this folder that
    has the marks for it gets the results in short."""


def report(args: Args, tell: Callable[[str], None]) -> list[Path]:
    """Write everything, and return what was written.

    Args:
        args: Where from, and where to.
        tell: Gets a line on every file that is skipped, with the reason.

    Raises:
        ConfigError: There is no valid record, notes.md has an unknown heading, or the README's marks are broken.
    """
    measured = _Measured(
        read_records(args.raw, tell), read_curves(args.raw, tell), read_runs(args.raw / comparison.FOLDER, tell)
    )
    notes = read_notes(args.out / "notes.md", list(TITLES.values()))
    outside = args.out.absolute().parent / "README.md"
    marked = outside.read_text("utf-8") if outside.exists() else ""
    written: list[Path] = []

    sections = []
    for kind, title in TITLES.items():
        made, figures = _section(kind, measured, args.out / "figures")
        for table in made:
            table.write(args.out / "tables")
            written += [args.out / "tables" / (table.name + ending) for ending in ENDINGS]
        written += [args.out / "figures" / file for file in figures]
        if made or title in notes:
            sections.append(Section(title, made, figures, _remarks(measured.of_kind(kind))))

    command = f"python -m benchmark.report{_arguments(args)}"
    written.append(_write(args.out / "README.md", results_page(sections, notes, command)))
    if BEGIN in marked or END in marked:
        success = success_table(measured.records) if evaluations(measured.records) else None
        figures = {"learning_curve.png": _CURVES} if measured.curves else {}
        short = readme_section(success, headlines(measured.records), args.out.name, figures)
        written.append(_write(outside, put_between_marks(marked, short, outside)))
    return written


@dataclass(frozen=True)
class _Measured:
    """All that is reported."""

    records: dict[str, Record]
    curves: dict[str, pd.DataFrame]
    short_runs: comparison.Runs

    def of_kind(self, kind: str) -> dict[str, Record]:
        return {name: record for name, record in self.records.items() if record["kind"] == kind}


def _section(kind: str, measured: _Measured, folder: Path) -> tuple[list[ResultTable], dict[str, str]]:
    """Tables, and captions of the figures that were drawn into a folder, by file; none without measurements."""
    records, curves, runs = measured.records, measured.curves, measured.short_runs
    if kind == "targets":
        targets = headlines(records)
        return ([] if targets is None else [targets]), {}
    if kind == "learning" and curves:
        draw_curves(curves, METRIC, folder / "learning_curve.png")
        return [curves_table(curves, records)], {"learning_curve.png": _CURVES}
    if kind == "adr" and (levels := at_levels(records)):
        draw_adr(levels, curves, folder / "adr.png")
        return [adr_table(levels)], {"adr.png": "Success by level of randomisation, and the level in training"}
    if kind == "controllers" and runs:
        draw_comparison(runs, folder / "controllers.png")
        return [comparison_table(runs)], {"controllers.png": "Short trainings: means over seeds, and all between them"}
    if kind == "evaluation" and (chosen := evaluations(records)):
        draw_success(chosen, folder / "success.png")
        return [success_table(chosen)], {"success.png": "Success at the end of the episode, with 95 % intervals"}
    if kind in _TABLES and (chosen := measured.of_kind(kind)):
        for file, (_, draw) in _FIGURES.get(kind, {}).items():
            draw(chosen, folder / file)
        return _TABLES[kind](chosen), {file: caption for file, (caption, _) in _FIGURES.get(kind, {}).items()}
    return [], {}


def _remarks(records: dict[str, Record]) -> list[str]:
    return [f"`{name}`: {record['note']}" for name, record in records.items() if "note" in record]


def _arguments(args: Args) -> str:
    usual = Args()
    words = [("--raw", args.raw, usual.raw), ("--out", args.out, usual.out)]
    return "".join(f" {option} {path}" for option, path, default in words if path != default)


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def main(args: Sequence[str] | None = None) -> int:
    """Entry point; 1 if nothing could be reported."""
    chosen = tyro.cli(Args, description=(__doc__ or "") + EXAMPLES, args=args)
    try:
        written = report(chosen, lambda line: print(line, file=sys.stderr))
    except DexGraspError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"wrote {len(written)} files in {chosen.out}/: tables/, figures/, README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
