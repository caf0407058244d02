"""Derive hand synergies from grasps of a policy: `python -m baselines.synergies results/checkpoints/state.pt`.

The hand's joints at the end of successful episodes, less the nominal posture; their first five principal directions,
not centred, so that an action of 0 stays the nominal posture. Compares the span with that of the hand-made synergies,
on episodes that were not used, and writes the Python file of figures that `ControlConfig.synergies = "pca"` selects.
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import gymnasium
import numpy as np
import numpy.typing as npt
import tyro
from rich.console import Console
from rich.table import Table

import dexgrasp_envs  # noqa: F401  registers the environments
from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.robots.kuka_allegro import kuka_allegro

from .checkpoint import load_policy
from .evaluate import evaluation_config

COMPONENTS = 5
"""Rows of a basis."""
MARGIN = 1.5
"""An activation of 1 reaches this much farther than all but the widest twentieth of the grasps, to press."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Args:
    """Derive hand synergies from grasps of a policy."""

    checkpoint: Annotated[Path, tyro.conf.Positional] = Path("results/checkpoints/state.pt")
    """Checkpoint of baselines.train."""
    num_envs: int = 48
    """Environments stepped together."""
    episodes_per_env: int = 2
    """Episodes of each."""
    seed: int = 2000
    """Seed of the environments."""
    out: Path = Path("dexgrasp_envs/robots/kuka_allegro_synergies.py")
    """The Python file to write."""


def grasps(args: Args) -> Floats:
    """Hand joints [M, 16], rad, at the end of the M successful episodes, in the order in which they ended.

    Raises:
        ConfigError: Too few episodes succeed to derive anything from.
    """
    policy, meta = load_policy(args.checkpoint)
    arm = kuka_allegro().arm_joints
    found = []
    with closing(gymnasium.make_vec(meta.env_id, num_envs=args.num_envs, config=evaluation_config(meta))) as env:
        raw = env.unwrapped
        begin, end = env.metadata["fields"]["proprio"]["joint_pos"]
        obs, _ = env.reset(seed=args.seed)
        for _ in range(args.episodes_per_env * raw.config.max_steps):  # type: ignore[attr-defined]
            obs, *_ = env.step(policy.predict(obs, deterministic=True)[0])
            final = raw.final_rows  # type: ignore[attr-defined]
            if len(final.index):
                found.append(final.obs["proprio"][final.info["success"], begin + arm : end])
    joints = np.concatenate(found).astype(np.float64) if found else np.zeros((0, 16))
    if len(joints) < 4 * COMPONENTS:
        raise ConfigError(f"only {len(joints)} episodes succeeded, {4 * COMPONENTS} are needed; take a better policy")
    return joints


def derive(offsets: Floats) -> Floats:
    """Basis [5, J] of offsets [M, J] from nominal: principal directions, as long as an activation of 1 is to reach.

    Most of each direction points towards positive joint angles.
    """
    directions = np.linalg.svd(offsets, full_matrices=False)[2][:COMPONENTS]
    directions *= np.where(directions.sum(1, keepdims=True) < 0, -1.0, 1.0)
    reach = np.quantile(np.abs(offsets @ directions.T), 0.95, axis=0)
    return MARGIN * reach[:, None] * directions


def explained(basis: Floats, offsets: Floats) -> float:
    """Share of the summed squares of offsets [M, J] that lies in the span of a basis [K, J]."""
    span = np.linalg.qr(basis.T)[0]
    return float(((offsets @ span) ** 2).sum() / (offsets**2).sum())


def comparison(offsets: Floats) -> tuple[Table, str]:
    """What the hand-made basis and one derived from half of the grasps explain of the other half, also in words."""
    fitted, held_out = offsets[::2], offsets[1::2]
    hand, derived = np.array(kuka_allegro().synergies), derive(fitted)
    table = Table("rows", "hand-made", "principal", title=f"Explained of {len(held_out)} held-out grasps")
    for rows in range(1, COMPONENTS + 1):
        shares = (explained(basis[:rows], held_out) for basis in (hand, derived))
        table.add_row(str(rows), *(f"{share:.1%}" for share in shares))
    own, made = (f"{explained(basis, held_out):.1%}" for basis in (derived, hand))
    return table, f"{own} of the held-out half, the hand-made ones {made}"


def source(basis: Floats, how: str) -> str:
    """The Python file that holds a basis; `how` says how it was made, whole sentences in lines of at most 120."""
    rows = "".join(f"    ({', '.join(f'{value:.2f}' for value in row)}),\n" for row in basis)
    head = "Hand synergies from grasps of a trained policy, written by `python -m baselines.synergies`."
    return (
        f'"""{head}\n\n{how}\n"""\n\n'
        f"# fmt: off\nPCA_SYNERGIES = (\n{rows})\n# fmt: on\n"
        '"""One row each, joints in canonical order, rad."""\n'
    )


def main() -> None:
    """Entry point."""
    args = tyro.cli(Args, description=__doc__)
    joints = grasps(args)
    offsets = joints - np.array(kuka_allegro().hand_nominal)
    table, words = comparison(offsets)
    Console().print(table)
    how = (
        f"From {len(joints)} successful episodes of {args.checkpoint} (seed {args.seed}): the hand's joints at their "
        f"end, less the\nnominal posture; principal directions, not centred, {MARGIN} times the 95th percentile of "
        f"what the grasps need.\nDerived from one half, five rows explain {words}."
    )
    args.out.write_text(source(derive(offsets), how))
    Console().print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
