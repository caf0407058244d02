"""Tables, figures and pages from the records: `python -m benchmark.report`. The same records give the same bytes.

Records that are not valid are named on stderr and skipped. Each record is a row, or rows, of its own, named by its
file: nothing is averaged over records.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from baselines.plot import draw_curves
from baselines.record import Record, read_records
from baselines.result_table import ENDINGS, ResultTable
from baselines.success_table import draw_success, evaluations, success_table
from dexgrasp_envs.errors import DexGraspError

from . import tables
from .curves import METRIC, curves_table, read_curves
from .figures import draw_frames, draw_parts, draw_scaling
from .headlines import headlines
from .pages import BEGIN, END, Section, put_between_marks, read_notes, readme_section, results_page

TITLES = {
    "targets": "Targets",
    "evaluation": "Success",
    "learning": "Learning curves",
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
_FIGURES: dict[str, list[tuple[str, str, Callable[[tables.Records, Path], None]]]] = {
    "evaluation": [("success.png", "Success at the end of the episode, with 95 % intervals", draw_success)],
    "throughput": [("throughput_scaling.png", "Env-steps/s by number of environments", draw_scaling)],
    "render": [
        ("render_frames.png", "Depth frames/s on one core by image size", draw_frames),
        ("render_parts.png", "Where the time of a step goes", draw_parts),
    ],
}
_CURVES = ("learning_curve.png", "Success while training, over environment steps and over time")
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
    records = read_records(args.raw, tell)
    curves = read_curves(args.raw, tell)
    notes = read_notes(args.out / "notes.md", list(TITLES.values()))
    outside = args.out.absolute().parent / "README.md"
    marked = outside.read_text("utf-8") if outside.exists() else ""
    written: list[Path] = []

    targets = headlines(records)
    sections = []
    for kind, title in TITLES.items():
        chosen = {name: record for name, record in records.items() if record["kind"] == kind}
        made: list[ResultTable] = []
        figures = {}
        if kind == "targets" and targets is not None:
            made = [targets]
        elif kind == "learning" and curves:
            made = [curves_table(curves, records)]
            file, caption = _CURVES
            draw_curves(curves, METRIC, args.out / "figures" / file)
            figures[file] = caption
        elif chosen:
            made = _tables_of(kind, chosen)
            for file, caption, draw in _FIGURES.get(kind, []):
                draw(chosen, args.out / "figures" / file)
                figures[file] = caption
        for table in made:
            table.write(args.out / "tables")
            written += [args.out / "tables" / (table.name + ending) for ending in ENDINGS]
        written += [args.out / "figures" / file for file in figures]
        if made or title in notes:
            sections.append(Section(title, made, figures, _remarks(chosen)))

    command = f"python -m benchmark.report{_arguments(args)}"
    written.append(_write(args.out / "README.md", results_page(sections, notes, command)))
    if BEGIN in marked or END in marked:
        success = success_table(records) if evaluations(records) else None
        short = readme_section(success, targets, args.out.name, [_CURVES] if curves else [])
        written.append(_write(outside, put_between_marks(marked, short, outside)))
    return written


def _tables_of(kind: str, records: dict[str, Record]) -> list[ResultTable]:
    if kind == "evaluation":
        return [success_table(records)]
    return _TABLES[kind](records)


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
