"""The whole loop in minutes: `python -m baselines.demo`, which is `make demo`.

Two simulator processes serve depth images to one learner, which trains a depth policy for a few minutes; then this
policy and every shipped one are evaluated, with records, a table, a figure and a video. All of it goes to `runs/`.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

import dexgrasp_envs  # noqa: F401  registers the environments
from dexgrasp_envs.errors import CheckpointError

from . import evaluate, train
from .evaluate import Evaluation, evaluate_checkpoint, film, words
from .evaluation import EvaluationResult
from .record import write_json
from .results_table import draw_rates, read_records, results_frame, write_tables
from .statistics import paired_difference

ROOT = Path(__file__).parents[1]
"""Of the project, where commands are run."""
RESULTS = ROOT / "results"
"""Committed results, with the shipped checkpoints."""
SEED = 1000
"""Seed of the evaluations."""
EXAMPLES = """
examples:
  python -m baselines.demo                                # from scratch: the hand learns to see and to reach
  python -m baselines.demo --resume                       # go on from the shipped depth policy
  python -m baselines.demo --minutes 0.1 --update-results # evaluate what is shipped anew, and replace results/
"""


@dataclass(frozen=True)
class Args:
    """Train a depth policy for a few minutes from two simulator processes; evaluate it and what is shipped."""

    env_id: str = "DexGrasp/KukaAllegro-Depth-v0"
    """Gymnasium id of the environment to train on."""
    minutes: float = 3.5
    """Minutes of training."""
    sim: str | None = "spawn:2"
    """Where environments run while training."""
    resume: bool = False
    """Go on from the shipped depth policy in place of a new one."""
    seed: int = 1
    """Seed of training."""
    episodes: int = 60
    """Episodes of every evaluation, one in each of as many environments."""
    out: Path = Path("runs/demo")
    """Folder for everything that is written."""
    update_results: bool = False
    """Evaluate the shipped policies over 600 episodes and replace records, table and figure in `results/`."""


def demo(args: Args, console: Console) -> None:
    """Train, evaluate, compare, film."""
    trained = args.out / "train"
    settings = train.default_args(args.env_id)
    start = RESULTS / "checkpoints" / "depth.pt" if args.resume else None
    train.train(
        replace(settings, minutes=args.minutes, seed=args.seed, sim=args.sim, out=trained, start_from=start), console
    )
    first, last = (evaluate_checkpoint(trained / name, args.episodes, 1, SEED) for name in ("first.pt", "policy.pt"))
    console.print(comparison(first.result, last.result))
    save(last, trained / "policy.pt", args.out / "raw" / "demo.json", args.episodes, 1)
    shipped = evaluate_shipped(args, console)
    records = read_records(args.out / "raw")
    write_tables(records, args.out / "tables")
    draw_rates(records, args.out / "figures" / "success.png")
    console.print(results_table(records))
    if args.update_results:
        records = read_records(RESULTS / "raw")
        write_tables(records, RESULTS / "tables")
        draw_rates(records, RESULTS / "figures" / "success.png")
    film(shipped.get("depth", last), args.out / "policy.mp4", 3, SEED, console)
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


def evaluate_shipped(args: Args, console: Console) -> dict[str, Evaluation]:
    """Evaluations of every shipped checkpoint by name, with their records; those that do not fit any more are told."""
    evaluations = {}
    per_env = 10 if args.update_results else 1
    for path in sorted((RESULTS / "checkpoints").glob("*.pt")):
        with console.status(f"evaluating {path.name}"):
            try:
                for shuffled in (False, True) if evaluate.sees(path) else (False,):
                    name = f"{path.stem}_shuffled" if shuffled else path.stem
                    evaluation = evaluate_checkpoint(path, args.episodes, per_env, SEED, shuffled)
                    evaluations[name] = evaluation
                    save(evaluation, path, args.out / "raw" / f"{name}.json", args.episodes, per_env)
                    if args.update_results:
                        save(evaluation, path, RESULTS / "raw" / f"{name}.json", args.episodes, per_env)
            except CheckpointError as error:
                console.print(f"{path.name} is left out: {error}")
    return evaluations


def save(evaluation: Evaluation, checkpoint: Path, out: Path, num_envs: int, episodes_per_env: int) -> None:
    """Write the raw record of an evaluation, with the command that repeats it alone."""
    checkpoint, out = (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path for path in (checkpoint, out))
    about = evaluate.Args(checkpoint, num_envs, episodes_per_env, SEED, evaluation.shuffled_images, out)
    write_json(ROOT / out, evaluate.make_record(about, evaluation))


def results_table(records: dict[str, dict[str, Any]]) -> Table:
    """The main columns of evaluation records, narrow enough for a terminal."""
    frame = results_frame(records)[["policy", "success_at_end", "lifted", "episodes"]]
    table = Table(*(str(column) for column in frame.columns), title="per cent [95 % interval], mean actions")
    for row in frame.itertuples(index=False):
        table.add_row(*map(str, row))
    return table


def main() -> None:
    """Entry point."""
    demo(tyro.cli(Args, description=(__doc__ or "") + EXAMPLES), Console())


if __name__ == "__main__":
    main()
