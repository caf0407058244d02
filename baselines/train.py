"""Train a policy with PPO: `python -m baselines.train DexGrasp/KukaAllegro-State-v0 --minutes 30 --out runs/state`.

A run folder holds `first.pt` (before any update), `latest.pt` (resume from it), `policy.pt` (small, to evaluate or
ship), `progress.csv` (one line an iteration) and TensorBoard logs.
"""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import gymnasium
import tyro
from gymnasium.vector import VectorEnv
from rich.console import Console
from rich.table import Table
from stable_baselines3.common import logger

import dexgrasp_envs  # noqa: F401  registers the environments
from dexgrasp_envs.config import ADR_LEVELS, EnvConfig, ObservationConfig
from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.registration import ID_GROUPS

from .adr import named_randomisation
from .checkpoint import CheckpointMeta, config_of, hyper_parameters, read_training
from .memory import keep_freed_memory
from .policy import default_groups
from .ppo import PPO
from .ppo_config import DEPTH_PPO, PPOConfig
from .rollout_collector import saved_num_envs
from .run_folder import interrupts, outcomes, progress_bar, progress_csv, rows_until
from .simulators import make_envs

COLUMNS = (
    "steps", "iterations", "seconds", "success_at_end", "success_share", "success_once", "lifted", "return", "length",
    "success_now", "adr_level", "kl", "lr", "std", "entropy", "clip_share", "policy_loss", "value_loss", "bound_loss",
    "position_error", "explained_variance",
    "diverged", "server_losses",
    "steps_per_second", "observed_mb_per_second", "env_seconds", "inference_seconds", "update_seconds",
)  # fmt: skip
NUM_ENVS = 256
"""Environments of a new run, by default."""
STATE_CONFIG = EnvConfig(observation=ObservationConfig(groups=("privileged",)))
"""The default environment, with privileged observations for the critic."""
DEPTH_CONFIG = EnvConfig(observation=ObservationConfig(groups=("privileged",), image_size=(48, 64)))
"""The same with images small enough to learn from on two cores."""
EXAMPLES = """
examples:
  python -m baselines.train DexGrasp/KukaAllegro-State-v0 --minutes 30 --seed 1 --out runs/state
  python -m baselines.train DexGrasp/KukaAllegro-State-v0 --minutes 30 --blind --out runs/blind
  python -m baselines.train DexGrasp/KukaAllegro-State-v0 --minutes 30 --resume runs/state/latest.pt --out runs/state
  python -m baselines.train DexGrasp/KukaAllegro-Depth-v0 --minutes 120 --sim spawn:2 --out runs/depth
  python -m baselines.train DexGrasp/KukaAllegro-Depth-v0 --minutes 15 --start-from runs/dagger/policy.pt --sim spawn:2
  python -m baselines.train DexGrasp/KukaAllegro-Depth-v0 --sim tcp://a:5555 --keys my_keys --groups 2 --out runs/far
  python -m baselines.train DexGrasp/KukaAllegro-State-v0 --randomisation paper --minutes 240 --out runs/adr
  python -m baselines.train DexGrasp/KukaAllegro-Depth-v0 --env.observation.image-size 60 80 --out runs/depth60
"""


@dataclass(frozen=True)
class Args:
    """Train a policy with PPO. `ppo` and `env` default to what suits state ids; `default_args` suits any id."""

    env_id: Annotated[str, tyro.conf.Positional]
    """Gymnasium id of the environment."""
    minutes: float | None = 30.0
    """Stop after this many minutes of training in this call, those of learning to see beforehand not counted; None for
    no limit."""
    steps: int | None = None
    """Stop when training has taken this many environment steps, those before a resume included."""
    seed: int = 1
    """Seed of environment, networks, exploration and minibatches."""
    out: Path = Path("runs/latest")
    """Folder of this run."""
    num_envs: int | None = None
    """Environments stepped together; 256, or the checkpoint's. After a resume with another number, episodes restart."""
    sim: str | None = None
    """Where environments run: "spawn:2" in two processes, "tcp://a:5555,..." on servers; in this process if None."""
    keys: Path | None = None
    """Folder of `dexgrasp keys`, if the servers of --sim have keys."""
    groups: int = 1
    """With 2, half of the environments of --sim are stepped while the policy acts for the others; servers that run
    already must have as many (`dexgrasp serve --groups 2`). It helps where the two do not share their cores."""
    on_server_loss: str = "raise"
    """When a simulator of --sim is lost: "raise" ends training, "wait" waits for it, "mask" goes on without its rows
    until it is back. Those of "spawn:K" are started again."""
    blind: bool = False
    """Hide the object from the actor: it reads `proprio` alone. The row that every results table needs."""
    resume: Path | None = None
    """Checkpoint to go on from; its hyper-parameters, configuration, seed and groups are kept: others are an error."""
    start_from: Path | None = None
    """Checkpoint whose policy a new run begins with, such as a student of baselines.distill; all else is new."""
    checkpoint_minutes: float = 3.0
    """Time between two writes of latest.pt."""
    randomisation: str | None = None
    """Randomise as one of `config.RANDOMISATIONS` says; the level rises with success. As in `env` if None."""
    adr_level: int = 0
    """Level of randomisation to begin with."""
    ppo: PPOConfig = field(default_factory=PPOConfig)
    """Hyper-parameters."""
    env: EnvConfig = STATE_CONFIG
    """Configuration of the environment; the critic reads the privileged observations."""


def default_args(env_id: str) -> Args:
    """What to train an id with where nothing else is asked for."""
    return Args(env_id, ppo=DEPTH_PPO, env=DEPTH_CONFIG) if "depth" in _id_groups(env_id) else Args(env_id)


def make_learner(args: Args) -> PPO:
    """The learner that `args` ask for, new or resumed, with its environment.

    Raises:
        ConfigError: `args` ask for something else than the checkpoint that they resume from, or for two beginnings.
        CheckpointError: That checkpoint cannot be resumed from, or the one to start from does not fit.
    """
    if args.resume is not None and args.start_from is not None:
        raise ConfigError("--resume goes on with a run and --start-from begins a new one; leave one of them out")
    if args.resume is not None:
        meta, payload = read_training(args.resume)
        _require_no_conflict(args, meta)
        num_envs = saved_num_envs(payload["rollouts"]) if args.num_envs is None else args.num_envs
        return PPO.load(args.resume, _make_env(args, num_envs, config_of(meta)))
    env = _make_env(args, NUM_ENVS if args.num_envs is None else args.num_envs, env_config(args))
    actor, critic = default_groups(env.single_observation_space, args.blind)  # type: ignore[arg-type]
    learner = PPO(env, args.ppo, actor, critic, args.seed, args.adr_level)
    if args.start_from is not None:
        learner.start_from(args.start_from)
    return learner


def env_config(args: Args) -> EnvConfig:
    """The configuration that `args` ask for; ConfigError for a randomisation of an unknown name."""
    if args.randomisation is None:
        return args.env
    return args.env.replace(randomisation=named_randomisation(args.randomisation))


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
    keep_freed_memory()
    learner = make_learner(args)
    note = _note_of(args, learner)
    console.print(plan(learner, args.sim))
    if learner.iterations and learner.collector.obs is None:
        console.print(f"episodes start anew: the checkpoint was not made with {learner.n_envs} environments")
    args.out.mkdir(parents=True, exist_ok=True)
    learner.set_logger(logger.configure(str(args.out / "tensorboard"), ["tensorboard"]))
    if args.resume is None:
        learner.save_policy(args.out / "first.pt", note)
    kept = [] if args.resume is None else rows_until(args.out / "progress.csv", learner.num_timesteps)
    with interrupts() as caught, progress_bar(console) as bar, progress_csv(args.out, COLUMNS, kept) as rows:
        task = bar.add_task("training", total=1.0, note="")
        if learner.sight_training is not None and not learner.iterations and learner.started_from is None:
            for share, words in learner.warm_up():
                bar.update(task, completed=share, note=words)
        start = saved = perf_counter()
        done = _share_done(args, learner.num_timesteps, perf_counter() - start)
        while done < 1.0 and not caught:
            record = learner.iterate()
            rows.writerow(record)
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


def plan(learner: PPO, sim: str | None = None) -> Table:
    """What is about to run: who observes what, how much memory it takes, and the configuration's hash."""
    env: VectorEnv = learner.vector_env
    config = env.unwrapped.config  # type: ignore[attr-defined]
    table = Table(title=f"PPO on {env.spec.id if env.spec else env}", show_header=False)
    widths = {group: box.shape for group, box in learner.observation_space.spaces.items()}
    for name, groups in (("actor", learner.actor_groups), ("critic", learner.critic_groups)):
        table.add_row(f"{name} observes", ", ".join(f"{group} {widths[group]}" for group in groups))
    table.add_row("environments x steps", f"{learner.n_envs} x {learner.n_steps}")
    apart = len(learner.collector.groups)
    table.add_row("simulators", (sim or "in this process") + (f", {apart} groups" if apart > 1 else ""))
    for group, stored in learner.rollout_buffer.obs.items():
        if stored.ndim == 5:
            nbytes = stored[0, 0].nbytes
            rate = f"{nbytes / 2**10:.1f} KiB each, {nbytes / 1e3:.1f} MB/s at 1,000 steps/s"
            table.add_row("images", f"{group} {str(stored.dtype).removeprefix('torch.')}, {rate}")
    table.add_row("episode", f"{config.max_steps} steps, {config.episode.seconds:g} s")
    table.add_row("rollout buffer", f"{learner.rollout_buffer.nbytes / 2**20:.1f} MiB")
    table.add_row("parameters", f"{sum(p.numel() for p in learner.policy.parameters()):,}")
    if learner.adr is not None:
        table.add_row("level of randomisation", f"{learner.adr.level} of {ADR_LEVELS}")
    table.add_row("configuration hash", config.hash())
    table.add_row("seed, threads", f"{learner.seed}, {learner.threads}")
    if learner.started_from is not None:
        table.add_row("begins with", f"{learner.started_from['path']}, {learner.started_from['steps']:,} steps")
        for difference in learner.started_from["other_task"]:
            table.add_row("its task", difference)
    if learner.iterations:
        table.add_row("resumed at", f"{learner.num_timesteps:,} steps, {learner.seconds / 60:.1f} minutes")
    return table


def _require_no_conflict(args: Args, meta: CheckpointMeta) -> None:
    """`ConfigError` if an argument differs from its default and from the checkpoint, which would prevail."""
    assert args.resume is not None
    if args.adr_level:
        raise ConfigError("a resumed run goes on at the level that it has reached; leave --adr-level out")
    usual = default_args(args.env_id)
    saved = {"ppo": hyper_parameters(meta, args.resume), "seed": meta.seed, "blind": meta.blind}
    for name, value in (saved | {"env": config_of(meta)}).items():
        asked = env_config(args) if name == "env" else getattr(args, name)
        effective = asked.observing(*_id_groups(args.env_id)) if isinstance(asked, EnvConfig) else asked
        if asked != getattr(usual, name) and effective != value:
            raise ConfigError(
                f"--{name} differs from what {args.resume} was trained with, and a resumed run keeps that; "
                f"leave --{name} out, or start a new run without --resume"
            )


def _id_groups(env_id: str) -> tuple[str, ...]:
    """What an id observes besides `proprio` and the groups that are asked for."""
    return ID_GROUPS.get(env_id, ())


def _make_env(args: Args, num_envs: int, config: EnvConfig) -> VectorEnv:
    return make_envs(args.env_id, num_envs, config, args.sim, args.keys, args.groups, args.on_server_loss)


def _share_done(args: Args, steps: int, seconds: float) -> float:
    by_time = seconds / (60 * args.minutes) if args.minutes is not None else 0.0
    return min(1.0, max(by_time, steps / args.steps if args.steps is not None else 0.0))


def _note(record: dict[str, float]) -> str:
    rates = outcomes(record)
    if "position_error" in record:
        rates += f"  sees to {record['position_error']:.0f} cm"
    if "adr_level" in record:
        rates += f"  ADR {record['adr_level']:.0f}"
    speed = f"{record['steps_per_second']:,.0f}/s {record['observed_mb_per_second']:.1f} MB/s"
    return f"{record['steps']:,} {speed}  {rates}"


def _note_of(args: Args, learner: PPO) -> dict[str, Any]:
    """The arguments as JSON can hold them; of `ppo` and `env`, which the checkpoint has in full, what is not usual."""
    values, usual = asdict(args), default_args(args.env_id)
    usual_env = env_config(replace(usual, randomisation=args.randomisation)).observing(*_id_groups(args.env_id))
    config: EnvConfig = learner.vector_env.unwrapped.config  # type: ignore[attr-defined]
    values["ppo"] = _changed(asdict(learner.config), asdict(usual.ppo))
    values["env"] = _changed(asdict(config), asdict(usual_env))
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def _changed(values: Mapping[str, Any], usual: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """What differs, by names with dots."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _changed(value, usual[name], f"{path}{name}.")
        elif value != usual[name]:
            found[path + name] = value
    return found


def main() -> None:
    """Entry point. What the arguments leave out depends on the id among them."""
    named = [word for word in sys.argv[1:] if word in gymnasium.registry]
    default = default_args(named[0]) if named else tyro.MISSING_NONPROP
    train(tyro.cli(Args, description=(__doc__ or "") + EXAMPLES, default=default))


if __name__ == "__main__":
    main()
