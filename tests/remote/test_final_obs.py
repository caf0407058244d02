import numpy as np

from dexgrasp_envs.remote import final_obs

SLICES = [slice(0, 2), slice(2, 5)]


def test_single_observations_are_stacked_in_all_depths() -> None:
    stacked = final_obs.stack([{"a": np.arange(2), "b": (np.int64(i), f"text {i}")} for i in range(3)])
    assert stacked["a"].shape == (3, 2)
    assert stacked["b"][0].tolist() == [0, 1, 2] and stacked["b"][1] == ["text 0", "text 1", "text 2"]


def test_rows_are_counted_over_all_servers() -> None:
    parts = [{"index": np.array([1]), "obs": np.full((1, 2), 7.0)}, {"index": np.array([0, 2]), "obs": np.ones((2, 2))}]
    index, obs = final_obs.join(parts, SLICES)
    assert index.tolist() == [1, 2, 4]
    assert obs[:, 0].tolist() == [7, 1, 1]


def test_servers_where_nothing_ended_are_left_out() -> None:
    empty = {"index": np.zeros(0, np.int64), "obs": None}
    index, obs = final_obs.join([empty, {"index": np.array([2]), "obs": {"a": np.ones((1, 3))}}], SLICES)
    assert index.tolist() == [4] and obs["a"].shape == (1, 3)
    assert final_obs.join([None, empty], SLICES)[0].tolist() == []


def test_what_was_stacked_is_spread_again() -> None:
    rows = [{"a": np.arange(2) + i, "b": (np.int64(i), f"text {i}")} for i in range(2)]
    spread = final_obs.spread(np.array([1, 3]), final_obs.stack(rows), 4)
    assert spread[0] is spread[2] is None
    for row, expected in ((spread[1], rows[0]), (spread[3], rows[1])):
        np.testing.assert_array_equal(row["a"], expected["a"])
        assert row["b"] == expected["b"]
