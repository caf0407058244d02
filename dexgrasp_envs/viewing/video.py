"""Video files, streamed to the encoder frame by frame."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .panes import Picture

SUFFIX = ".mp4"
"""What the name of a video ends in."""


def check_path(path: Path) -> None:
    """Raise `ConfigError` unless a video can be written under that name."""
    if path.suffix != SUFFIX:
        raise ConfigError(f"a video is written as {SUFFIX} (H.264), got {path}; give a name that ends in {SUFFIX}")


def write_video(path: Path, frames: Iterable[Picture], fps: int) -> int:
    """Encode frames, all of one size, as they come, and return their number; one frame is held at a time.

    An error or an interrupt while they come ends the file in good order, with the frames so far. Nothing is written if
    it comes before the first.

    Raises:
        ConfigError: The name does not end in `SUFFIX`, or its folder cannot be made.
    """
    import imageio.v2 as imageio

    check_path(path)
    coming = iter(frames)
    first = next(coming)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the folder of {path} cannot be made: {error}") from error
    encoder: Any = imageio.get_writer(path, fps=fps, macro_block_size=2)
    count = 1
    with encoder as writer:
        writer.append_data(first)
        for frame in coming:
            writer.append_data(frame)
            count += 1
    return count
