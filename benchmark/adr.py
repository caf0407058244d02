"""Success over levels of randomisation, and how the level rose in training."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from baselines.figure import drawn
from baselines.record import Record
from baselines.result_table import ResultTable
from baselines.success_table import policy_of, rate_numbers, rate_texts, tier
from dexgrasp_envs.config import ADR_LEVELS

_RATE = "success_at_end"


def at_levels(records: Mapping[str, Record]) -> dict[str, Record]:
    """Evaluations of policies that were evaluated at several levels, on those tiers: by policy, tier and level."""
    found = {name: record for name, record in records.items() if record["kind"] == "evaluation"}
    several = {_place(record)[:2] for record in found.values() if record.get("adr_level", 0)}
    chosen = [item for item in found.items() if _place(item[1])[:2] in several and not item[1]["shuffled_images"]]
    return dict(sorted(chosen, key=lambda item: _place(item[1])))


def adr_table(records: Mapping[str, Record]) -> ResultTable:
    """One row a policy and level, of the records that `at_levels` gave."""
    numbers, shown = [], []
    for record in records.values():
        policy, on, level = _place(record)
        numbers.append({"policy": policy, "tier": on, "level": level, **rate_numbers(record["metrics"])})
        shown.append({"policy": policy, "tier": on, "level": str(level), **rate_texts(record["metrics"])})
    title = f"Success by level of the paper's randomisation, of {ADR_LEVELS}: per cent [Wilson 95 % interval]"
    commands = [record["command"] for record in records.values()]
    return ResultTable("adr", title, pd.DataFrame(shown), pd.DataFrame(numbers, dtype=object), commands)


def draw_adr(records: Mapping[str, Record], curves: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Left: success at the end by level, of the records that `at_levels` gave. Right: the level in training."""
    with drawn(path, 9, 3.4, columns=2, share=False) as (by_level, training):
        rates = [[record["metrics"][_RATE][key] for key in ("rate", "low", "high")] for record in records.values()]
        table = pd.DataFrame([(*_place(record), *rate) for record, rate in zip(records.values(), rates, strict=True)])
        for (policy, on), rows in table.groupby([0, 1], sort=False):
            errors = [100 * (rows[3] - rows[4]), 100 * (rows[5] - rows[3])]
            by_level.errorbar(rows[2], 100 * rows[3], yerr=errors, marker="o", capsize=3, label=f"{policy}, {on}")
        by_level.set(xlabel="level of randomisation", ylabel="success at end, %", ylim=(0, 102))
        for name, progress in curves.items():
            if "adr_level" in progress and progress["adr_level"].max() > 0:
                training.plot(progress["steps"] / 1e6, progress["adr_level"], label=name)
        training.set(xlabel="environment steps (millions)", ylabel="level in training")
        for axis in (by_level, training):
            axis.grid(alpha=0.3)
            if axis.get_legend_handles_labels()[0]:
                axis.legend(frameon=False)


def _place(record: Record) -> tuple[str, str, int]:
    return policy_of(record), tier(record), int(record.get("adr_level", 0))
