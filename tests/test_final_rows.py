import gymnasium
import numpy as np

from dexgrasp_envs.final_rows import FinalRows

SPACE = gymnasium.spaces.Dict(
    {"hand": gymnasium.spaces.Box(-1, 1, (2,), np.float32), "depth": gymnasium.spaces.Box(0, 9, (1, 3, 4), np.uint16)}
)


def rows() -> FinalRows:
    """Rows 1 and 3 of a batch."""
    obs = {"hand": np.array([[1, 2], [3, 4]], np.float32), "depth": np.ones((2, 1, 3, 4), np.uint16)}
    return FinalRows(np.array([1, 3]), obs, {"success": np.array([True, False]), "object": np.array([7, 8])})


def test_none_is_empty_in_every_group_of_the_space() -> None:
    none = FinalRows.none(SPACE)
    assert none.index.shape == (0,)
    assert {name: (values.shape, values.dtype) for name, values in none.obs.items()} == {
        "hand": ((0, 2), np.float32),
        "depth": ((0, 1, 3, 4), np.uint16),
    }


def test_final_obs_has_a_dict_where_a_row_ended_and_none_elsewhere() -> None:
    final_obs = rows().as_infos(5)["final_obs"]
    assert [entry is None for entry in final_obs] == [True, False, True, False, True]
    np.testing.assert_array_equal(final_obs[3]["hand"], [3, 4])


def test_final_obs_are_views() -> None:
    final = rows()
    assert np.shares_memory(final.as_infos(5)["final_obs"][1]["depth"], final.obs["depth"])


def test_final_info_is_spread_over_the_batch() -> None:
    info = rows().as_infos(5)["final_info"]
    np.testing.assert_array_equal(info["object"], [0, 7, 0, 8, 0])
    assert info["success"].dtype == bool


def test_masks_say_which_rows_ended() -> None:
    infos = rows().as_infos(5)
    ended = [False, True, False, True, False]
    for mask in (infos["_final_obs"], infos["_final_info"], infos["final_info"]["_object"]):
        np.testing.assert_array_equal(mask, ended)
