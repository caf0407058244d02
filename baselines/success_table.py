"""Success of several policies as a table and a figure, from their evaluation records."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.tiers import TIERS

from .evaluation import RATES
from .figure import drawn
from .record import Record
from .result_table import ResultTable
from .shuffled_images import has_images

NOT_MEASURED = "not measured"


def evaluations(records: Mapping[str, Record]) -> dict[str, Record]:
    """The evaluation records without randomisation among `records` by tier, those of the best policies first."""
    chosen = [
        (name, record)
        for name, record in records.items()
        if record["kind"] == "evaluation" and not record.get("adr_level", 0)
    ]

    def place(item: tuple[str, Record]) -> tuple[int, float, str]:
        name, record = item
        return list(TIERS).index(tier(record)), -record["metrics"]["success_at_end"]["rate"], name

    return dict(sorted(chosen, key=place))


def success_table(records: Mapping[str, Record]) -> ResultTable:
    """One row an evaluation record, by tier, the best first: rates in per cent with Wilson 95 % intervals, and costs.

    A blind policy, and the shuffled images of every policy that sees, have a row also where they were not measured.

    Raises:
        ConfigError: There is no evaluation record.
    """
    chosen = evaluations(records)
    if not chosen:
        raise ConfigError("there is no evaluation among the records; write one with baselines.evaluate --out")
    shown = [_shown(name, record) for name, record in chosen.items()]
    numbers = [_numbers(name, record) for name, record in chosen.items()]
    commands = [record["command"] for record in chosen.values()]
    for name, command in missing(chosen):
        shown.append(dict.fromkeys(shown[0], "") | {"policy": name, "success_at_end": NOT_MEASURED})
        numbers.append(dict.fromkeys(numbers[0]) | {"policy": name})
        commands.append(command)
    title = "Success, per cent [Wilson 95 % interval], mean actions"
    # Whole numbers stay whole beside the empty cells of what was not measured.
    return ResultTable("success", title, pd.DataFrame(shown), pd.DataFrame(numbers, dtype=object), commands)


def missing(records: Mapping[str, Record]) -> list[tuple[str, str]]:
    """(name, command) of the blind and shuffled rows that evaluation records lack."""
    rows = []
    if not any(record["checkpoint"]["blind"] for record in records.values()):
        first = next(iter(records.values()))
        rows.append(("blind", f"python -m baselines.train {first['env_id']} --blind --out runs/blind"))
    shuffled = {record["checkpoint"]["path"] for record in records.values() if record["shuffled_images"]}
    for name, record in records.items():
        path = record["checkpoint"]["path"]
        if not record["shuffled_images"] and path not in shuffled and has_images(record["checkpoint"]["actor_groups"]):
            rows.append((f"{name}_shuffled", f"python -m baselines.evaluate {path} --shuffle-images"))
            shuffled.add(path)
    return rows


def draw_success(records: Mapping[str, Record], path: Path) -> None:
    """Success at the end of the episode with its interval, one bar a policy; blind and misled ones are grey."""
    chosen = evaluations(records)
    rates = [record["metrics"]["success_at_end"] for record in chosen.values()]
    misled = [record["shuffled_images"] or record["checkpoint"]["blind"] for record in chosen.values()]
    errors = [
        [max(0.0, 100 * (rate["rate"] - rate["low"])) for rate in rates],
        [max(0.0, 100 * (rate["high"] - rate["rate"])) for rate in rates],
    ]
    with drawn(path, 7, 0.7 + 0.4 * len(rates)) as (axes,):
        colours = ["#999999" if blind else "#4477aa" for blind in misled]
        axes.barh(list(chosen), [100 * rate["rate"] for rate in rates], xerr=errors, color=colours, capsize=3)
        axes.invert_yaxis()
        axes.set(xlim=(0, 100), xlabel="success at end of episode, % (95 % interval)")


def tier(record: Record) -> str:
    """Distribution of the episodes; records from before there were tiers are of the first."""
    return str(record.get("tier", "easy"))


def policy_of(record: Record) -> str:
    """Name of the policy's checkpoint."""
    return Path(record["checkpoint"]["path"]).stem


def rate_texts(metrics: Mapping[str, Any]) -> dict[str, str]:
    """The rates of an evaluation with their intervals, in per cent."""
    return {
        rate: "{:.1f} [{:.1f}, {:.1f}]".format(*(100 * metrics[rate][key] for key in ("rate", "low", "high")))
        for rate in RATES
    }


def rate_numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The same with all digits: `NAME`, `NAME_low` and `NAME_high`."""
    ends = {"": "rate", "_low": "low", "_high": "high"}
    return {rate + ending: metrics[rate][key] for rate in RATES for ending, key in ends.items()}


def _seen(record: Record) -> list[str]:
    return [group for group in record["checkpoint"]["actor_groups"] if group != "proprio"]


def _environment(record: Record) -> str:
    return str(record["env_id"]).removeprefix("DexGrasp/KukaAllegro-")


def _shown(name: str, record: Record) -> dict[str, str]:
    metrics, checkpoint = record["metrics"], record["checkpoint"]
    observes = ", ".join(_seen(record)) or "proprio only"
    return {
        "policy": name,
        "environment": _environment(record),
        "tier": tier(record),
        "observes": observes + (", shuffled" if record["shuffled_images"] else ""),
        "success_share": f"{100 * metrics['success_share']:.1f}",
        **rate_texts(metrics),
        "episodes": str(metrics["episodes"]),
        "steps (M)": f"{checkpoint['steps'] / 1e6:.2f}",
        "minutes": f"{checkpoint['seconds'] / 60:.1f}",
        "config": record["config_hashes"][record["env_id"]],
    }


def _numbers(name: str, record: Record) -> dict[str, Any]:
    metrics, checkpoint = record["metrics"], record["checkpoint"]
    return {
        "policy": name,
        "environment": _environment(record),
        "tier": tier(record),
        "actor_groups": " ".join(checkpoint["actor_groups"]),
        "blind": checkpoint["blind"],
        "shuffled_images": record["shuffled_images"],
        "success_share": metrics["success_share"],
        **rate_numbers(metrics),
        "episodes": metrics["episodes"],
        "steps": checkpoint["steps"],
        "seconds": checkpoint["seconds"],
        "config_hash": record["config_hashes"][record["env_id"]],
        "seed": record["seed"],
    }
