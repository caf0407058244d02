import pandas as pd

from benchmark.adr import adr_table, at_levels, draw_adr
from tests import records


def at(level, successes, tier="full", **options):
    return records.evaluation(successes, "results/checkpoints/a.pt", **options) | {"adr_level": level, "tier": tier}


def test_only_what_was_evaluated_at_several_levels_is_chosen_and_sorted():
    found = {
        "a_full_level50": at(50, 0),
        "a_full_level10": at(10, 1),
        "a_full": at(0, 2),
        "a": at(0, 2, tier="easy"),
        "a_shuffled": at(0, 0, shuffled=True),
        "b_full": records.evaluation() | {"tier": "full"},
        "speed": records.throughput(),
    }
    assert list(at_levels(found)) == ["a_full", "a_full_level10", "a_full_level50"]
    assert at_levels({"a_full": at(0, 2)}) == {}


def test_the_table_has_a_row_a_level():
    table = adr_table(at_levels({"one": at(10, 1), "none": at(0, 2)}))
    assert table.numbers[["policy", "tier", "level"]].to_numpy().tolist() == [["a", "full", 0], ["a", "full", 10]]
    assert table.numbers["success_at_end"].is_monotonic_decreasing


def test_the_figure_shows_levels_of_evaluation_and_of_training(tmp_path):
    levels = at_levels({"one": at(10, 1), "none": at(0, 2)})
    rising = pd.DataFrame({"steps": [0, 100], "adr_level": [0, 3]})
    for name, curves in (("with", {"a": rising}), ("without", {"a": rising * 0})):
        draw_adr(levels, curves, tmp_path / f"{name}.png")
    assert (tmp_path / "with.png").read_bytes() != (tmp_path / "without.png").read_bytes()
