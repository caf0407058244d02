from typing import Any

import numpy as np
import pytest

from dexgrasp_envs.errors import ConfigError, RemoteError
from dexgrasp_envs.remote.rows import join_infos, split_actions, split_options, split_seed, take

SLICES = [slice(0, 2), slice(2, 5)]


def test_one_seed_goes_to_all_servers_as_it_is_where_rows_differ_by_index() -> None:
    assert split_seed(7, SLICES, by_row=False) == [7, 7]


def test_one_seed_counts_up_by_rows_where_that_is_the_convention() -> None:
    assert split_seed(np.int64(7), SLICES, by_row=True) == [7, 9]


def test_a_list_of_seeds_is_split() -> None:
    assert split_seed(np.arange(5), SLICES, by_row=True) == [[0, 1], [2, 3, 4]]


def test_no_seed_is_no_seed_anywhere() -> None:
    assert split_seed(None, SLICES, by_row=True) == [None, None]


def test_a_list_of_seeds_of_another_length_is_refused() -> None:
    with pytest.raises(ConfigError, match="5 of them"):
        split_seed([1, 2], SLICES, by_row=False)


@pytest.mark.parametrize("value", [[1, 2, 3, 4, 5], (1, 2, 3, 4, 5), np.arange(1, 6)], ids=["list", "tuple", "array"])
def test_options_with_one_entry_per_row_are_split(value: Any) -> None:
    first, second = split_options({"object": value}, SLICES)
    assert first is not None and second is not None
    assert list(first["object"]) == [1, 2] and list(second["object"]) == [3, 4, 5]


@pytest.mark.parametrize("value", ["sphere", "five!", 3, [1, 2], np.zeros(()), None])
def test_other_options_go_to_all_servers(value: Any) -> None:
    for options in split_options({"object": value}, SLICES):
        assert (options is not None and options["object"] is value) or options["object"] == value


def test_actions_are_split_in_all_depths() -> None:
    first, second = split_actions(({"a": np.arange(5)}, np.arange(10).reshape(5, 2)), SLICES)
    assert first[0]["a"].tolist() == [0, 1] and second[1].tolist() == [[4, 5], [6, 7], [8, 9]]


def test_infos_are_joined_by_rows() -> None:
    parts = [{"a": np.array([1.0, 2.0])}, {"a": np.array([3.0, 4.0, 5.0])}]
    np.testing.assert_array_equal(join_infos(parts, SLICES)["a"], [1, 2, 3, 4, 5])


def test_an_info_that_one_server_lacks_is_masked_out_there() -> None:
    infos = join_infos([{}, {"a": np.ones((3, 2), np.int16), "_a": np.array([True, False, True])}], SLICES)
    np.testing.assert_array_equal(infos["_a"], [False, False, True, False, True])
    np.testing.assert_array_equal(infos["a"][:, 0], [0, 0, 1, 1, 1])
    assert infos["a"].dtype == np.int16


def test_nested_infos_and_servers_that_were_not_asked_are_joined() -> None:
    infos = join_infos([{"final_info": {"a": np.ones(2), "_a": np.ones(2, bool)}}, None], SLICES)
    np.testing.assert_array_equal(infos["final_info"]["_a"], [True, True, False, False, False])


def test_infos_of_objects_are_none_where_they_are_missing() -> None:
    texts = np.array(["x", None], object)
    assert join_infos([{"a": texts}, {}], SLICES)["a"].tolist() == ["x", None, None, None, None]


def test_the_infos_of_a_single_server_stay_what_they_are() -> None:
    infos = {"a": "anything", "b": [1, 2, 3]}
    assert join_infos([infos], [slice(0, 2)]) == infos


@pytest.mark.parametrize("value", ["text", np.ones(4), np.float32(1)])
def test_infos_that_are_not_by_row_cannot_be_joined(value: Any) -> None:
    with pytest.raises(RemoteError, match=r"'a'.*one value per environment"):
        join_infos([{"a": value}, {"a": value}], SLICES)


def test_infos_of_different_shapes_cannot_be_joined() -> None:
    with pytest.raises(RemoteError, match="another shape"):
        join_infos([{"a": np.ones((2, 1))}, {"a": np.ones((3, 2))}], SLICES)


def test_of_texts_a_row_is_a_text() -> None:
    batch = {"said": ("yes", "no", "oh"), "pair": (np.arange(3), ("a", "b", "c"))}
    assert take(batch, 1) == {"said": "no", "pair": (1, "b")}
    assert take(batch["said"], slice(1, 3)) == ("no", "oh")


def test_infos_that_are_dicts_at_some_servers_only_are_refused() -> None:
    with pytest.raises(RemoteError, match="dict at some"):
        join_infos([{"a": {"b": np.zeros(2)}}, {"a": np.zeros(3)}], SLICES)
