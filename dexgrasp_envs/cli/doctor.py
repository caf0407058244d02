"""`dexgrasp doctor`: what works on this machine, and how to mend the rest."""

import dataclasses
import json
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from .checks import machine, opengl, packages
from .checks.check import Check, Finding, Status

CHECKS = (
    machine.PYTHON,
    machine.CORES,
    machine.SHARED_MEMORY,
    packages.MUJOCO,
    packages.TORCH,
    packages.NUMBA,
    packages.FFMPEG,
    machine.GPU,
    *opengl.WAYS,
)
"""What is looked at, in the order of the table."""

_COLOURS = {Status.OK: "green", Status.ADVICE: "yellow", Status.FAILED: "red"}


def doctor(as_json: Annotated[bool, tyro.conf.arg(name="json")] = False) -> int:
    """See what works on this machine, and how to mend the rest.

    The exit code is 1 if something fails that every environment needs, else 0.

    Args:
        as_json: Print JSON in place of the table.
    """
    findings = [(check, check.run()) for check in CHECKS]
    ok = all(finding.status is not Status.FAILED for check, finding in findings if check.required)
    if as_json:
        print(json.dumps({"ok": ok, "checks": [_record(*pair) for pair in findings]}, indent=2))
    else:
        _print(findings)
    return 0 if ok else 1


def _record(check: Check, finding: Finding) -> dict[str, object]:
    """One check as JSON."""
    return {"name": check.name, "required": check.required} | dataclasses.asdict(finding)


def _print(findings: list[tuple[Check, Finding]]) -> None:
    """A table for a person, and below it what to do, in lines that can be copied."""
    console = Console()
    found = Table("check", "", Column("found", overflow="fold"), caption="* every environment needs this")
    for check, finding in findings:
        colour = _COLOURS[finding.status]
        found.add_row(check.name + (" *" if check.required else ""), Text(finding.status, colour), Text(finding.detail))
    console.print(found)
    for check, finding in findings:
        if finding.fix:
            console.print(Text(f"{check.name}: ", _COLOURS[finding.status]) + Text(finding.fix), soft_wrap=True)
