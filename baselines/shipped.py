"""Evaluate every shipped checkpoint, those that see with shuffled images too, and write their records."""

from collections.abc import Callable, Sequence
from pathlib import Path

from dexgrasp_envs.errors import CheckpointError, ConfigError

from . import evaluate
from .evaluate import Evaluation, evaluate_checkpoint
from .record import write_record

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
) -> dict[str, Evaluation]:
    """Evaluations of checkpoints by name, `NAME_shuffled` with shuffled images; each writes its record into `out`.

    Args:
        checkpoints: Their files.
        num_envs: Environments stepped together.
        episodes_per_env: Episodes counted of every environment.
        seed: Of the environments.
        out: Folder of the records.
        tell: Gets the name of what is evaluated now.
        leave_out: Gets a line on every checkpoint that does not fit the environments any more.
    """
    evaluations = {}
    for path in checkpoints:
        try:
            for shuffled in (False, True) if evaluate.sees(path) else (False,):
                name = f"{path.stem}_shuffled" if shuffled else path.stem
                tell(name)
                evaluations[name] = evaluate_checkpoint(path, num_envs, episodes_per_env, seed, shuffled)
                save(evaluations[name], path, out / f"{name}.json", num_envs, episodes_per_env, seed)
        except CheckpointError as error:
            leave_out(f"{path.name} is left out: {error}")
    return evaluations


def save(evaluation: Evaluation, checkpoint: Path, out: Path, num_envs: int, episodes_per_env: int, seed: int) -> None:
    """Write the record of an evaluation, with the command that repeats it alone."""
    policy, record = (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path for path in (checkpoint, out))
    tier, shuffled = evaluation.tier, evaluation.shuffled_images
    about = evaluate.Args(policy, num_envs, episodes_per_env, seed, tier, shuffled, record)
    write_record(out, evaluate.make_record(about, evaluation))
