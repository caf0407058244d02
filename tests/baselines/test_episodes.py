import numpy as np

from baselines.episodes import EpisodeTracker
from tests.baselines.fake_env import FinalRows

NONE = FinalRows(np.zeros(0, np.int64), {}, {})


def infos(success: list[bool], lifted: list[bool]) -> dict[str, np.ndarray]:
    return {"success": np.array(success), "lifted": np.array(lifted)}


def test_outcomes_of_a_finished_row_come_from_its_final_info():
    tracker = EpisodeTracker(2, max_steps=4)
    for success in (True, False, True):
        tracker.step(np.array([1.0, 2.0]), infos([success, False], [True, False]), NONE)
    final = FinalRows(np.array([0]), {}, {"success": np.array([True]), "lifted": np.array([False])})
    out = tracker.step(np.array([1.0, 2.0]), infos([False, False], [False, False]), final)
    assert out["success_at_end"].tolist() == [True]
    assert out["success_once"].tolist() == [True]
    assert out["lifted"].tolist() == [True]
    assert out["success_share"].tolist() == [1.0]
    assert out["return"].tolist() == [4.0]
    assert out["length"].tolist() == [4]
    assert tracker.arrays["length"].tolist() == [0, 4]


def test_the_share_counts_the_second_half_and_an_early_end_as_failing():
    tracker = EpisodeTracker(1, max_steps=10)
    for _ in range(5):
        tracker.step(np.ones(1), infos([True], [True]), NONE)
    tracker.step(np.ones(1), infos([True], [True]), NONE)
    final = FinalRows(np.array([0]), {}, {"success": np.array([False]), "lifted": np.array([True])})
    out = tracker.step(np.ones(1), infos([False], [False]), final)
    assert out["success_share"].tolist() == [1 / 5]
