"""A contact sheet: every object of a set in a picture of its own, all at one scale, drawn by the ray-caster."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ..config import CameraConfig, LightConfig
from ..errors import ConfigError
from ..objects import ObjectSet
from ..scene.scene import Scene, ViewCamera
from ..vision.camera import Intrinsics, look_at
from ..vision.looks import draw_light
from ..vision.ray_caster import RayCaster, Shot
from .panes import Picture

_CAMERA = CameraConfig(position=(0.38, -0.62, 0.50), target=(0.0, 0.0, 0.05), fovy=14.5, far=3.0)
"""Far away with a narrow view, so that sizes can be compared; it sees 20 cm."""
_SMOOTHING = 2
"""Rays along each side of a pixel."""
_DPI = 100
_LABEL = 14
"""Height of a label, pixels."""


def pictures(objects: ObjectSet, size: int) -> Picture:
    """One picture [O, size, size, 3] of each object, upright on a floor, about 20 cm wide."""
    count, fine = len(objects), size * _SMOOTHING
    scene = Scene((), (), (0.0, 0.0, 0.0), 0.0, ViewCamera(_CAMERA.position, _CAMERA.target, _CAMERA.fovy))
    rows = np.arange(count)
    body_pos = np.zeros((count, 1, 3), np.float32)
    body_pos[:, 0, 2] = [obj.half_extents[2] for obj in objects.objects]
    lens = Intrinsics(fine, fine, fine / 2 / float(np.tan(np.radians(_CAMERA.fovy) / 2)))
    shot = Shot(
        rows, rows, body_pos, np.tile(np.eye(3, dtype=np.float32), (count, 1, 1, 1)),
        np.tile(np.array(_CAMERA.position, np.float32), (count, 1)),
        np.tile(look_at(_CAMERA).astype(np.float32), (count, 1, 1)), lens, _CAMERA.near, _CAMERA.far, 1.0,
    )  # fmt: skip
    zeros = np.zeros(count, np.int64)
    lights, tints = draw_light(LightConfig(), 2, zeros, rows, zeros)
    images = np.empty((count, 3, fine, fine), np.uint8)
    caster = RayCaster(scene, objects, 0)
    try:
        caster.shade(shot, lights, tints, images)
    finally:
        caster.close()
    blocks = images.reshape(count, 3, size, _SMOOTHING, size, _SMOOTHING)
    return np.moveaxis(blocks.mean((3, 5)), 1, -1).round().astype(np.uint8)


def contact_sheet(objects: ObjectSet, size: int = 104) -> Figure:
    """All pictures in a grid about as wide as a page of 4:3, each over the name of its object."""
    tiles = pictures(objects, size)
    across = int(np.ceil(np.sqrt(len(tiles) * 4 / 3 * (size + _LABEL) / size)))
    down = -(-len(tiles) // across)
    width, height = across * size, down * (size + _LABEL)
    page = np.full((height, width, 3), 255, np.uint8)
    figure = Figure((width / _DPI, height / _DPI), dpi=_DPI)
    for i, (tile, name) in enumerate(zip(tiles, objects.names, strict=True)):
        top, left = i // across * (size + _LABEL), i % across * size
        page[top : top + size, left : left + size] = tile
        middle = top + size + _LABEL / 2
        figure.text((left + size / 2) / width, 1 - middle / height, name, fontsize=5, ha="center", va="center")
    figure.figimage(page)
    return figure


def write_sheet(objects: ObjectSet, out: Path) -> None:
    """Write the sheet as a PNG file.

    Raises:
        ConfigError: The path does not end in .png, or cannot be written.
    """
    if out.suffix != ".png":
        raise ConfigError(f"a contact sheet is a .png file, got {str(out)!r}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        contact_sheet(objects).savefig(out, metadata={"Software": None})
    except OSError as error:
        raise ConfigError(f"cannot write {str(out)!r}: {error.strerror}") from error
