import pandas as pd
import pytest

from baselines.plot import Args, first_time, plot


def test_curves_are_written(tmp_path):
    frame = pd.DataFrame({"steps": [1e6, 2e6], "seconds": [60, 120], "success_at_end": [0.1, 0.9]})
    frame.to_csv(tmp_path / "progress.csv")
    plot(Args((tmp_path / "progress.csv",), out=tmp_path / "figures" / "curve.png"))
    assert (tmp_path / "figures" / "curve.png").stat().st_size > 1000


def test_labels_must_match_the_runs(tmp_path):
    with pytest.raises(SystemExit, match="labels"):
        plot(Args((tmp_path / "progress.csv",), labels=("a", "b")))


def test_the_first_time_at_a_level_is_when_the_metric_reached_it():
    progress = pd.DataFrame({"steps": [1, 2, 3], "seconds": [60, 120, 180], "success_at_end": [float("nan"), 0.6, 0.4]})
    assert first_time(progress, "success_at_end", 0.5) == (2, 2.0)
    assert first_time(progress, "success_at_end", 0.8) is None
