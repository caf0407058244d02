import pytest

from baselines.record import read_record, read_records
from baselines.shipped import evaluate_shipped, shipped
from dexgrasp_envs.errors import ConfigError
from tests.baselines.small_policies import save_policy


def test_only_the_named_policies_are_chosen(tmp_path):
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.pt").touch()
    assert [path.stem for path in shipped(tmp_path)] == ["a", "b", "c"]
    assert [path.stem for path in shipped(tmp_path, ("c", "a"))] == ["a", "c"]


def test_an_unknown_policy_is_an_error_that_lists_the_valid_ones(tmp_path):
    (tmp_path / "a.pt").touch()
    with pytest.raises(ConfigError, match="no policy x; valid are a"):
        shipped(tmp_path, ("a", "x"))


def test_a_folder_without_checkpoints_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="no checkpoints"):
        shipped(tmp_path)


def test_policies_that_see_are_also_evaluated_with_shuffled_images(tmp_path):
    told, left_out = [], []
    paths = [save_policy(tmp_path / "depth.pt", sees=True), save_policy(tmp_path / "state.pt")]
    made = evaluate_shipped(paths, 4, 1, 7, tmp_path / "raw", told.append, left_out.append)
    assert told == list(made) == ["depth", "depth_shuffled", "state"] and not left_out
    found = read_records(tmp_path / "raw")
    assert [record["shuffled_images"] for record in found.values()] == [False, True, False]
    assert all(record["metrics"]["episodes"] == 4 and record["seed"] == 7 for record in found.values())


def test_policies_are_evaluated_on_the_other_tiers_but_for_blind_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("baselines.shipped.evaluate_and_save", lambda args: args)
    paths = [save_policy(tmp_path / "depth.pt", sees=True), save_policy(tmp_path / "state.pt")]
    made = evaluate_shipped(paths, 4, 1, 7, tmp_path, lambda _: None, pytest.fail, ("easy", "hard"))
    assert {name: (args.tier, args.shuffle_images) for name, args in made.items()} == {
        "depth": ("easy", False),
        "depth_shuffled": ("easy", True),
        "depth_hard": ("hard", False),
        "state": ("easy", False),
        "state_hard": ("hard", False),
    }
    assert all(args.out == tmp_path / f"{name}.json" for name, args in made.items())


def test_a_policy_that_does_not_fit_is_told_and_the_others_are_evaluated(tmp_path):
    left_out = []
    paths = [save_policy(tmp_path / "old.pt", schema=0), save_policy(tmp_path / "state.pt")]
    made = evaluate_shipped(paths, 4, 1, 7, tmp_path / "raw", lambda _: None, left_out.append)
    assert list(made) == ["state"] and left_out[0].startswith("old.pt is left out: ")


def test_a_record_says_the_command_that_writes_it_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("baselines.shipped.ROOT", tmp_path)
    path = save_policy(tmp_path / "results" / "checkpoints" / "state.pt")
    evaluate_shipped([path], 4, 2, 7, tmp_path / "raw", lambda _: None, lambda _: None)
    assert read_record(tmp_path / "raw" / "state.json")["command"] == (
        "python -m baselines.evaluate results/checkpoints/state.pt --num-envs 4 --episodes-per-env 2 --seed 7 "
        "--out raw/state.json"
    )
