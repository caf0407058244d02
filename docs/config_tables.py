"""Write the tables of the documentation anew from the code: `python -m docs.config_tables`.

A table stands between `<!-- table NAME -->` and `<!-- end -->`; what is between them is replaced.
"""

import ast
import dataclasses
import inspect
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from dexgrasp_envs import config, objects, sensor_config
from dexgrasp_envs.config import CAMERAS, GROUPS, RANDOMISATIONS, EnvConfig, RandomisationConfig
from dexgrasp_envs.control.make_controller import make_controller
from dexgrasp_envs.registration import ID_GROUPS
from dexgrasp_envs.robots.kuka_allegro import kuka_allegro
from dexgrasp_envs.sensor_config import COLOURS, DEPTH_NOISES, ColourConfig, DepthNoiseConfig
from dexgrasp_envs.task.observations import Observations
from dexgrasp_envs.tiers import TIERS
from dexgrasp_envs.types import Field

PAGES = Path(__file__).parent
"""The folder of the pages."""
MARKED = re.compile(r"(<!-- table (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
"""A table in a page: its opening mark, its name, its closing mark."""


def config_table(kind: type) -> str:
    """Fields of a dataclass of the configuration with their defaults and docstrings."""
    meanings = _field_docstrings(kind)
    return _table(
        ("field", "default", "meaning"),
        ((f"`{f.name}`", f"`{_words(_default(f))}`", meanings[f.name]) for f in dataclasses.fields(kind)),
    )


def ids() -> str:
    """The ids and their observation groups."""
    rows = (
        (f"`{env_id}`", ", ".join(f"`{group}`" for group in ("proprio", *more))) for env_id, more in ID_GROUPS.items()
    )
    return _table(("id", "observation groups"), rows)


def flat_group(name: str) -> str:
    """The fields of a flat observation group."""
    rows = ((f"`{f.name}`", str(f.size), f"{f.low:g} .. {f.high:g}") for f in _groups()[name])
    return _table(("field", "size", "bounds"), rows)


def cameras() -> str:
    """The named cameras."""
    fields = ("mount", "position", "target", "fovy", "far")
    rows = ((f"`{name}`", *(_words(getattr(camera, f)) for f in fields)) for name, camera in CAMERAS.items())
    return _table(("camera", "mount", "position (m)", "target (m)", "fovy (°)", "far (m)"), rows)


def joints() -> str:
    """The robot's joints in canonical order."""
    rows = (
        (str(i), f"`{j.name}`", f"{j.limits[0]:.2f} .. {j.limits[1]:.2f}") for i, j in enumerate(kuka_allegro().joints)
    )
    return _table(("index", "joint", "limits (rad)"), rows)


def randomisation() -> str:
    """The randomisation of the paper, and what each parameter means."""
    meanings, off, paper = _field_docstrings(RandomisationConfig), RandomisationConfig(), RANDOMISATIONS["paper"]
    rows = (
        (f"`{name}`", _words(getattr(off, name)), _words(getattr(paper, name)), meanings[name]) for name in meanings
    )
    return _table(("parameter", "level 0, default", '`"paper"`, level 50', "meaning"), rows)


def presets(kind: type, known: Mapping[str, Any]) -> str:
    """Fields of a dataclass, and their values in presets by name."""
    rows = ((f"`{f.name}`", *(_words(getattr(it, f.name)) for it in known.values())) for f in dataclasses.fields(kind))
    return _table(("field", *(f"`{name}`" for name in known)), rows)


def tiers() -> str:
    """What each tier decides."""
    noises = {noise: f"`{name}`" for name, noise in DEPTH_NOISES.items()}
    rows = (
        (
            f"`{name}`",
            f"`{tier.objects}`",
            f"{_words(tier.spawn.center)} ± {_words(tier.spawn.half_extent)}",
            "between camera and table" if any(tier.spawn.arm_offset) else "home",
            noises[tier.depth_noise],
            f"{_words(tier.position_jitter)} m, {_words(tier.rotation_jitter)}°",
        )
        for name, tier in TIERS.items()
    )
    return _table(("tier", "objects", "spawn (m)", "arm at the start", "noise of depth", "jitter of the camera"), rows)


PARTS = (
    *("Physics", "Spawn", "Control", "JointDelta", "Fabric", "Reward", "Episode", "Camera", "Stereo", "Light"),
    "Observation",
)
SENSOR_PARTS = ("DepthNoise", "Colour")
TABLES: dict[str, Callable[[], str]] = {
    "ids": ids,
    "cameras": cameras,
    "joints": joints,
    "randomisation": randomisation,
    **{name: lambda name=name: flat_group(name) for name in ("proprio", "state", "privileged")},  # type: ignore[misc]
    **{f"{p}Config": lambda p=p: config_table(getattr(config, f"{p}Config")) for p in PARTS},  # type: ignore[misc]
    **{f"{p}Config": lambda p=p: config_table(getattr(sensor_config, f"{p}Config")) for p in SENSOR_PARTS},  # type: ignore[misc]
    "noises": lambda: presets(DepthNoiseConfig, DEPTH_NOISES),
    "colours": lambda: presets(ColourConfig, COLOURS),
    "tiers": tiers,
}
"""Every table by the name in its mark."""


def renewed(page: str) -> str:
    """A page with its tables as they follow from the code now; `KeyError` for the name of an unknown table."""
    return MARKED.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], page)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = tuple(head)
    lines = [names, ("---",) * len(names), *map(tuple, rows)]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _field_docstrings(kind: type) -> dict[str, str]:
    """The string under each field of a dataclass."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef))
    found = {}
    for field, text in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
        return f"{type(value).__name__}()" if dataclasses.is_dataclass(value) else value
    return field.default


def _words(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_words, value))})"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _groups() -> dict[str, tuple[Field, ...]]:
    everything = EnvConfig().observing(*GROUPS)
    robot = kuka_allegro()
    controller = make_controller(robot, everything, "cpu")
    return Observations(robot, objects.load(everything.objects), everything, controller, "cpu").groups


def main() -> None:
    """Renew every page."""
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text()
        if (new := renewed(text)) != text:
            page.write_text(new)
            print(f"wrote {page}")


if __name__ == "__main__":
    main()
