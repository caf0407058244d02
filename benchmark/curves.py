"""Learning curves of `*_progress.csv`, and when each run first reached a level."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from baselines.plot import LEVELS, first_time
from baselines.record import Record, RecordError
from baselines.result_table import ResultTable

METRIC = "success_at_end"
_ENDING = "_progress.csv"


def read_curves(folder: Path, tell: Callable[[str], None]) -> dict[str, pd.DataFrame]:
    """Progress of each run by name, in the order of the names; what is not whole is skipped, with a line to `tell`."""
    curves = {}
    for path in sorted(folder.glob("*" + _ENDING), key=lambda path: path.name):
        try:
            curves[path.name.removesuffix(_ENDING)] = read_curve(path)
        except RecordError as error:
            tell(f"{path} is skipped: it {error}")
    return curves


def read_curve(path: Path) -> pd.DataFrame:
    """The progress of a run.

    Raises:
        RecordError: It is no table, ends within a line, lacks a column, or holds what is no progress.
    """
    try:
        if not path.read_bytes().endswith(b"\n"):
            raise RecordError("ends within a line")
        frame = pd.read_csv(path)
    except RecordError:
        raise
    except OSError as error:
        raise RecordError(f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise RecordError(f"is no table: {error}") from error
    if missing := [name for name in ("steps", "seconds", METRIC) if name not in frame]:
        raise RecordError(f"lacks the column {', '.join(missing)}")
    if frame.empty:
        raise RecordError("has no rows")
    numbers = frame[["steps", "seconds", METRIC]].apply(pd.to_numeric, errors="coerce")
    if not numbers[METRIC].isna().equals(frame[METRIC].isna()) or not numbers[METRIC].dropna().between(0, 1).all():
        raise RecordError(f"has values of {METRIC} outside 0 to 1")
    time = numbers[["steps", "seconds"]].to_numpy()
    if not np.isfinite(time).all() or (np.diff(time, axis=0) < 0).any():
        raise RecordError("has steps or seconds that are missing or fall")
    return frame


def curves_table(curves: Mapping[str, pd.DataFrame], records: Mapping[str, Record]) -> ResultTable:
    """When each run first reached the levels, with its command where the evaluation of that name tells it."""
    shown, numbers, commands = [], [], []
    for name, progress in curves.items():
        row: dict[str, object] = {"run": name, "steps": int(progress["steps"].iloc[-1])}
        row["minutes"] = float(progress["seconds"].iloc[-1]) / 60
        texts = {"run": name, "steps": f"{row['steps']:,}", "minutes": f"{row['minutes']:.1f}"}
        for level in LEVELS:
            time = first_time(progress, METRIC, level)
            row[f"steps to {level:.0%}"], row[f"minutes to {level:.0%}"] = (None, None) if time is None else time
            texts[f"first at {level:.0%}"] = "never" if time is None else f"{time[0]:,} steps, {time[1]:.1f} min"
        numbers.append(row)
        shown.append(texts)
        record = records.get(name, {})
        commands.append(training_command(record["checkpoint"].get("run", {})) if "checkpoint" in record else "")
    title = f"Training: steps, minutes, and when {METRIC} of the sampled policy first reached a level"
    return ResultTable("learning", title, pd.DataFrame(shown), pd.DataFrame(numbers, dtype=object), commands)


def training_command(run: Mapping[str, object]) -> str:
    """The command of a training run, from the settings that its checkpoint tells; empty if it tells none."""
    if "teacher" in run:
        words = ["python -m baselines.distill --teacher", str(run["teacher"])]
        names = ["minutes", "teacher_minutes", "sim", "seed"]
    elif "env_id" in run:
        words = ["python -m baselines.train", str(run["env_id"])]
        names = ["minutes", "steps", "sim", "seed"]
    else:
        return ""
    for name in names:
        if run.get(name) is not None or name == "minutes":
            words += [f"--{name.replace('_', '-')}", str(run.get(name))]
    for group in ("ppo", "env"):
        asked = run.get(group)
        for name, value in asked.items() if isinstance(asked, dict) else ():
            values = value if isinstance(value, list) else [value]
            words += [f"--{group}.{name.replace('_', '-')}", *map(str, values)]
    if run.get("randomisation") is not None:
        words += ["--randomisation", str(run["randomisation"])]
    if run.get("blind"):
        words.append("--blind")
    if isinstance(begun := run.get("start_from"), dict):
        words += ["--start-from", str(begun["path"])]
    return " ".join([*words, "--out", str(run.get("out"))])
