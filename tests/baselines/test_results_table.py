import json

import pytest

from baselines.results_table import draw_rates, markdown, read_records, results_frame, write_tables
from dexgrasp_envs.errors import ConfigError


def record(rate: float, **changes) -> dict:
    interval = {"rate": rate, "low": max(rate - 0.1, 0.0), "high": min(rate + 0.1, 1.0)}
    return {
        "kind": "evaluation",
        "env_id": "DexGrasp/KukaAllegro-Depth-v0",
        "config_hash": "abc",
        "checkpoint": {"steps": 2_500_000, "seconds": 90.0},
        "summary": {
            "episodes": 600, "success_share": 0.25,
            "success_at_end": interval, "success_once": interval, "lifted": interval,
        },
        **changes,
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    for name, rate in (("blind", 0.0), ("depth", 0.9), ("other", 0.5)):
        (tmp_path / f"{name}.json").write_text(json.dumps(record(rate)))
    (tmp_path / "throughput.json").write_text(json.dumps({"kind": "throughput"}))
    return tmp_path


def test_records_come_best_first_and_other_kinds_are_left_out(folder):
    assert list(read_records(folder)) == ["depth", "other", "blind"]


def test_a_folder_without_records_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="no evaluation record"):
        read_records(tmp_path)


def test_a_row_says_rates_with_intervals_and_cost(folder):
    row = results_frame(read_records(folder)).iloc[0]
    assert row["success_at_end"] == "90.0 [80.0, 100.0]"
    assert (row["environment"], row["steps (M)"], row["minutes"]) == ("Depth-v0", "2.50", "1.5")


def test_the_same_records_give_the_same_bytes(folder, tmp_path):
    texts = []
    for name in ("one", "two"):
        write_tables(read_records(folder), tmp_path / name)
        texts.append([(tmp_path / name / file).read_bytes() for file in ("results.md", "results.csv")])
    assert texts[0] == texts[1]


def test_markdown_is_a_table():
    assert markdown(["a", "b"], [[1, 2]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


def test_the_figure_is_written(folder, tmp_path):
    draw_rates(read_records(folder), tmp_path / "figures" / "success.png")
    assert (tmp_path / "figures" / "success.png").stat().st_size > 1000
