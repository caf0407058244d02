"""Run a benchmark suite: `python -m benchmark.run throughput`. Nothing else should run on the machine meanwhile."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table

from baselines.record import provenance, write_json

from .grasps import grasps
from .render import render
from .robot_fit import robot_fit
from .throughput import throughput

RECORD_SCHEMA = 1
EXAMPLES = """

examples:
  python -m benchmark.run throughput
  python -m benchmark.run throughput --num-envs 64 --out runs/throughput.json
  python -m benchmark.run grasps --episodes 20
  python -m benchmark.run render
  python -m benchmark.run robotfit --data FOLDER_WITH_URDF_AND_MESHES
"""


@dataclass(frozen=True)
class Throughput:
    """State env-steps/s against bare MuJoCo, where a step's time goes, and scaling over environments."""

    checkpoint: Path = Path("results/checkpoints/state.pt")
    """Policy whose grasps are the workload."""
    num_envs: int = 256
    """Environments stepped together."""
    steps: int = 30
    """Actions in a round."""
    rounds: int = 5
    """Rounds of each competitor, in turn."""
    warm_up: int = 60
    """Actions before the recording starts: time to reach and grasp."""
    out: Path = Path("runs/benchmark/throughput.json")
    """Where to write the record."""

    def measure(self) -> dict[str, Any]:
        """The figures of the suite."""
        return throughput(self.checkpoint, self.num_envs, self.steps, self.rounds, self.warm_up)


@dataclass(frozen=True)
class Grasps:
    """Are a policy's grasps real? Forces, penetration and speeds."""

    checkpoint: Path = Path("results/checkpoints/state.pt")
    """Policy to examine."""
    episodes: int = 20
    """Environments, one episode each."""
    seed: int = 1000
    """Seed of the environments."""
    out: Path = Path("runs/benchmark/grasps.json")
    """Where to write the record."""

    def measure(self) -> dict[str, Any]:
        """The figures of the suite."""
        return grasps(self.checkpoint, self.episodes, self.seed)


@dataclass(frozen=True)
class Render:
    """Depth frames/s, stereo pairs/s and depth env-steps/s, against OpenGL and against the State id."""

    checkpoint: Path = Path("results/checkpoints/state.pt")
    """Policy whose grasps are the workload."""
    num_envs: int = 64
    """Environments stepped together."""
    steps: int = 30
    """Actions in a round."""
    rounds: int = 5
    """Rounds of each competitor."""
    warm_up: int = 60
    """Actions before the recording starts: time to reach and grasp."""
    out: Path = Path("runs/benchmark/render.json")
    """Where to write the record."""

    def measure(self) -> dict[str, Any]:
        """The figures of the suite."""
        return render(self.checkpoint, self.num_envs, self.steps, self.rounds, self.warm_up)


@dataclass(frozen=True)
class RobotFit:
    """Silhouette IoU and depth error of the robot's primitives against the real meshes."""

    data: Path
    """Folder with the URDF and its `meshes/`."""
    postures: int = 20
    """Random postures."""
    seed: int = 0
    """Seed of the postures."""
    out: Path = Path("runs/benchmark/robotfit.json")
    """Where to write the record."""

    def measure(self) -> dict[str, Any]:
        """The figures of the suite."""
        return robot_fit(self.data, self.postures, self.seed)


Suite = (
    Annotated[Throughput, tyro.conf.subcommand("throughput")]
    | Annotated[Grasps, tyro.conf.subcommand("grasps")]
    | Annotated[Render, tyro.conf.subcommand("render")]
    | Annotated[RobotFit, tyro.conf.subcommand("robotfit")]
)


def main() -> None:
    """Entry point."""
    suite: Throughput | Grasps | Render | RobotFit = tyro.cli(Suite, description=__doc__ + EXAMPLES)
    name = type(suite).__name__.lower()
    metrics = suite.measure()
    console = Console()
    table = Table("", "", title=name)
    for metric, value in metrics.items():
        if metric != "seconds":
            table.add_row(metric, _words(value))
    console.print(table)
    write_json(suite.out, {"schema": RECORD_SCHEMA, "kind": name, **provenance("benchmark.run"), "metrics": metrics})
    console.print(f"wrote {suite.out}")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_words(item)}" for name, item in value.items())
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return str(value)


if __name__ == "__main__":
    main()
