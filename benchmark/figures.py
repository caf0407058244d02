"""Figures of the speed records."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from baselines.figure import drawn
from baselines.record import Record


def draw_scaling(records: Mapping[str, Record], path: Path) -> None:
    """Env-steps/s over the number of environments, a curve a throughput record."""
    with drawn(path, 6, 3.4) as (axes,):
        for name, record in records.items():
            curve = sorted((int(size), rate) for size, rate in record["metrics"]["scaling"].items())
            axes.plot(*zip(*curve, strict=True), marker="o", label=name)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.set(xlabel="environments", ylabel="env-steps/s", ylim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)


def draw_frames(records: Mapping[str, Record], path: Path) -> None:
    """Depth frames/s on one core by image size, both renderers of each render record beside each other."""
    sizes = sorted(
        {size for record in records.values() for size in record["metrics"]["frames_per_second_and_core"]},
        key=lambda size: [int(side) for side in size.split("x")],
    )
    bars = [(name, record, who) for name, record in records.items() for who in ("ray_caster", "opengl")]
    width = 0.8 / len(bars)
    with drawn(path, 6, 3.4) as (axes,):
        for i, (name, record, who) in enumerate(bars):
            frames = record["metrics"]["frames_per_second_and_core"]
            rates = [frames[size][who] if size in frames else np.nan for size in sizes]
            axes.bar(np.arange(len(sizes)) + (i + 0.5) * width - 0.4, rates, width, label=f"{name}: {who}")
        axes.set_xticks(np.arange(len(sizes)), sizes)
        axes.set_yscale("log")
        axes.set(xlabel="height x width, pixels", ylabel="depth frames/s on one core", ylim=(1, None))
        axes.legend(frameon=False)


def draw_parts(records: Mapping[str, Record], path: Path) -> None:
    """Where the time of a step goes: a bar an environment of each render record, relative to the State id's step."""
    bars = [
        (name, who, shares, record["metrics"]["env_steps_per_second_120x160"])
        for name, record in records.items()
        for who, shares in record["metrics"]["share_of_step"].items()
    ]
    parts = list(dict.fromkeys(part for _, _, shares, _ in bars for part in shares))
    labels = [who if len(records) == 1 else f"{name}: {who}" for name, who, _, _ in bars]
    with drawn(path, 7, 2.8) as (axes,):
        end = np.zeros(len(bars))
        for part in parts:
            lengths = np.array([shares.get(part, 0.0) * rates["state"] / rates[who] for _, who, shares, rates in bars])
            axes.barh(labels, lengths, left=end, label=part)
            end += lengths
        axes.invert_yaxis()
        axes.set(xlabel="time of a step, that of the State id = 1")
        axes.legend(frameon=False, ncols=len(parts), loc="lower center", bbox_to_anchor=(0.4, 1.0), fontsize=8)
