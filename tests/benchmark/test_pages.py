import pytest

from baselines.success_table import success_table
from benchmark.pages import BEGIN, END, put_between_marks, read_notes, success_by_tier
from dexgrasp_envs.errors import ConfigError
from tests import records


def test_a_policy_is_one_row_with_a_column_a_tier():
    found = {"depth": records.evaluation(), "depth_hard": records.evaluation(2) | {"tier": "hard"}}
    columns, rows = success_by_tier(success_table(found))
    assert columns == ["policy", "observes", "easy", "hard", "steps (M)", "minutes"]
    assert [row[0] for row in rows] == ["depth", "blind", "depth_shuffled"]
    assert rows[0][2:4] == ["90.0 [59.6, 98.2]", "20.0 [5.7, 51.0]"] and rows[1][2:4] == ["not measured", ""]


def test_remarks_go_by_their_headings(tmp_path):
    path = tmp_path / "notes.md"
    path.write_text("On top.\n\n## Speed\n\nFast.\n\n### More\n\n```\n## no heading\n```\n")
    assert read_notes(path, ["Speed"]) == {"": "On top.", "Speed": "Fast.\n\n### More\n\n```\n## no heading\n```"}


def test_without_the_file_there_are_no_remarks(tmp_path):
    assert read_notes(tmp_path / "notes.md", ["Speed"]) == {"": ""}


def test_an_unknown_heading_is_an_error_that_lists_the_valid_ones(tmp_path):
    (tmp_path / "notes.md").write_text("## Sped\n")
    with pytest.raises(ConfigError, match="heading 'Sped'; valid are Speed, Success"):
        read_notes(tmp_path / "notes.md", ["Speed", "Success"])


def test_only_what_is_between_the_marks_changes(tmp_path):
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    changed = put_between_marks(text, "new", tmp_path)
    assert changed == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert put_between_marks(changed, "new", tmp_path) == changed


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_broken_marks_are_an_error(tmp_path, text):
    with pytest.raises(ConfigError, match="must hold the line"):
        put_between_marks(text, "new", tmp_path / "README.md")
