from collections.abc import Iterator
from pathlib import Path

import imageio.v2 as imageio
import numpy as np
import pytest

from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.viewing.panes import Picture
from dexgrasp_envs.viewing.video import write_video


def frames(count: int, fail: bool = False) -> Iterator[Picture]:
    for i in range(count):
        yield np.full((32, 48, 3), 40 * i, np.uint8)
    if fail:
        raise RuntimeError("the simulation is gone")


def read(path: Path) -> list[Picture]:
    with imageio.get_reader(path) as reader:
        return list(reader.iter_data())


def test_every_frame_is_in_the_file_in_its_order(tmp_path: Path) -> None:
    assert write_video(tmp_path / "new" / "video.mp4", frames(5), 15) == 5
    shades = [image.mean() for image in read(tmp_path / "new" / "video.mp4")]
    np.testing.assert_allclose(shades, [0, 40, 80, 120, 160], atol=6)


def test_what_fails_on_the_way_leaves_the_frames_so_far(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="gone"):
        write_video(tmp_path / "video.mp4", frames(3, fail=True), 15)
    assert len(read(tmp_path / "video.mp4")) == 3


def test_what_fails_at_the_first_frame_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="gone"):
        write_video(tmp_path / "video.mp4", frames(0, fail=True), 15)
    assert not list(tmp_path.iterdir())


def test_another_kind_of_file_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    def never() -> Iterator[Picture]:
        raise AssertionError
        yield

    with pytest.raises(ConfigError, match=r"ends in \.mp4"):
        write_video(tmp_path / "video.gif", never(), 15)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be made"):
        write_video(tmp_path / "file" / "video.mp4", frames(1), 15)
