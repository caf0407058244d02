"""Evaluate a policy: `python -m baselines.evaluate runs/state/policy.pt --out results/raw/state.json`.

Mean actions, a fixed number of episodes of every environment index, Wilson 95 % intervals; one raw JSON record.
Objects, starts, noise of depth and jitter of the camera are those of a tier, whatever the policy was trained on, so
that figures compare.
"""

import json
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import gymnasium
import tyro
from rich.console import Console
from rich.table import Table

import dexgrasp_envs  # noqa: F401  registers the environments
from dexgrasp_envs.config import EnvConfig, RandomisationConfig
from dexgrasp_envs.errors import ConfigError, RenderingError
from dexgrasp_envs.tiers import TierName, on_tier

from .adr import named_randomisation
from .checkpoint import CheckpointMeta, config_of, load_policy, require_env
from .evaluation import RATES, EvaluationResult, evaluate
from .policy import ActorCritic
from .record import Record, new_record, write_record
from .shuffled_images import ShuffledImages
from .statistics import Interval
from .stereo_student import StereoStudent
from .video import record_video


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
    tier: TierName = "easy"
    """Distribution of the episodes, see `dexgrasp_envs.tiers`."""
    shuffle_images: bool = False
    """Show every environment another one's images, to see whether the policy looks at them; not in the video."""
    out: Path = Path("runs/evaluation.json")
    """Where to write the raw record."""
    video: Path | None = None
    """Where to write a video of the first episodes of environment 0."""
    video_episodes: int = 4
    """Episodes in the video."""
    adr_level: int = 0
    """Level of randomisation of all episodes; at 0 nothing is randomised. The video is of level 0."""
    randomisation: str | None = None
    """Above level 0, randomise as one of `config.RANDOMISATIONS` says; as in training if None."""


@dataclass(frozen=True)
class Evaluation:
    """Outcomes of a checkpoint, and on what."""

    result: EvaluationResult
    """The episodes."""
    policy: ActorCritic | StereoStudent
    """What acted in them."""
    meta: CheckpointMeta
    """Of the checkpoint; its configuration is the one trained on."""
    config: EnvConfig
    """Configuration of the environment that was used."""
    fingerprint: str
    """Fingerprint of that environment."""
    shuffled_images: bool
    """Whether images were shuffled among environments."""
    tier: TierName
    """Distribution of the episodes."""
    adr_level: int = 0
    """Level of randomisation."""


def evaluation_config(meta: CheckpointMeta, tier: TierName = "easy") -> EnvConfig:
    """The configuration that a checkpoint was trained on, with what a tier decides and without randomisation.

    ConfigError for an unknown tier.
    """
    return on_tier(config_of(meta), tier).replace(randomisation=RandomisationConfig())


def randomised_config(meta: CheckpointMeta, name: str | None, tier: TierName = "easy") -> EnvConfig:
    """The same with the randomisation `name`, or with that of training; ConfigError if there is none."""
    ranges = config_of(meta).randomisation if name is None else named_randomisation(name)
    if ranges.nominal:
        raise ConfigError("--adr-level takes ranges, and the policy was trained without: give --randomisation too")
    return evaluation_config(meta, tier).replace(randomisation=ranges)


def evaluate_checkpoint(
    path: Path,
    num_envs: int,
    episodes_per_env: int,
    seed: int,
    shuffle_images: bool = False,
    tier: TierName = "easy",
    adr_level: int = 0,
    randomisation: str | None = None,
) -> Evaluation:
    """Evaluate a checkpoint on its `evaluation_config`, on request seeing the images of other environments.

    Above `adr_level` 0 it is the `randomised_config`.

    Raises:
        ConfigError: Images are to be shuffled, but it sees none; or there is no such tier, level or randomisation.
        CheckpointError: It is unreadable, or robot, scene, objects or spaces have changed since it was trained. The
            fingerprint holds what the tier changes, so the comparison is with an environment as in training.
    """
    policy, meta = load_policy(path)
    with closing(gymnasium.make_vec(meta.env_id, num_envs=1, config=config_of(meta))) as trained_on:
        require_env(meta, trained_on, meta.actor_groups)
    config = randomised_config(meta, randomisation, tier) if adr_level else evaluation_config(meta, tier)
    with closing(gymnasium.make_vec(meta.env_id, num_envs=num_envs, config=config)) as env:
        fingerprint = env.unwrapped.fingerprint  # type: ignore[attr-defined]
        if adr_level:
            env.unwrapped.set_adr_level(adr_level)  # type: ignore[attr-defined]
        actor = ShuffledImages(policy, seed) if shuffle_images else policy
        result = evaluate(actor, env, episodes_per_env, seed)
    return Evaluation(result, policy, meta, config, fingerprint, shuffle_images, tier, adr_level)


def evaluate_as(args: Args) -> Evaluation:
    """Evaluate as arguments say; raises as `evaluate_checkpoint`."""
    return evaluate_checkpoint(
        args.checkpoint, args.num_envs, args.episodes_per_env, args.seed, args.shuffle_images, args.tier,
        args.adr_level, args.randomisation,
    )  # fmt: skip


def make_record(args: Args, evaluation: Evaluation) -> Record:
    """The record: everything to regenerate the figures, and every episode.

    `config`, `config_hashes` and `fingerprint` are those of the evaluation; `checkpoint` has those of training.
    """
    result, meta = evaluation.result, evaluation.meta
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
        "config_hash",
        "fingerprint",
        "ppo",
        "run",
    )
    hashes = {meta.env_id: evaluation.config.hash()}
    record = new_record("evaluation", result.summary(), hashes, args.seed, "baselines.evaluate", _arguments(args))
    return record | {
        "env_id": meta.env_id,
        "tier": evaluation.tier,
        "config": json.loads(evaluation.config.to_json()),
        "fingerprint": evaluation.fingerprint,
        "checkpoint": {name: about[name] for name in known},
        "num_envs": args.num_envs,
        "episodes_per_env": args.episodes_per_env,
        "shuffled_images": evaluation.shuffled_images,
        "adr_level": evaluation.adr_level,
        "object_names": list(result.object_names),
        "episodes": {name: values.tolist() for name, values in result.episodes.items()},
    }


def _arguments(args: Args) -> list[str]:
    """The command line that writes the same record."""
    numbers = ["--num-envs", args.num_envs, "--episodes-per-env", args.episodes_per_env, "--seed", args.seed]
    tier = [] if args.tier == "easy" else ["--tier", args.tier]
    shuffle = ["--shuffle-images"] if args.shuffle_images else []
    level = ["--adr-level", str(args.adr_level)] if args.adr_level else []
    ranges = [] if args.randomisation is None else ["--randomisation", args.randomisation]
    return [str(args.checkpoint), *map(str, numbers), *tier, *shuffle, *level, *ranges, "--out", str(args.out)]


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


def film(evaluation: Evaluation, path: Path, episodes: int, seed: int, console: Console) -> None:
    """Write a video of the policy in the environment that it was evaluated in, or say why there is none."""
    try:
        frames = record_video(evaluation.policy, evaluation.meta.env_id, evaluation.config, path, episodes, seed)
        console.print(f"wrote {path} ({frames} frames)")
    except RenderingError as error:
        console.print(f"no video: {error}")


def main() -> None:
    """Entry point."""
    args = tyro.cli(Args, description=__doc__)
    console = Console()
    evaluation = evaluate_as(args)
    title = f"{args.checkpoint.name} on {evaluation.meta.env_id}, {args.tier}, {evaluation.meta.steps:,} training steps"
    if args.shuffle_images:
        title += ", images shuffled among environments"
    if args.adr_level:
        title += f", randomisation at level {args.adr_level}"
    console.print(results_table(title, evaluation.result))
    write_record(args.out, make_record(args, evaluation))
    console.print(f"wrote {args.out}")
    if args.video is not None:
        film(evaluation, args.video, args.video_episodes, args.seed, console)


if __name__ == "__main__":
    main()
