import pytest

from baselines.success_table import draw_success, evaluations, missing, success_table
from dexgrasp_envs.errors import ConfigError
from tests import records


@pytest.fixture
def some():
    return {
        "blind": records.blind(),
        "depth": records.evaluation(9),
        "depth_shuffled": records.evaluation(0, shuffled=True),
        "other": records.evaluation(5, "runs/other.pt", ("proprio", "state")),
        "throughput": records.throughput(),
    }


def test_the_best_policies_come_first_and_other_kinds_are_left_out(some):
    assert list(evaluations(some)) == ["depth", "other", "blind", "depth_shuffled"]


def test_tiers_stay_apart_and_the_easier_ones_come_first(some):
    some["depth_hard"] = records.evaluation(10) | {"tier": "hard"}
    some["other_full"] = records.evaluation(1, "runs/other.pt", ("proprio", "state")) | {"tier": "full"}
    table = success_table(some)
    assert table.shown["policy"].tolist()[-2:] == ["other_full", "depth_hard"]
    assert table.numbers["tier"].tolist() == ["easy"] * 4 + ["full", "hard"]


def test_a_row_says_rates_with_intervals_and_cost(some):
    row = success_table(some).shown.iloc[0]
    assert row["success_at_end"] == "90.0 [59.6, 98.2]" and row["success_share"] == "25.0"
    assert (row["environment"], row["steps (M)"], row["minutes"]) == ("Depth-v0", "2.50", "1.5")
    assert (row["episodes"], row["config"]) == ("10", "0123456789abcdef")


def test_numbers_keep_all_digits(some):
    row = success_table(some).numbers.iloc[0]
    assert row["success_at_end_low"] == some["depth"]["metrics"]["success_at_end"]["low"]
    assert (row["steps"], row["seconds"], row["shuffled_images"]) == (2_500_000, 90.0, False)


def test_rows_tell_what_was_seen(some):
    observed = success_table(some).shown.set_index("policy")["observes"]
    assert observed.to_dict() == {
        "depth": "depth", "other": "state", "blind": "proprio only", "depth_shuffled": "depth, shuffled",
    }  # fmt: skip


def test_nothing_is_missing_where_all_was_measured(some):
    assert missing(evaluations(some)) == []


def test_blind_and_shuffled_rows_are_shown_where_they_were_not_measured(some):
    table = success_table({"depth": some["depth"]})
    assert table.shown["policy"].tolist() == ["depth", "blind", "depth_shuffled"]
    assert table.shown["success_at_end"].tolist()[1:] == ["not measured"] * 2
    assert table.numbers["success_at_end"].tolist()[1:] == [None, None]
    assert table.commands[1].endswith("--blind --out runs/blind")
    assert table.commands[2] == "python -m baselines.evaluate results/checkpoints/depth.pt --shuffle-images"


def test_without_evaluations_there_is_no_table(some):
    with pytest.raises(ConfigError, match="no evaluation"):
        success_table({"throughput": some["throughput"]})


def test_the_figure_is_the_same_bytes_whatever_the_order(some, tmp_path):
    draw_success(some, tmp_path / "one.png")
    draw_success(dict(reversed(some.items())), tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
