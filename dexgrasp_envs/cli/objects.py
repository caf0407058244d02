"""`dexgrasp objects`: the objects of a set."""

import sys
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Column, Table

from .. import objects as object_sets
from ..errors import DexGraspError


def objects(name: tyro.conf.Positional[str], out: Path | None = None) -> int:
    """List the objects of a set, with sizes and masses, and draw them.

    Commands to copy:

        dexgrasp objects train
        dexgrasp objects test --out sheet.png
        dexgrasp objects my_meshes/ --out sheet.png

    Args:
        name: Name of an object set: primitives12, train or test; or a folder/ of .obj, .stl and .ply files, m, z up.
        out: Draw a contact sheet to this file, a .png.
    """
    from ..viewing.contact_sheet import write_sheet

    try:
        chosen = object_sets.load(name)
        if out is not None:
            write_sheet(chosen, out)
    except DexGraspError as error:
        print(f"dexgrasp objects: {error}", file=sys.stderr)
        return 1
    table = Table(
        Column("#", justify="right"),
        "name",
        Column("size (cm)", justify="right"),
        Column("mass (g)", justify="right"),
        Column("parts", justify="right"),
        title=f"{len(chosen)} objects of the set {chosen.name!r}",
    )
    for i, obj in enumerate(chosen.objects):
        size = " x ".join(f"{200 * half:.1f}" for half in obj.half_extents)
        table.add_row(str(i), obj.name, size, f"{1000 * obj.inertial.mass:.0f}", str(obj.colliders))
    Console().print(table)
    for file, reason in chosen.rejected:
        print(f"rejected {file}: {reason}")
    if out is not None:
        print(f"wrote {out}")
    return 0
