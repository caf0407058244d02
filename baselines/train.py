"""Train a policy with PPO: `python -m baselines.train DexGrasp/KukaAllegro-State-v0 --minutes 30 --out runs/state`.

A run folder holds `first.pt` (before any update), `latest.pt` (resume from it), `policy.pt` (small, to evaluate or
ship), `progress.csv` (one line an iteration) and TensorBoard logs.
"""

import csv
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import gymnasium
import tyro
from gymnasium.vector import VectorEnv
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from stable_baselines3.common import logger

import dexgrasp_envs  # noqa: F401  registers the environments
from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.errors import ConfigError

from .checkpoint import CheckpointMeta, config_of, read_training
from .policy import default_groups
from .ppo import PPO
from .ppo_config import PPOConfig
from .rollout_collector import saved_num_envs

COLUMNS = (
    "steps", "iterations", "seconds", "success_at_end", "success_share", "success_once", "lifted", "return", "length",
    "kl", "lr", "std", "entropy", "clip_share", "policy_loss", "value_loss", "bound_loss", "explained_variance",
    "diverged", "steps_per_second", "env_seconds", "inference_seconds", "update_seconds",
)  # fmt: skip
NUM_ENVS = 256
"""Environments of a new run, by default."""
STATE_CONFIG = EnvConfig(privileged=True)
"""The default environment, with privileged observations for the critic."""
EXAMPLES = """
examples:
  python -m baselines.train DexGrasp/KukaAllegro-State-v0 --minutes 30 --seed 1 --out runs/state
  python -m baselines.train DexGrasp/KukaAllegro-State-v0 --minutes 30 --blind --out runs/blind
  python -m baselines.train DexGrasp/KukaAllegro-State-v0 --minutes 30 --resume runs/state/latest.pt --out runs/state
"""


@dataclass(frozen=True)
class Args:
    """Train a policy with PPO."""

    env_id: Annotated[str, tyro.conf.Positional]
    """Gymnasium id of the environment."""
    minutes: float | None = 30.0
    """Stop after this many minutes of training in this call; None for no limit."""
    steps: int | None = None
    """Stop when training has taken this many environment steps, those before a resume included."""
    seed: int = 1
    """Seed of environment, networks, exploration and minibatches."""
    out: Path = Path("runs/latest")
    """Folder of this run."""
    num_envs: int | None = None
    """Environments stepped together; 256, or the checkpoint's. After a resume with another number, episodes restart."""
    blind: bool = False
    """Hide the object from the actor: it reads `proprio` alone. The row that every results table needs."""
    resume: Path | None = None
    """Checkpoint to go on from; its hyper-parameters, configuration, seed and groups are kept: others are an error."""
    checkpoint_minutes: float = 3.0
    """Time between two writes of latest.pt."""
    ppo: PPOConfig = field(default_factory=PPOConfig)
    """Hyper-parameters."""
    env: EnvConfig = STATE_CONFIG
    """Configuration of the environment; the critic reads the privileged observations."""


def make_learner(args: Args) -> PPO:
    """The learner that `args` ask for, new or resumed, with its environment.

    Raises:
        ConfigError: `args` ask for something else than the checkpoint that they resume from.
        CheckpointError: That checkpoint cannot be resumed from.
    """
    if args.resume is not None:
        meta, payload = read_training(args.resume)
        _require_no_conflict(args, meta)
        num_envs = saved_num_envs(payload["rollouts"]) if args.num_envs is None else args.num_envs
        return PPO.load(args.resume, gymnasium.make_vec(args.env_id, num_envs=num_envs, config=config_of(meta)))
    env = gymnasium.make_vec(
        args.env_id, num_envs=NUM_ENVS if args.num_envs is None else args.num_envs, config=args.env
    )
    actor, critic = default_groups(env.single_observation_space, args.blind)  # type: ignore[arg-type]
    return PPO(env, args.ppo, actor, critic, args.seed)


def train(args: Args, console: Console | None = None) -> PPO:
    """Train until a limit of `args` or an interrupt; leaves the run folder described above. Closes the environment.

    Raises:
        ConfigError: A limit is not positive, or `args` contradict the checkpoint that they resume from.
    """
    for name in ("minutes", "steps", "checkpoint_minutes"):
        value = getattr(args, name)
        if value is not None and not value > 0:
            raise ConfigError(f"--{name.replace('_', '-')} must be positive, got {value}")
    console = console or Console()
    learner = make_learner(args)
    note = _plain(args)
    console.print(plan(learner))
    if learner.iterations and learner.collector.obs is None:
        console.print(f"episodes start anew: the checkpoint was not made with {learner.n_envs} environments")
    args.out.mkdir(parents=True, exist_ok=True)
    learner.set_logger(logger.configure(str(args.out / "tensorboard"), ["tensorboard"]))
    if args.resume is None:
        learner.save_policy(args.out / "first.pt", note)
    kept = [] if args.resume is None else _rows_until(args.out / "progress.csv", learner.num_timesteps)
    start = saved = perf_counter()
    with _interrupts() as interrupts, _progress_bar(console) as bar, _csv(args.out, kept) as rows:
        task = bar.add_task("training", total=1.0, note="")
        done = _share_done(args, learner.num_timesteps, 0.0)
        while done < 1.0 and not interrupts:
            record = learner.iterate()
            rows.writerow({name: record.get(name, "") for name in COLUMNS})
            now = perf_counter()
            done = _share_done(args, learner.num_timesteps, now - start)
            bar.update(task, completed=done, note=_note(record))
            if now - saved > 60 * args.checkpoint_minutes:
                learner.save(args.out / "latest.pt", note)
                saved = now
    learner.save(args.out / "latest.pt", note)
    learner.save_policy(args.out / "policy.pt", note)
    learner.vector_env.close()
    minutes = learner.seconds / 60
    console.print(f"{learner.num_timesteps:,} steps, {minutes:.1f} minutes; wrote {args.out / 'policy.pt'}")
    return learner


def plan(learner: PPO) -> Table:
    """What is about to run: who observes what, how much memory it takes, and the configuration's hash."""
    env: VectorEnv = learner.vector_env
    config = env.unwrapped.config  # type: ignore[attr-defined]
    table = Table(title=f"PPO on {env.spec.id if env.spec else env}", show_header=False)
    widths = {group: box.shape for group, box in learner.observation_space.spaces.items()}
    for name, groups in (("actor", learner.actor_groups), ("critic", learner.critic_groups)):
        table.add_row(f"{name} observes", ", ".join(f"{group} {widths[group]}" for group in groups))
    table.add_row("environments x steps", f"{learner.n_envs} x {learner.n_steps}")
    table.add_row("episode", f"{config.max_steps} steps, {config.episode.seconds:g} s")
    table.add_row("rollout buffer", f"{learner.rollout_buffer.nbytes / 2**20:.1f} MiB")
    table.add_row("parameters", f"{sum(p.numel() for p in learner.policy.parameters()):,}")
    table.add_row("configuration hash", config.hash())
    table.add_row("seed, threads", f"{learner.seed}, {learner.threads}")
    if learner.iterations:
        table.add_row("resumed at", f"{learner.num_timesteps:,} steps, {learner.seconds / 60:.1f} minutes")
    return table


def _require_no_conflict(args: Args, meta: CheckpointMeta) -> None:
    """`ConfigError` if an argument differs from its default and from the checkpoint, which would prevail."""
    asked = {"ppo": asdict(args.ppo), "env": args.env, "seed": args.seed, "blind": args.blind}
    usual = {"ppo": asdict(PPOConfig()), "env": STATE_CONFIG, "seed": Args.seed, "blind": False}
    saved = {"ppo": {k: tuple(v) if isinstance(v, list) else v for k, v in meta.ppo.items()}, "env": config_of(meta)}
    saved |= {"seed": meta.seed, "blind": meta.blind}
    for name, value in asked.items():
        if value != usual[name] and value != saved[name]:
            raise ConfigError(
                f"--{name} differs from what {args.resume} was trained with, and a resumed run keeps that; "
                f"leave --{name} out, or start a new run without --resume"
            )


def _share_done(args: Args, steps: int, seconds: float) -> float:
    by_time = seconds / (60 * args.minutes) if args.minutes is not None else 0.0
    return min(1.0, max(by_time, steps / args.steps if args.steps is not None else 0.0))


def _note(record: dict[str, float]) -> str:
    shown = (("success", "success_at_end"), ("share", "success_share"), ("lifted", "lifted"))
    rates = "  ".join(f"{name} {record[key]:.1%}" for name, key in shown if key in record)
    return f"{record['steps']:,} steps {record['steps_per_second']:,.0f}/s  {rates}"


def _progress_bar(console: Console) -> Progress:
    return Progress(BarColumn(20), TimeElapsedColumn(), TextColumn("{task.fields[note]}"), console=console)


@contextmanager
def _csv(folder: Path, kept: list[dict[str, str]]) -> Iterator["csv.DictWriter[str]"]:
    """`progress.csv` beginning with the rows `kept`, flushed line by line so that it can be watched."""
    with (folder / "progress.csv").open("w", newline="", buffering=1) as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(kept)
        yield writer


def _rows_until(path: Path, steps: int) -> list[dict[str, str]]:
    """Whole rows of a progress.csv up to `steps`: those after the checkpoint belong to training that was lost."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if None not in row.values() and int(row["steps"]) <= steps]


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM, so that training ends after the iteration at hand and saves."""
    caught: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda received, _: caught.append(received)) for number in numbers]
    try:
        yield caught
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _plain(args: Args) -> dict[str, Any]:
    """The arguments as JSON can hold them; hyper-parameters and configuration are in the checkpoint anyway."""
    values = asdict(args)
    return {name: str(v) if isinstance(v, Path) else v for name, v in values.items() if name not in ("ppo", "env")}


def main() -> None:
    """Entry point."""
    train(tyro.cli(Args, description=(__doc__ or "") + EXAMPLES))


if __name__ == "__main__":
    main()
