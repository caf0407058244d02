"""Evaluate every shipped checkpoint, on all tiers and with shuffled images, and write their records."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from dexgrasp_envs.errors import CheckpointError, ConfigError
from dexgrasp_envs.tiers import TierName

from .checkpoint import read
from .evaluate import Args, Evaluation, evaluate_as, make_record
from .record import write_record
from .shuffled_images import has_images

ROOT = Path(__file__).parents[1]
"""Of the project, where commands are run."""
CHECKPOINTS = Path("results/checkpoints")
"""The shipped checkpoints, from there."""


def shipped(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Checkpoints of a folder in the order of their names, or those named alone.

    Raises:
        ConfigError: There are none, or a name is unknown; the message lists the valid ones.
    """
    paths = {path.stem: path for path in sorted(folder.glob("*.pt"))}
    if not paths:
        raise ConfigError(f"there are no checkpoints in {folder}; run this in the project's folder, or name another")
    if unknown := sorted(set(names) - set(paths)):
        raise ConfigError(f"{folder} has no policy {', '.join(unknown)}; valid are {', '.join(paths)}")
    return [path for name, path in paths.items() if not names or name in names]


def evaluate_shipped(
    checkpoints: Sequence[Path],
    num_envs: int,
    episodes_per_env: int,
    seed: int,
    out: Path,
    tell: Callable[[str], None],
    leave_out: Callable[[str], None],
    tiers: Sequence[TierName] = ("easy",),
) -> dict[str, Evaluation]:
    """Evaluations of checkpoints by name; each writes its record into `out`.

    Besides `NAME`, on the first tier, there are `NAME_shuffled` on the same with shuffled images, for those that see,
    and `NAME_TIER` on the other tiers, but for blind ones.

    Args:
        checkpoints: Their files.
        num_envs: Environments stepped together.
        episodes_per_env: Episodes counted of every environment.
        seed: Of the environments.
        out: Folder of the records.
        tell: Gets the name of what is evaluated now.
        leave_out: Gets a line on every checkpoint that does not fit the environments any more.
        tiers: On which tiers.
    """
    evaluations = {}
    for path in checkpoints:
        usual = Args(path, num_envs, episodes_per_env, seed, tiers[0])
        try:
            meta = read(path)[0]
            wanted = {path.stem: usual}
            if has_images(meta.actor_groups):
                wanted[f"{path.stem}_shuffled"] = replace(usual, shuffle_images=True)
            if not meta.blind:
                wanted |= {f"{path.stem}_{tier}": replace(usual, tier=tier) for tier in tiers[1:]}
            for name, args in wanted.items():
                tell(name)
                evaluations[name] = evaluate_and_save(replace(args, out=out / f"{name}.json"))
        except CheckpointError as error:
            leave_out(f"{path.name} is left out: {error}")
    return evaluations


def evaluate_and_save(args: Args) -> Evaluation:
    """Evaluate as `args` say, and write the record."""
    evaluation = evaluate_as(args)
    save(evaluation, args)
    return evaluation


def save(evaluation: Evaluation, args: Args) -> None:
    """Write the record of an evaluation, with the command that repeats it alone."""
    policy, record = (
        path.relative_to(ROOT) if path.is_relative_to(ROOT) else path for path in (args.checkpoint, args.out)
    )
    write_record(args.out, make_record(replace(args, checkpoint=policy, out=record), evaluation))
