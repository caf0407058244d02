"""The suites: their settings, and the records that they write."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import tyro

from baselines import evaluate
from baselines.checkpoint import read
from baselines.record import Record, new_record, read_record, write_record
from baselines.shipped import CHECKPOINTS, evaluate_and_save, evaluate_shipped, shipped
from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.errors import CheckpointError
from dexgrasp_envs.registration import DEPTH_ID
from dexgrasp_envs.tiers import TierName

from .grasps import grasps
from .progress import Tell
from .render import render
from .robot_fit import robot_fit
from .throughput import ENVS, throughput, work_config
from .transport import transport

DATA_FOLDER = "FOLDER_WITH_URDF_AND_MESHES"
"""Stands in commands for the folder that somebody keeps the real meshes in."""


@dataclass(frozen=True, kw_only=True)
class Suite(ABC):
    """What all suites have."""

    quick: bool = False
    """Small settings, to see that all works; figures in other settings are not comparable."""
    out: Path = Path("runs/benchmark")
    """Folder of the records; records of the same name are replaced."""

    @abstractmethod
    def run(self, tell: Tell) -> dict[str, Record]:
        """Measure, write the records, and return them by name."""

    @property
    def name(self) -> str:
        """As on the command line."""
        return type(self).__name__.lower()


@dataclass(frozen=True, kw_only=True)
class Measured(Suite):
    """A suite that writes one record, which has its name."""

    def run(self, tell: Tell) -> dict[str, Record]:
        """Measure, and write the record."""
        metrics = self.measure(tell)
        record = new_record(
            self.name, metrics, self.config_hashes(), self.seed_of_record(), "benchmark.run", self.arguments()
        )
        write_record(self.out / f"{self.name}.json", record)
        return {self.name: record}

    @abstractmethod
    def measure(self, tell: Tell) -> dict[str, Any]:
        """The figures of the suite."""

    def config_hashes(self) -> dict[str, str]:
        """Hash of the configuration of every environment that is measured, by id."""
        return {}

    def seed_of_record(self) -> int:
        """Seed of what is measured."""
        return 0

    def arguments(self) -> list[str]:
        """The command line, after `benchmark.run`, that writes this record alone."""
        usual = vars(QUICK[type(self)]) if self.quick else {field.name: field.default for field in fields(self)}
        words = [self.name, *(["--quick"] if self.quick else [])]
        for name, value in vars(self).items():
            if value != usual[name]:
                # Somebody's own folders are of no use to others.
                values = [DATA_FOLDER] if name == "data" else value if isinstance(value, tuple) else [value]
                words += [f"--{name.replace('_', '-')}", *map(str, values)]
        return words


@dataclass(frozen=True, kw_only=True)
class OfPolicy(Measured):
    """A suite whose workload is that of a policy."""

    checkpoint: Path = CHECKPOINTS / "state_adr.pt"
    """Policy whose grasps are the workload."""

    def config_hashes(self) -> dict[str, str]:
        """The configuration that the policy works in."""
        meta = read(self.checkpoint)[0]
        return {meta.env_id: work_config(meta).hash()}


@dataclass(frozen=True, kw_only=True)
class Throughput(OfPolicy):
    """State env-steps/s against bare MuJoCo, where a step's time goes, and scaling over environments."""

    num_envs: int = 256
    """Environments stepped together."""
    steps: int = 30
    """Actions in a round."""
    rounds: int = 5
    """Rounds of each competitor, in turn."""
    warm_up: int = 60
    """Actions before the recording starts: time to reach and grasp."""
    sizes: tuple[int, ...] = ENVS
    """Numbers of environments of the scaling curve."""

    def measure(self, tell: Tell) -> dict[str, Any]:
        """The figures of the suite."""
        return throughput(self.checkpoint, self.num_envs, self.steps, self.rounds, self.warm_up, self.sizes, tell)


@dataclass(frozen=True, kw_only=True)
class Render(OfPolicy):
    """Depth frames/s, stereo pairs/s and depth env-steps/s, against OpenGL and against the State id."""

    num_envs: int = 64
    """Environments stepped together."""
    steps: int = 30
    """Actions in a round."""
    rounds: int = 5
    """Rounds of each competitor."""
    warm_up: int = 60
    """Actions before the recording starts: time to reach and grasp."""

    def measure(self, tell: Tell) -> dict[str, Any]:
        """The figures of the suite."""
        return render(self.checkpoint, self.num_envs, self.steps, self.rounds, self.warm_up, tell)

    def config_hashes(self) -> dict[str, str]:
        """That of the policy, and the same with depth."""
        config = work_config(read(self.checkpoint)[0]).observing("depth")
        return super().config_hashes() | {DEPTH_ID: config.hash()}


@dataclass(frozen=True, kw_only=True)
class Grasps(OfPolicy):
    """Are a policy's grasps real? Forces, penetration and speeds."""

    episodes: int = 20
    """Environments, one episode each."""
    seed: int = 1000
    """Seed of the environments."""

    def measure(self, tell: Tell) -> dict[str, Any]:
        """The figures of the suite."""
        tell(f"{self.episodes} episodes")
        return grasps(self.checkpoint, self.episodes, self.seed)

    def seed_of_record(self) -> int:
        """That of the environments."""
        return self.seed


@dataclass(frozen=True, kw_only=True)
class Transport(Measured):
    """What it costs that environments live in another process, and what two groups of them win."""

    num_envs: int = 64
    """Depth environments stepped together."""
    steps: int = 20
    """Steps in a round."""
    rounds: int = 9
    """Rounds of each competitor, in turn."""
    batch: int = 64
    """Size of a batch of images, MiB."""
    soak: int = 10_000
    """Steps over which memory is watched."""

    def measure(self, tell: Tell) -> dict[str, Any]:
        """The figures of the suite."""
        return transport(self.num_envs, self.steps, self.rounds, self.batch, self.soak, tell)

    def config_hashes(self) -> dict[str, str]:
        """That of the Depth id as it is."""
        return {DEPTH_ID: EnvConfig().observing("depth").hash()}


@dataclass(frozen=True, kw_only=True)
class RobotFit(Measured):
    """Silhouette IoU and depth error of the robot's primitives against the real meshes."""

    data: Path
    """Folder with the URDF and its `meshes/`."""
    postures: int = 20
    """Random postures."""
    seed: int = 0
    """Seed of the postures."""

    def measure(self, tell: Tell) -> dict[str, Any]:
        """The figures of the suite."""
        tell(f"{self.postures} postures")
        return robot_fit(self.data, self.postures, self.seed)

    def seed_of_record(self) -> int:
        """That of the postures."""
        return self.seed


@dataclass(frozen=True, kw_only=True)
class OfShipped(Suite):
    """A suite that evaluates shipped checkpoints."""

    checkpoints: Path = CHECKPOINTS
    """Folder of the checkpoints."""
    num_envs: int = 60
    """Environments stepped together."""
    episodes_per_env: int = 10
    """Episodes counted of every environment."""
    seed: int = 1000
    """Seed of the environments; training uses small ones."""


@dataclass(frozen=True, kw_only=True)
class Success(OfShipped):
    """Success of every shipped checkpoint on every tier, and with shuffled images: one evaluation record each."""

    policies: tuple[str, ...] = ()
    """Names of those to evaluate; all by default."""
    tiers: tuple[TierName, ...] = ("easy", "full", "hard")
    """Distributions of the episodes; images are shuffled on the first one."""

    def run(self, tell: Tell) -> dict[str, Record]:
        """Evaluate; CheckpointError, with all reasons, if one does not fit any more, after the others."""
        reasons: list[str] = []
        chosen = shipped(self.checkpoints, self.policies)
        evaluations = evaluate_shipped(
            chosen, self.num_envs, self.episodes_per_env, self.seed, self.out, tell, reasons.append, self.tiers
        )
        if reasons:
            raise CheckpointError("; ".join(reasons))
        return {name: read_record(self.out / f"{name}.json") for name in evaluations}


@dataclass(frozen=True, kw_only=True)
class Adr(OfShipped):
    """Success of policies that are told the state by level of the paper's randomisation: one evaluation record each."""

    policies: tuple[str, ...] = ("state", "state_adr")
    """Names of those to evaluate."""
    levels: tuple[int, ...] = (10, 20, 30, 40, 50)
    """Of randomisation; level 0 is the record of the tier."""
    tier: TierName = "full"
    """Distribution of the episodes."""

    def run(self, tell: Tell) -> dict[str, Record]:
        """Evaluate, and write the records."""
        usual = (self.num_envs, self.episodes_per_env, self.seed, self.tier)
        records = {}
        for path in shipped(self.checkpoints, self.policies):
            for level in self.levels:
                name = f"{path.stem}_{self.tier}_level{level}"
                tell(name)
                out = self.out / f"{name}.json"
                evaluate_and_save(evaluate.Args(path, *usual, out=out, adr_level=level, randomisation="paper"))
                records[name] = read_record(out)
        return records


WITHOUT_DATA: Sequence[type[Suite]] = (Throughput, Render, Transport, Grasps, Success, Adr)
"""Suites of `all`: those that need nothing which is not part of the project."""
QUICK: dict[type[Suite], Any] = {
    Throughput: Throughput(quick=True, num_envs=64, steps=10, rounds=3, warm_up=30, sizes=(1, 8, 64)),
    Render: Render(quick=True, num_envs=16, steps=10, rounds=3, warm_up=30),
    Transport: Transport(quick=True, num_envs=16, steps=5, rounds=3, batch=16, soak=100),
    Grasps: Grasps(quick=True, episodes=10),
    RobotFit: RobotFit(quick=True, data=tyro.MISSING, postures=5),
    Success: Success(quick=True, episodes_per_env=1, tiers=("easy",)),
    Adr: Adr(quick=True, episodes_per_env=1, levels=(25,)),
}
"""Settings with `--quick`."""
