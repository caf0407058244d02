"""`dexgrasp stats`: what a running server does with its time."""

import sys
import time
from pathlib import Path
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

from ..errors import DexGraspError

_MIB = 1 << 20


def stats(endpoint: tyro.conf.Positional[str], keys: Path | None = None, seconds: float = 2.0) -> int:
    """Show what a running server does: steps and bytes a second, and where its time goes.

    The server's client is not disturbed.

    Commands to copy:

        dexgrasp stats tcp://127.0.0.1:5555
        dexgrasp stats tcp://simulator:5555 --keys my_keys --seconds 10

    Args:
        endpoint: Address of the server.
        keys: Folder of `dexgrasp keys`, if the server has keys.
        seconds: Time over which rates are taken.
    """
    from ..remote.keys import ClientKeys
    from ..remote.stats import read_stats

    try:
        client_keys = None if keys is None else ClientKeys.load(keys)
        before = read_stats(endpoint, client_keys)
        time.sleep(seconds)
        after = read_stats(endpoint, client_keys)
    except DexGraspError as error:
        print(f"dexgrasp stats: {error}", file=sys.stderr)
        return 1
    table = Table("", "now", "since the start", title=f"{after['num_envs']} x {after['env_id']} at {endpoint}")
    for row in rows(before, after):
        table.add_row(*row)
    Console().print(table)
    return 0


def rows(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What is shown of two readings: name, value between them, value since the server started."""
    client = "none" if after["silent"] is None else f"heard of {after['silent']:.1f} s ago"
    # What has no rate is shown once.
    lines = [("client", client, ""), ("images through", "shared memory" if after["memory"] else "the socket", "")]
    for name, unit in (("steps", 1), ("calls", 1), ("received", _MIB), ("sent", _MIB), ("shared", _MIB)):
        now, ever = _rates(name, before, after)
        lines.append((f"{name}/s" if unit == 1 else f"{name}, MiB/s", f"{now / unit:.1f}", f"{ever / unit:.1f}"))
    for name in ("env", "serialise", "idle"):
        now, ever = _rates(name, before, after)
        lines.append((f"time: {name}", f"{now:.0%}", f"{ever:.0%}"))
    return [*lines, ("uptime", "", f"{after['uptime']:.0f} s")]


def _rates(name: str, before: dict[str, Any], after: dict[str, Any]) -> tuple[float, float]:
    """A total per second, between the readings and since the start."""
    now = (after[name] - before[name]) / (after["uptime"] - before["uptime"])
    return now, after[name] / after["uptime"]
