"""Draw docs/images/objects.png: the training set in few colours, so that the file stays small.

Run from the root of the project: `python docs/objects_picture.py`.
"""

import tempfile
from pathlib import Path

from PIL import Image

from dexgrasp_envs import objects
from dexgrasp_envs.viewing.contact_sheet import write_sheet

OUT = Path("docs/images/objects.png")
COLOURS = 96
"""Colours of the picture."""


def main() -> None:
    """Entry point."""
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.png"
        write_sheet(objects.load("train"), sheet)
        reduce(sheet, OUT)
    print(f"wrote {OUT}")


def reduce(sheet: Path, out: Path) -> None:
    """Write a picture in `COLOURS` colours."""
    with Image.open(sheet) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(out, optimize=True)


if __name__ == "__main__":
    main()
