"""Results of several policies as a table and a figure, from their raw records."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd

from dexgrasp_envs.errors import ConfigError

from .evaluation import RATES

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def read_records(folder: Path) -> dict[str, dict[str, Any]]:
    """Evaluation records of a folder by name, those of the best policies first; ConfigError if there are none."""
    records = {}
    for path in sorted(folder.glob("*.json")):
        record = json.loads(path.read_text())
        if record.get("kind") == "evaluation":
            records[path.stem] = record
    if not records:
        raise ConfigError(f"there is no evaluation record in {folder}; write one with baselines.evaluate --out")
    return dict(sorted(records.items(), key=lambda item: -item[1]["summary"]["success_at_end"]["rate"]))


def results_frame(records: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """One row a record: rates in per cent with Wilson 95 % intervals, episodes, training steps and minutes."""
    rows = []
    for name, record in records.items():
        summary, checkpoint = record["summary"], record["checkpoint"]
        row: dict[str, Any] = {"policy": name, "environment": record["env_id"].removeprefix("DexGrasp/KukaAllegro-")}
        for rate in RATES:
            values = (100 * summary[rate][key] for key in ("rate", "low", "high"))
            row[rate] = "{:.1f} [{:.1f}, {:.1f}]".format(*values)
        row["success_share"] = f"{100 * summary['success_share']:.1f}"
        row["episodes"] = summary["episodes"]
        row["steps (M)"] = f"{checkpoint['steps'] / 1e6:.2f}"
        row["minutes"] = f"{checkpoint['seconds'] / 60:.1f}"
        row["config"] = record["config_hash"]
        rows.append(row)
    return pd.DataFrame(rows)


def write_tables(records: dict[str, dict[str, Any]], folder: Path) -> None:
    """`results.md` and `results.csv`."""
    frame = results_frame(records)
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / "results.csv", index=False)
    (folder / "results.md").write_text(markdown(list(frame.columns), frame.to_numpy().tolist()))


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def draw_rates(records: dict[str, dict[str, Any]], path: Path) -> None:
    """Success at the end of the episode with its interval, one bar a policy."""
    rates = [record["summary"]["success_at_end"] for record in records.values()]
    middle = [100 * rate["rate"] for rate in rates]
    errors = [
        [100 * (rate["rate"] - rate["low"]) for rate in rates],
        [100 * (rate["high"] - rate["rate"]) for rate in rates],
    ]
    figure, axes = plt.subplots(figsize=(7, 0.5 + 0.45 * len(rates)), layout="constrained")
    axes.barh(list(records), middle, xerr=errors, color="#4477aa", ecolor="#222222", capsize=3)
    axes.invert_yaxis()
    axes.set(xlim=(0, 100), xlabel="success at end of episode, % (95 % interval)")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)
