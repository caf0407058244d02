"""Learning in minutes: `python -m baselines.demo`.

Trains the state id from scratch, then evaluates the policy before and after on the same episodes.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

import dexgrasp_envs  # noqa: F401  registers the environments
from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.errors import CheckpointError

from . import train
from .checkpoint import read
from .evaluate import Evaluation, evaluate_checkpoint, evaluation_config, film, words
from .evaluation import EvaluationResult
from .statistics import paired_difference

SHIPPED = Path(__file__).parents[1] / "results" / "checkpoints" / "state.pt"


@dataclass(frozen=True)
class Args:
    """Train for a few minutes and compare the first with the last policy."""

    minutes: float = 5.0
    """Minutes of training."""
    seed: int = 1
    """Seed of training."""
    env_id: str = "DexGrasp/KukaAllegro-State-v0"
    """Gymnasium id of the environment."""
    out: Path = Path("runs/demo")
    """Folder of the run, with its video."""
    episodes: int = 64
    """Environments in the comparison, one episode each, the same for every policy."""
    env: EnvConfig = train.STATE_CONFIG
    """Configuration of the environment."""


def comparison(first: EvaluationResult, last: EvaluationResult) -> Table:
    """First against last policy: rates with Wilson intervals, paired difference with bootstrap interval."""
    table = Table(
        "", "before training", "after", "difference", title="the same episodes before and after, 95 % intervals"
    )
    for name in ("lifted", "success_at_end"):
        change = paired_difference(first.episodes[name], last.episodes[name])
        points = f"{100 * change.estimate:+.1f} points [{100 * change.low:+.1f}, {100 * change.high:+.1f}]"
        table.add_row(name, words(first.rate(name)), words(last.rate(name)), points)
    return table


def demo(args: Args, console: Console) -> None:
    """Train, compare, film; and show the shipped policy where it fits."""
    train.train(train.Args(args.env_id, minutes=args.minutes, seed=args.seed, out=args.out, env=args.env), console)
    first = evaluate_checkpoint(args.out / "first.pt", args.episodes, 1, seed=1000)
    last = evaluate_checkpoint(args.out / "policy.pt", args.episodes, 1, seed=1000)
    console.print(comparison(first.result, last.result))
    if SHIPPED.exists():
        console.print(f"the shipped policy on these episodes: {shipped_words(last, args.episodes)}")
    film(last, args.out / "policy.mp4", 3, 1000, console)


def shipped_words(last: Evaluation, episodes: int) -> str:
    """How the shipped policy does on the episodes of `last`, or why it was left out."""
    try:
        meta, _ = read(SHIPPED)
        if (meta.env_id, evaluation_config(meta)) != (last.meta.env_id, last.config):
            return "left out, as it was made for another environment or configuration"
        shipped = evaluate_checkpoint(SHIPPED, episodes, 1, seed=1000)
    except CheckpointError as error:
        return f"left out: {error}"
    return f"success_at_end {words(shipped.result.rate('success_at_end'))}"


def main() -> None:
    """Entry point."""
    demo(tyro.cli(Args, description=__doc__), Console())


if __name__ == "__main__":
    main()
