"""Run a benchmark suite: `python -m benchmark.run throughput`. Nothing else should run on the machine meanwhile."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table

from baselines.run_folder import progress_bar
from dexgrasp_envs.errors import DexGraspError

from .suites import QUICK, WITHOUT_DATA, Adr, Grasps, Render, RobotFit, Success, Suite, Throughput, Transport

EXAMPLES = """

examples:
  python -m benchmark.run all --quick                  # does all work? some minutes
  python -m benchmark.run throughput --num-envs 64
  python -m benchmark.run success --policies state --out runs/success
  python -m benchmark.run robotfit --data FOLDER_WITH_URDF_AND_MESHES
  python -m benchmark.run all --out results/raw && python -m benchmark.report   # replaces results/
"""


@dataclass(frozen=True, kw_only=True)
class All:
    """All suites that need nothing but this project, in turn."""

    quick: bool = False
    """Small settings, to see that all works; figures in other settings are not comparable."""
    out: Path = Path("runs/benchmark")
    """Folder of the records; records of the same name are replaced."""

    def suites(self) -> list[Suite]:
        """What is run."""
        made = (QUICK[suite] if self.quick else suite() for suite in WITHOUT_DATA)
        return [type(suite)(**vars(suite) | {"out": self.out}) for suite in made]


def parse(args: Sequence[str] | None = None) -> Suite | All:
    """The suite that a command line (by default, that of this process) asks for, with its settings."""
    words = sys.argv[1:] if args is None else list(args)
    chosen: Suite | All = tyro.cli(_choice({}), description=(__doc__ or "") + EXAMPLES, args=words)
    if chosen.quick and isinstance(chosen, Suite):
        # What is said besides --quick holds all the same: only the defaults are others.
        chosen = tyro.cli(_choice(QUICK), args=[word for word in words if word != "--quick"])
    return chosen


def _choice(defaults: dict[type[Suite], Any]) -> Any:
    choice: Any = Annotated[All, tyro.conf.subcommand("all")]
    for suite in (Throughput, Render, Transport, Grasps, Success, Adr, RobotFit):
        default = {"default": defaults[suite]} if suite in defaults else {}
        choice |= Annotated[suite, tyro.conf.subcommand(suite.__name__.lower(), **default)]
    return Annotated[choice, tyro.conf.FlagCreatePairsOff]


def run(suites: Sequence[Suite], console: Console) -> int:
    """Run suites in turn, each although others fail, and return how many failed."""
    failed = 0
    with progress_bar(console) as progress:
        task = progress.add_task("", total=len(suites), note="")
        for suite in suites:

            def tell(words: str, name: str = suite.name) -> None:
                progress.update(task, note=f"{name}: {words}")

            try:
                for name, record in suite.run(tell).items():
                    console.print(_table(name, record["metrics"]))
                    console.print(f"wrote {suite.out / name}.json")
            except DexGraspError as error:
                failed += 1
                print(f"{suite.name}: {error}", file=sys.stderr)
            progress.advance(task)
    return failed


def _table(name: str, metrics: dict[str, Any]) -> Table:
    table = Table("", "", title=name)
    for metric, value in metrics.items():
        if metric != "seconds":
            table.add_row(metric, _words(value))
    return table


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_words(item)}" for name, item in value.items())
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return str(value)


def main(args: Sequence[str] | None = None) -> int:
    """Entry point; 1 if a suite failed."""
    chosen = parse(args)
    suites = chosen.suites() if isinstance(chosen, All) else [chosen]
    return 1 if run(suites, Console()) else 0


if __name__ == "__main__":
    sys.exit(main())
