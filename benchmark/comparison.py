"""Short trainings that differ in controller or synergies alone: `raw/controllers/NAME_SEED_progress.csv`."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from baselines.figure import drawn
from baselines.result_table import ResultTable
from dexgrasp_envs.registration import STATE_ID

from .curves import read_curves

FOLDER = "controllers"
"""Below that of the records."""
OPTIONS = {
    "governor": "",
    "fabric": " --env.controller fabric",
    "joint_delta": " --env.controller joint_delta",
    "pca": " --env.control.synergies pca",
}
"""What differs, in the order of the table."""
_METRICS = {"return": "return", "lifted": "lifted", "success_share": "success share"}
Runs = Mapping[str, Sequence[pd.DataFrame]]
"""Progress of the runs of each, one a seed, as far as all of them went."""


def read_runs(folder: Path, tell: Callable[[str], None]) -> Runs:
    """The runs in a folder, cut where the shortest of all ends; those with another name are told and left out."""
    found: dict[str, list[pd.DataFrame]] = defaultdict(list)
    for stem, progress in read_curves(folder, tell).items():
        name = stem.rpartition("_")[0]
        if name in OPTIONS:
            found[name].append(progress)
        else:
            tell(f"{folder / stem} is skipped: it is none of {', '.join(OPTIONS)}")
    last = min((int(run["steps"].iloc[-1]) for runs in found.values() for run in runs), default=0)
    return {name: [run[run["steps"] <= last] for run in found[name]] for name in OPTIONS if name in found}


def comparison_table(runs: Runs) -> ResultTable:
    """What each had reached at the end: mean over seeds, with least and most."""
    rows, shown, commands = [], [], []
    for name, seeds in runs.items():
        steps = int(seeds[0]["steps"].iloc[-1])
        row: dict[str, object] = {"run": name, "seeds": len(seeds), "steps": steps}
        texts = {"run": name, "seeds": str(len(seeds)), "steps": f"{steps:,}"}
        for metric, label in _METRICS.items():
            values = [float(run[metric].iloc[-1]) for run in seeds]
            row |= {label: float(np.mean(values)), f"{label}, least": min(values), f"{label}, most": max(values)}
            texts[label] = f"{np.mean(values):.3g} [{min(values):.3g}, {max(values):.3g}]"
        rows.append(row)
        shown.append(texts)
        commands.append(
            f"python -m baselines.train {STATE_ID} --minutes None --steps {steps} --seed SEED --env.objects train"
            f"{OPTIONS[name]} --out runs/{name}_SEED"
        )
    title = "Sampled policy over the last episodes of a short training: mean over seeds [least, most]"
    return ResultTable(FOLDER, title, pd.DataFrame(shown), pd.DataFrame(rows, dtype=object), commands)


def draw_comparison(runs: Runs, path: Path) -> None:
    """Return, and the share of episodes that lift, over environment steps: mean over seeds, and all between them."""
    with drawn(path, 9, 3.4, columns=2, share=False) as axes:
        for axis, metric in zip(axes, ("return", "lifted"), strict=True):
            for name, seeds in runs.items():
                steps = seeds[0]["steps"] / 1e6
                values = np.stack([np.interp(seeds[0]["steps"], run["steps"], run[metric]) for run in seeds])
                axis.plot(steps, values.mean(0), label=f"{name} ({len(seeds)})")
                axis.fill_between(steps, values.min(0), values.max(0), alpha=0.2, linewidth=0)
            axis.set(xlabel="environment steps (millions)", ylabel=_METRICS[metric])
            axis.grid(alpha=0.3)
        axes[0].legend(frameon=False)
