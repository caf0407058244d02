"""Checks of the machine: Python, cores, shared memory, GPU."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from .check import Check, Finding, Status

_SHARED_MEMORY = Path("/dev/shm")
_ENOUGH_SHARED_MEMORY = 256 * 2**20
"""Bytes; a container's usual 64 MiB is less than one batch of images."""


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Cores that this process's cgroup (version 2 or 1) may use, the least of its ancestors', or None for no limit."""
    cgroups = root / "sys/fs/cgroup"
    quotas = []
    own = _read(root / "proc/self/cgroup").rpartition("0::/")[2].strip()
    for folder in (cgroups / own, *(cgroups / own).parents):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if period and quota != "max":
            quotas.append(int(quota) / int(period))
        if folder == cgroups:
            break
    quota = _read(cgroups / "cpu/cpu.cfs_quota_us")
    if quota and int(quota) > 0:
        quotas.append(int(quota) / int(_read(cgroups / "cpu/cpu.cfs_period_us")))
    return min(quotas, default=None)


def _read(path: Path) -> str:
    """The text of a file, empty if it cannot be read."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _python() -> Finding:
    detail = f"{platform.python_version()} on {platform.platform(terse=True)} ({platform.machine()})"
    if sys.platform not in ("linux", "darwin"):
        return Finding(Status.ADVICE, detail, "Linux and macOS are tested; on Windows use WSL")
    return Finding(Status.OK, detail)


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota()
    detail = f"{cores} of {os.cpu_count()} usable, " + ("no quota" if quota is None else f"quota of {quota:g}")
    if quota is not None and quota < cores:
        threads = max(1, int(quota))
        return Finding(Status.ADVICE, detail, f"make environments with threads={threads}: more only wait for the quota")
    return Finding(Status.OK, detail)


def _shared_memory() -> Finding:
    if not _SHARED_MEMORY.exists():
        return Finding(Status.OK, f"no {_SHARED_MEMORY}, and none is needed here")
    free = shutil.disk_usage(_SHARED_MEMORY).free
    detail = f"{free / 2**20:,.0f} MiB free in {_SHARED_MEMORY}"
    if free < _ENOUGH_SHARED_MEMORY:
        return Finding(Status.ADVICE, detail, "give a container more: docker run --shm-size=1g")
    return Finding(Status.OK, detail)


def _gpu() -> Finding:
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Finding(Status.OK, f"{', '.join(names)} (CUDA {torch.version.cuda})")
    if shutil.which("nvidia-smi") is None:
        return Finding(Status.OK, "none, and none is needed")
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    seen = subprocess.run(query, capture_output=True, text=True, timeout=30)
    if seen.returncode != 0 or not seen.stdout.strip():
        return Finding(Status.OK, "none, and none is needed (nvidia-smi is there and sees none)")
    detail = f"{'; '.join(seen.stdout.strip().splitlines())}, out of reach of torch {torch.__version__}"
    return Finding(Status.ADVICE, detail, "install a CUDA build of torch that the driver supports")


PYTHON = Check("Python", _python)
CORES = Check("cores", _cores)
SHARED_MEMORY = Check("shared memory", _shared_memory)
GPU = Check("GPU", _gpu, fix="nvidia-smi and torch must both answer: look at the driver")
