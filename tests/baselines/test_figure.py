import matplotlib
import pytest

from baselines.figure import drawn


def draw(path):
    with drawn(path, 3, 2) as (axes,):
        axes.plot([0, 1], [1, 0], label="a")
        axes.legend()
    return path.read_bytes()


def test_the_users_style_does_not_show(tmp_path):
    plain = draw(tmp_path / "plain.png")
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 9, "savefig.dpi": 30, "axes.facecolor": "red"}):
        assert draw(tmp_path / "styled.png") == plain
        assert matplotlib.rcParams["font.size"] == 20


def test_neither_date_nor_version_is_in_the_file(tmp_path):
    content = draw(tmp_path / "new" / "a.png")
    assert content.startswith(b"\x89PNG") and b"tEXt" not in content and b"tIME" not in content


def test_nothing_is_written_where_drawing_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), drawn(tmp_path / "a.png", 3, 2):
        raise ZeroDivisionError
    assert not (tmp_path / "a.png").exists()
