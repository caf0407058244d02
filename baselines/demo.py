"""The whole loop in minutes: `python -m baselines.demo`, which is `make demo`.

Two simulator processes serve depth images to one learner, which trains a depth policy for a few minutes; then this
policy and every shipped one are evaluated, with records, a table, a figure and a video. All of it goes to `runs/`.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

import dexgrasp_envs  # noqa: F401  registers the environments

from . import evaluate, train
from .evaluate import evaluate_checkpoint, film, words
from .evaluation import EvaluationResult
from .record import read_records
from .result_table import ResultTable
from .shipped import CHECKPOINTS, ROOT, evaluate_and_save, evaluate_shipped, shipped
from .statistics import paired_difference
from .success_table import draw_success, success_table

SEED = 1000
"""Seed of the evaluations."""
EXAMPLES = """
examples:
  python -m baselines.demo           # from scratch: the hand learns to see and to reach
  python -m baselines.demo --resume  # go on from the shipped depth policy
"""


@dataclass(frozen=True)
class Args:
    """Train a depth policy for a few minutes from two simulator processes; evaluate it and what is shipped."""

    env_id: str = "DexGrasp/KukaAllegro-Depth-v0"
    """Gymnasium id of the environment to train on."""
    minutes: float = 2.0
    """Minutes of training, those of learning to see beforehand not counted."""
    sim: str | None = "spawn:2"
    """Where environments run while training, as in baselines.train."""
    keys: Path | None = None
    """Folder of `dexgrasp keys`, if the servers of --sim have keys."""
    resume: bool = False
    """Go on from the shipped depth policy in place of a new one."""
    seed: int = 1
    """Seed of training."""
    episodes: int = 60
    """Episodes of every evaluation, one in each of as many environments."""
    out: Path = Path("runs/demo")
    """Folder for everything that is written."""


def demo(args: Args, console: Console) -> None:
    """Train, evaluate, compare, film."""
    checkpoints = shipped(ROOT / CHECKPOINTS)
    trained = args.out / "train"
    settings = train.default_args(args.env_id)
    start = ROOT / CHECKPOINTS / "depth.pt" if args.resume else None
    settings = replace(settings, minutes=args.minutes, seed=args.seed, out=trained, start_from=start)
    train.train(replace(settings, sim=args.sim, keys=args.keys), console)
    raw = args.out / "raw"
    usual = evaluate.Args(trained / "policy.pt", args.episodes, 1, SEED, out=raw / "demo.json")
    first, last = evaluate_checkpoint(trained / "first.pt", args.episodes, 1, SEED), evaluate_and_save(usual)
    console.print(comparison(first.result, last.result))
    with console.status("evaluating") as status:
        evaluations = evaluate_shipped(
            checkpoints, args.episodes, 1, SEED, raw, lambda name: status.update(f"evaluating {name}"),
            console.print,
        )  # fmt: skip
    records = read_records(raw)
    table = success_table(records)
    table.write(args.out / "tables")
    draw_success(records, args.out / "figures" / "success.png")
    console.print(short_table(table))
    film(evaluations.get("depth", last), args.out / "policy.mp4", 3, SEED, console)
    console.print(
        f"everything is in {args.out}/: raw/, tables/, figures/, policy.mp4, train/ (TensorBoard logs, progress.csv)"
    )


def comparison(first: EvaluationResult, last: EvaluationResult) -> Table:
    """First against last policy: paired differences with bootstrap intervals."""
    table = Table(
        "", "before", "after", "difference", title="the same episodes before and after training, 95 % intervals"
    )
    for name in ("return", "lifted", "success_at_end"):
        before, after = first.episodes[name], last.episodes[name]
        change = paired_difference(before, after)
        if name == "return":
            texts = [f"{values.mean():.1f}" for values in (before, after)]
            table.add_row(name, *texts, f"{change.estimate:+.1f} [{change.low:+.1f}, {change.high:+.1f}]")
        else:
            points = f"{100 * change.estimate:+.1f} points [{100 * change.low:+.1f}, {100 * change.high:+.1f}]"
            table.add_row(name, words(first.rate(name)), words(last.rate(name)), points)
    return table


def short_table(results: ResultTable) -> Table:
    """The main columns of the results, narrow enough for a terminal."""
    frame = results.shown[["policy", "success_at_end", "lifted", "episodes"]]
    table = Table(*(str(column) for column in frame.columns), title="per cent [95 % interval], mean actions")
    for row in frame.itertuples(index=False):
        table.add_row(*map(str, row))
    return table


def main() -> None:
    """Entry point."""
    demo(tyro.cli(Args, description=(__doc__ or "") + EXAMPLES), Console())


if __name__ == "__main__":
    main()
