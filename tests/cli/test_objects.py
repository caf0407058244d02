from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from dexgrasp_envs import objects
from dexgrasp_envs.cli import main


def test_names_sizes_and_masses_are_listed(capsys: pytest.CaptureFixture) -> None:
    assert main(["objects", "primitives12"]) == 0
    shown = capsys.readouterr().out
    assert "cuboid_small_5cm" in shown and "4.0 x 4.0 x 5.0" in shown and "40" in shown
    assert all(name in shown for name in objects.load("primitives12").names)


def test_a_sheet_is_drawn(tmp_path: Path) -> None:
    out = tmp_path / "new" / "sheet.png"
    assert main(["objects", "primitives12", "--out", str(out)]) == 0
    page = imageio.imread(out)[..., :3]
    assert page.shape[0] > 300 and len(np.unique(page.reshape(-1, 3), axis=0)) > 100


def test_an_unknown_set_is_an_error_that_lists_the_sets(capsys: pytest.CaptureFixture) -> None:
    assert main(["objects", "teapots"]) == 1
    assert "primitives12, train, test," in capsys.readouterr().err


def test_a_sheet_that_is_no_png_is_refused_before_it_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["objects", "primitives12", "--out", str(tmp_path / "sheet.jpg")]) == 1
    assert ".png" in capsys.readouterr().err
