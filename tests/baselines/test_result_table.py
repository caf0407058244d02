import io

import pandas as pd
import pytest

from baselines.result_table import ResultTable, markdown


@pytest.fixture
def table():
    shown = pd.DataFrame({"policy": ["a_b", "c"], "rate, %": ["33.3", ""]})
    numbers = pd.DataFrame({"policy": ["a_b", "c"], "rate": [1 / 3, None]}, dtype=object)
    return ResultTable("rates", "Rates", shown, numbers, ["python -m x", ""])


def test_markdown_is_a_table():
    assert markdown(["a", "b"], [[1, "x|y"]]) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |\n"


def test_each_row_has_its_command_beside_it(table):
    assert table.markdown().splitlines()[2:] == ["| a_b | 33.3 | `python -m x` |", "| c |  |  |"]


def test_csv_has_all_digits(table):
    frame = pd.read_csv(io.StringIO(table.csv()), keep_default_na=False)
    assert frame["rate"].tolist() == [str(1 / 3), ""] and frame["command"].tolist() == ["python -m x", ""]


def test_latex_escapes_what_would_be_commands(table):
    lines = table.latex().splitlines()
    assert lines[0] == "% Rates" and lines[3] == r"policy & rate, \% \\" and lines[5] == r"a\_b & 33.3 \\"


def test_three_files_are_written(table, tmp_path):
    table.write(tmp_path / "tables")
    assert {path.name for path in (tmp_path / "tables").iterdir()} == {"rates.md", "rates.csv", "rates.tex"}
