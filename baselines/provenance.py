"""Where the numbers of a record come from: command, versions, machine."""

import os
import platform
import shlex
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("dexgrasp_envs", "gymnasium", "mujoco", "numpy", "stable_baselines3", "torch")


def provenance(module: str, arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Command line of `module` (as in `python -m module ...`), versions of the packages, and the machine.

    `arguments` are those of the command line at hand by default.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    return {
        "command": shlex.join(["python", "-m", module, *arguments]),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "machine": {
            "cpu": _cpu_model(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
        },
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
