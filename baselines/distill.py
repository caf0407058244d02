"""Teach a student that sees what a policy knows: `python -m baselines.distill --teacher runs/state/policy.pt`.

First the student's encoder learns to see, then the student imitates the teacher online (DAgger): the teacher drives
less and less, and always says what it would do. PPO can go on from a depth student: its critic is the teacher's. A
stereo student remembers: it is recurrent, and learns from stretches of a second.

A run folder holds `latest.pt` (resume from it), `policy.pt` (small, to evaluate, ship, or go on from),
`progress.csv` (one line for 16 steps of all environments) and TensorBoard logs.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import gymnasium
import torch
import tyro
from rich.console import Console
from rich.table import Table
from stable_baselines3.common import logger

import dexgrasp_envs  # noqa: F401  registers the environments
from dexgrasp_envs.errors import CheckpointError, ConfigError
from dexgrasp_envs.registration import DEPTH_ID, STEREO_ID
from dexgrasp_envs.remote.identity import differences

from . import checkpoint
from .dagger import REPORT_STEPS, Dagger, DaggerConfig, Student
from .memory import keep_freed_memory
from .policy import ActorCritic
from .ppo_config import DEPTH_PPO
from .run_folder import interrupts, outcomes, progress_bar, progress_csv, rows_until
from .sight_training import SightTraining
from .simulators import make_envs
from .stereo_student import StereoStudent, StereoStudentConfig
from .student import make_depth_student, make_stereo_student, require_teacher, student_config, teaching_config

COLUMNS = (
    "steps", "iterations", "seconds", "teacher_share", "action_error", "position_error_cm", "success_at_end",
    "success_share", "success_once", "lifted", "return", "length", "action_loss", "position_loss", "lr",
    "steps_per_second", "env_seconds", "learning_seconds",
)  # fmt: skip
STUDENTS = {"depth": DEPTH_ID, "stereo": STEREO_ID}
"""Id of the environment that a student of each kind acts in."""
KEPT = ("student", "teacher_minutes", "seed", "image_size", "noisy", "dagger")
"""Arguments that a resumed run must repeat."""
EXAMPLES = """
examples:
  python -m baselines.distill --teacher results/checkpoints/state.pt --minutes 5 --sim spawn:2 --out runs/dagger
  python -m baselines.distill --teacher results/checkpoints/depth.pt --student stereo --minutes 15 --sim spawn:2
  python -m baselines.distill --teacher results/checkpoints/state_adr.pt --noisy --minutes 25 --sim spawn:2
  python -m baselines.evaluate runs/dagger/policy.pt --out runs/dagger/evaluation.json
  python -m baselines.train DexGrasp/KukaAllegro-Depth-v0 --minutes 15 --start-from runs/dagger/policy.pt --sim spawn:2
"""


@dataclass(frozen=True)
class Args:
    """Distil a policy into a student that sees."""

    teacher: Path
    """Checkpoint of the policy to imitate; the student meets its task."""
    student: str = "depth"
    """What the student sees: "depth" or "stereo"."""
    minutes: float = 5.0
    """Length of the whole run, warm-up and what came before a resume included."""
    teacher_minutes: float = 2.0
    """Time from the end of the warm-up in which the teacher's share of the driving falls from 1 to 0."""
    seed: int = 1
    """Seed of environment, networks, exploration and samples."""
    out: Path = Path("runs/dagger")
    """Folder of this run."""
    num_envs: int = 256
    """Environments stepped together."""
    sim: str | None = None
    """Where environments run: "spawn:2" in two processes, "tcp://a:5555,..." on servers; in this process if None."""
    keys: Path | None = None
    """Folder of `dexgrasp keys`, if the servers of --sim have keys."""
    image_size: tuple[int, int] = (48, 64)
    """(height, width) of the student's images, pixels."""
    noisy: bool = False
    """Learn with the noise of depth and the jitter of the camera's pose that the tier "hard" has."""
    resume: Path | None = None
    """latest.pt of a run to go on with; give the arguments of that run again."""
    checkpoint_minutes: float = 3.0
    """Time between two writes of latest.pt."""
    dagger: DaggerConfig = field(default_factory=DaggerConfig)
    """Settings of learning."""


class Distillation:
    """A teacher, its student, and the environments in which they meet.

    Raises:
        ConfigError: The teacher reads what the environment does not deliver, or a resumed run has other arguments.
        CheckpointError: The teacher, or the run to resume, is unreadable, of another task or built in another way.
    """

    def __init__(self, args: Args) -> None:
        self.args = args
        self.steps = self.iterations = 0
        self.seconds = self.imitation_seconds = 0.0
        torch.manual_seed(args.seed)
        teacher, self.teacher_meta = checkpoint.load_actor_critic(args.teacher)
        goes_on = args.student == "depth"  # with PPO
        taught = checkpoint.config_of(self.teacher_meta)
        groups = ("privileged",) if goes_on else ()
        config = student_config(taught, args.image_size, *groups, noisy=args.noisy)
        taught_config = teaching_config(config, self.teacher_meta.actor_groups)
        self.env = make_envs(STUDENTS[args.student], args.num_envs, taught_config, args.sim, args.keys)
        try:
            require_teacher(self.teacher_meta, self.env, critic=goes_on)
            if self.teacher_meta.adr_level:
                self.env.unwrapped.set_adr_level(self.teacher_meta.adr_level)  # type: ignore[attr-defined]
            hidden = checkpoint.hyper_parameters(self.teacher_meta, args.teacher).hidden
            self.ppo = replace(DEPTH_PPO, hidden=hidden, encoder=args.dagger.encoder)
            self.student = self._make_student(teacher)
            with closing(gymnasium.make_vec(STUDENTS[args.student], num_envs=1, config=config)) as alone:
                self._environment = checkpoint.describe_env(alone, self.student.groups)
            self.dagger = Dagger(self.env, teacher, self.student, args.dagger)
            if args.resume is not None:
                self._resume(args.resume)
        except BaseException:
            self.env.close()
            raise

    def _make_student(self, teacher: ActorCritic) -> Student:
        if self.args.student == "depth":
            return make_depth_student(teacher, self.env, self.ppo)
        config = StereoStudentConfig(self.ppo.hidden, encoder=self.args.dagger.encoder)
        return make_stereo_student(teacher, self.env, config)

    @property
    def config_hash(self) -> str:
        """Of the environment that the student is made for."""
        return self._environment["config_hash"]

    @property
    def done(self) -> float:
        """Share of the run that is over."""
        return min(1.0, self.seconds / (60 * self.args.minutes))

    @property
    def teacher_share(self) -> float:
        """The teacher's share of the driving now."""
        return max(0.0, 1 - self.imitation_seconds / (60 * self.args.teacher_minutes))

    def warm_up(self) -> Iterator[str]:
        """Teach the encoder to see, before the first iteration; yields how it stands."""
        settings, begin = self.args.dagger, perf_counter()
        assert self.student.encoder is not None and self.student.sight is not None
        lesson = SightTraining(self.student.encoder, self.student.sight, settings.learning_rate)
        passes = lesson.warm_up(self.env, settings.warm_up_rounds, settings.warm_up_steps, self.args.seed)
        for _, steps, error in passes:
            self.steps = steps
            yield "collecting images" if error is None else f"learning to see, {error:.1f} cm"
        self.seconds += perf_counter() - begin

    def iterate(self) -> dict[str, float]:
        """Some steps of imitation; returns counters and what `Dagger.iterate` tells."""
        begin, settings = perf_counter(), self.args.dagger
        if self.dagger.obs is None:
            self.dagger.start(self.args.seed + self.iterations)
        fall = settings.final_learning_rate - settings.learning_rate
        record = self.dagger.iterate(self.teacher_share, settings.learning_rate + self.done * fall)
        seconds = perf_counter() - begin
        self.seconds += seconds
        self.imitation_seconds += seconds
        self.steps += REPORT_STEPS * self.env.num_envs
        self.iterations += 1
        return {"steps": self.steps, "iterations": self.iterations, "seconds": self.seconds} | record

    def save(self, path: Path) -> None:
        """Write a checkpoint to resume from; episodes and recent samples are not part of it."""
        payload = {
            "policy": self.student.state_dict(),
            "optimizer": self.dagger.optimizer.state_dict(),
            "rng": torch.get_rng_state(),
            "progress": {"imitation_seconds": self.imitation_seconds},
        }
        checkpoint.write(path, self._meta("distillation"), payload)

    def save_policy(self, path: Path) -> None:
        """Write the student alone, as of the environment that PPO trains it in."""
        checkpoint.write(path, self._meta("policy"), {"policy": self.student.state_dict()})

    def _resume(self, path: Path) -> None:
        meta, payload = checkpoint.read_training(path, "distillation")
        kept = {name: value for name, value in meta.run.items() if name in KEPT}
        found = list(differences(_plain(self.args), kept))
        if found:
            raise ConfigError(f"the run in {path} was started with other arguments: {'; '.join(found)}; repeat those")
        checkpoint.require_task(meta, self.env, self.student.groups)
        checkpoint.require_same_policy(meta, self._meta("distillation"), path)
        checkpoint.load_state(self.student, payload["policy"], path)
        try:
            self.dagger.optimizer.load_state_dict(payload["optimizer"])
            torch.set_rng_state(payload["rng"])
            self.imitation_seconds = float(payload["progress"]["imitation_seconds"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"the training state in {path} does not fit its metadata ({type(error).__name__}: {error}); it was "
                "damaged or written by another version: resume from another file"
            ) from error
        self.steps, self.iterations, self.seconds = meta.steps, meta.iterations, meta.seconds

    def _meta(self, kind: str) -> checkpoint.CheckpointMeta:
        teacher, student = self.teacher_meta, self.student
        assert student.sight is not None
        return checkpoint.CheckpointMeta(
            **self._environment,
            actor_groups=list(student.actor_groups),
            critic_groups=list(student.critic_groups),
            ppo=asdict(self.ppo) if isinstance(student, ActorCritic) else {},
            student=asdict(student.config) if isinstance(student, StereoStudent) else None,
            seed=self.args.seed,
            steps=self.steps,
            iterations=self.iterations,
            seconds=self.seconds,
            sight=asdict(student.sight),
            run=_plain(self.args) | {"teacher_steps": teacher.steps, "teacher_seconds": teacher.seconds},
            kind=kind,
        )


def distill(args: Args, console: Console | None = None) -> Distillation:
    """Distil until the time is over or an interrupt; leaves the run folder described above. Closes the environment.

    Raises:
        ConfigError: An argument is impossible or does not fit the teacher.
        CheckpointError: The teacher, or the run to resume, cannot be used.
    """
    _check(args)
    console = console or Console()
    keep_freed_memory()
    run = Distillation(args)
    with closing(run.env):
        console.print(plan(run))
        args.out.mkdir(parents=True, exist_ok=True)
        _train(run, console)
    minutes = run.seconds / 60
    console.print(f"{run.steps:,} steps, {minutes:.1f} minutes; wrote {args.out / 'policy.pt'}")
    return run


def plan(run: Distillation) -> Table:
    """What is about to run: who observes what, what it learns from, and how much memory that takes."""
    args, student = run.args, run.student
    table = Table(title=f"distillation in {STUDENTS[args.student]}", show_header=False)
    shapes = {name: box.shape for name, box in run.env.single_observation_space.spaces.items()}  # type: ignore[attr-defined]
    who = {"teacher": run.teacher_meta.actor_groups, "student": student.actor_groups, "critic": student.critic_groups}
    for name, groups in who.items():
        if not groups:
            continue
        table.add_row(f"{name} observes", ", ".join(f"{group} {shapes[group]}" for group in groups))
    table.add_row("teacher", f"{args.teacher}, {run.teacher_meta.steps:,} steps")
    table.add_row("environments", f"{run.env.num_envs}, {args.sim or 'in this process'}")
    recent = run.dagger.recent.nbytes / 2**20
    table.add_row("learns from", f"the last {args.dagger.recent_steps} steps, {recent:.1f} MiB")
    table.add_row("time", f"{args.minutes:g} minutes, warm-up included; the teacher helps for {args.teacher_minutes:g}")
    table.add_row("parameters", f"{sum(p.numel() for p in student.parameters()):,}")
    table.add_row("configuration hash", run.config_hash)
    if run.iterations:
        table.add_row("resumed at", f"{run.steps:,} steps, {run.seconds / 60:.1f} minutes")
    return table


def _train(run: Distillation, console: Console) -> None:
    out = run.args.out
    log = logger.configure(str(out / "tensorboard"), ["tensorboard"])
    kept = [] if run.args.resume is None else rows_until(out / "progress.csv", run.steps)
    with interrupts() as caught, progress_bar(console) as bar, progress_csv(out, COLUMNS, kept) as rows:
        task = bar.add_task("distilling", total=1.0, note="")
        if not run.iterations:
            for words in run.warm_up():
                bar.update(task, note=words)
        saved = perf_counter()
        while run.done < 1.0 and not caught:
            record = run.iterate()
            rows.writerow(record)
            for name, value in record.items():
                log.record(f"distill/{name}", value)
            log.dump(step=run.steps)
            bar.update(task, completed=run.done, note=_note(record))
            if perf_counter() - saved > 60 * run.args.checkpoint_minutes:
                run.save(out / "latest.pt")
                saved = perf_counter()
    log.close()
    run.save(out / "latest.pt")
    run.save_policy(out / "policy.pt")


def _check(args: Args) -> None:
    for name in ("minutes", "teacher_minutes", "checkpoint_minutes"):
        value = getattr(args, name)
        if not value > 0:
            raise ConfigError(f"--{name.replace('_', '-')} must be positive, got {value}")
    if args.student not in STUDENTS:
        raise ConfigError(f"--student must be one of {', '.join(STUDENTS)}, got {args.student!r}")


def _note(record: dict[str, float]) -> str:
    rates = outcomes(record)
    return (
        f"{record['steps']:,} steps {record['steps_per_second']:,.0f}/s  teacher {record['teacher_share']:.0%}  "
        f"off by {record['action_error']:.2f}, {record['position_error_cm']:.1f} cm  {rates}"
    )


def _plain(args: Args) -> dict[str, Any]:
    """The arguments as JSON holds them."""
    return json.loads(json.dumps(asdict(args), default=str))


def main() -> None:
    """Entry point."""
    distill(tyro.cli(Args, description=(__doc__ or "") + EXAMPLES))


if __name__ == "__main__":
    main()
