import numpy as np
import pandas as pd
import pytest

from benchmark.comparison import OPTIONS, comparison_table, draw_comparison, read_runs


def write_run(folder, name, steps, height=1.0):
    steps = np.arange(1, steps + 1) * 100
    frame = pd.DataFrame({"steps": steps, "seconds": steps / 10, "return": height * steps / 100})
    frame["success_at_end"], frame["success_share"], frame["lifted"] = 0.0, 0.0, np.minimum(1.0, steps / 1e4)
    folder.mkdir(exist_ok=True)
    frame.to_csv(folder / f"{name}_progress.csv", index=False)


@pytest.fixture
def runs(tmp_path):
    for name, steps, height in (("fabric_1", 4, 1.0), ("governor_2", 9, 3.0), ("governor_1", 5, 1.0)):
        write_run(tmp_path / "runs", name, steps, height)
    return read_runs(tmp_path / "runs", pytest.fail)


def test_runs_are_cut_where_the_shortest_ends_and_grouped_by_what_differs(runs):
    assert list(runs) == ["governor", "fabric"]
    assert [len(seeds) for seeds in runs.values()] == [2, 1]
    assert all(run["steps"].iloc[-1] == 400 for seeds in runs.values() for run in seeds)


def test_the_table_has_means_and_extremes_over_seeds_and_the_command(runs):
    table = comparison_table(runs)
    assert table.shown["return"].tolist() == ["8 [4, 12]", "4 [4, 4]"]
    assert table.numbers["return, most"].tolist() == [12.0, 4.0]
    assert "--env.objects train --out runs/governor_SEED" in table.commands[0]
    assert "--env.controller fabric" in table.commands[1] and "--steps 400 " in table.commands[1]


def test_a_run_of_another_name_is_told_and_left_out(tmp_path):
    write_run(tmp_path / "runs", "other_1", 3)
    told = []
    assert not read_runs(tmp_path / "runs", told.append)
    assert len(told) == 1 and all(name in told[0] for name in OPTIONS)


def test_no_folder_is_no_runs(tmp_path):
    assert not read_runs(tmp_path / "none", pytest.fail)


def test_the_figure_shows_the_runs(runs, tmp_path):
    draw_comparison(runs, tmp_path / "both.png")
    draw_comparison({"governor": runs["governor"]}, tmp_path / "one.png")
    assert (tmp_path / "both.png").read_bytes() != (tmp_path / "one.png").read_bytes()
