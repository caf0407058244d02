"""Evaluate a policy: `python -m baselines.evaluate runs/state/policy.pt --out results/raw/state.json`.

Mean actions, a fixed number of episodes of every environment index, Wilson 95 % intervals; one raw JSON record.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import gymnasium
import tyro
from rich.console import Console
from rich.table import Table

import dexgrasp_envs  # noqa: F401  registers the environments
from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.errors import RenderingError

from .checkpoint import CheckpointMeta, load_policy, require_env
from .evaluation import RATES, EvaluationResult, evaluate
from .policy import ActorCritic
from .record import provenance, write_json
from .statistics import Interval
from .video import record_video

RECORD_SCHEMA = 1


@dataclass(frozen=True)
class Args:
    """Evaluate a policy."""

    checkpoint: Annotated[Path, tyro.conf.Positional]
    """Checkpoint of baselines.train; policy.pt and latest.pt both serve."""
    num_envs: int = 60
    """Environments stepped together."""
    episodes_per_env: int = 10
    """Episodes counted of every environment index."""
    seed: int = 1000
    """Seed of the environments; training uses small ones."""
    out: Path = Path("runs/evaluation.json")
    """Where to write the raw record."""
    video: Path | None = None
    """Where to write a video of the first episodes of environment 0."""
    video_episodes: int = 4
    """Episodes in the video."""


def evaluate_checkpoint(
    path: Path, num_envs: int, episodes_per_env: int, seed: int
) -> tuple[EvaluationResult, ActorCritic, CheckpointMeta]:
    """Evaluate a checkpoint on the environment and configuration that it was trained on."""
    policy, meta = load_policy(path)
    env = gymnasium.make_vec(meta.env_id, num_envs=num_envs, config=EnvConfig.from_json(meta.config))
    try:
        require_env(meta, env, meta.actor_groups)
        return evaluate(policy, env, episodes_per_env, seed), policy, meta
    finally:
        env.close()


def make_record(args: Args, result: EvaluationResult, meta: CheckpointMeta) -> dict[str, Any]:
    """The raw record: everything to regenerate the figures, and every episode."""
    about = asdict(meta) | {"path": str(args.checkpoint), "blind": meta.blind}
    known = (
        "path",
        "kind",
        "steps",
        "iterations",
        "seconds",
        "seed",
        "blind",
        "actor_groups",
        "critic_groups",
        "ppo",
        "run",
    )
    return {
        "schema": RECORD_SCHEMA,
        "kind": "evaluation",
        "env_id": meta.env_id,
        "config": json.loads(meta.config),
        "config_hash": meta.config_hash,
        "fingerprint": meta.fingerprint,
        "checkpoint": {name: about[name] for name in known},
        "seed": args.seed,
        "num_envs": args.num_envs,
        "episodes_per_env": args.episodes_per_env,
        **provenance("baselines.evaluate"),
        "summary": result.summary(),
        "object_names": list(result.object_names),
        "episodes": {name: values.tolist() for name, values in result.episodes.items()},
    }


def words(interval: Interval) -> str:
    """A rate with its interval, in per cent."""
    return f"{interval.estimate:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def results_table(title: str, result: EvaluationResult) -> Table:
    """Rates over all episodes, then success by object."""
    table = Table("", "rate [95 % interval]", "episodes", title=title)
    summary = result.summary()
    for name in RATES:
        table.add_row(name, words(result.rate(name)), str(summary["episodes"]))
    table.add_row("success_share", f"{summary['success_share']:.1%}", "")
    table.add_row("mean return", f"{summary['mean_return']:.2f}", "")
    table.add_row("diverged", str(summary["diverged"]), "", end_section=True)
    for label, (interval, episodes) in result.by_object("success_at_end").items():
        table.add_row(label, words(interval), str(episodes))
    return table


def film(policy: ActorCritic, meta: CheckpointMeta, path: Path, episodes: int, seed: int, console: Console) -> None:
    """Write a video, or say why there is none."""
    try:
        frames = record_video(policy, meta.env_id, EnvConfig.from_json(meta.config), path, episodes, seed)
        console.print(f"wrote {path} ({frames} frames)")
    except RenderingError as error:
        console.print(f"no video: {error}")


def main() -> None:
    """Entry point."""
    args = tyro.cli(Args, description=__doc__)
    console = Console()
    result, policy, meta = evaluate_checkpoint(args.checkpoint, args.num_envs, args.episodes_per_env, args.seed)
    console.print(results_table(f"{args.checkpoint.name} on {meta.env_id}, {meta.steps:,} training steps", result))
    write_json(args.out, make_record(args, result, meta))
    console.print(f"wrote {args.out}")
    if args.video is not None:
        film(policy, meta, args.video, args.video_episodes, args.seed, console)


if __name__ == "__main__":
    main()
