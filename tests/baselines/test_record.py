import copy
import json

import numpy as np
import pytest

from baselines.record import RecordError, new_record, read_record, read_records, validate, write_record
from dexgrasp_envs.errors import ConfigError
from tests import records


def changed(record, *path, to):
    """A copy with another value at `path`."""
    result = copy.deepcopy(record)
    place = result
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return result


def without(record, key):
    return {name: value for name, value in record.items() if name != key}


@pytest.mark.parametrize("name", records.one_of_each())
def test_every_kind_of_record_is_read_as_it_was_written(tmp_path, name):
    record = records.one_of_each()[name]
    write_record(tmp_path / "raw" / "a.json", record)
    assert read_record(tmp_path / "raw" / "a.json") == record


def test_a_new_record_says_where_it_comes_from():
    record = new_record("transport", {"rate": 1.5}, {"Some/Id-v0": "0" * 16}, 3, "benchmark.run", ["transport"])
    validate(record)
    assert record["command"] == "python -m benchmark.run transport" and record["seed"] == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_not_written(tmp_path, value):
    with pytest.raises(RecordError, match="finite"):
        write_record(tmp_path / "a.json", changed(records.throughput(), "metrics", "contact_share", to=value))
    assert not list(tmp_path.iterdir())


def test_an_invalid_record_leaves_the_one_before_in_place(tmp_path):
    write_record(tmp_path / "a.json", records.throughput())
    with pytest.raises(RecordError, match="rounds"):
        write_record(tmp_path / "a.json", changed(records.throughput(), "metrics", "rounds", to=0))
    assert read_record(tmp_path / "a.json") == records.throughput()


GOOD = json.dumps(records.throughput())
BAD = {
    "nothing": ("", "no whole JSON"),
    "half": (GOOD[: len(GOOD) // 2], "no whole JSON"),
    "bytes": (b"\xff\xfe\x00", "no whole JSON"),
    "deep": ("[" * 100_000, "no whole JSON"),
    "list": ("[1, 2]", "not a record of this project"),
    "foreign": ('{"name": "other", "version": 2}', "not a record of this project"),
    "old": (json.dumps(changed(records.throughput(), "schema", to=1)), "schema version 1, expected 2"),
    "nan": (GOOD.replace("0.5", "NaN"), "holds NaN"),
    "infinite": (GOOD.replace("0.5", "1e999"), "holds 1e999"),
    "lacking": (json.dumps(without(records.throughput(), "command")), "'command' is a required"),
    "lacking_metric": (json.dumps(changed(records.throughput(), "metrics", to={"steps": 3})), "is a required"),
    "unknown_field": (json.dumps(records.throughput() | {"remark": "x"}), "'remark' was unexpected"),
    "unknown_kind": (json.dumps(changed(records.throughput(), "kind", to="speed")), "'speed' is not one of"),
    "text": (json.dumps(changed(records.throughput(), "metrics", "scaling", "2", to="fast")), "scaling"),
    "rate": (json.dumps(changed(records.evaluation(9), "metrics", "lifted", "rate", to=0.8)), "0.8 for lifted"),
    "episodes": (json.dumps(changed(records.evaluation(9), "metrics", "episodes", to=11)), "for 11 episodes"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_a_file_is_said(tmp_path, name):
    content, reason = BAD[name]
    path = tmp_path / "a.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RecordError, match=reason):
        read_record(path)


def test_bad_files_of_a_folder_are_named_on_stderr_and_skipped(tmp_path, capsys):
    write_record(tmp_path / "good.json", records.throughput())
    for name, (content, _) in BAD.items():
        (tmp_path / f"{name}.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "folder.json").mkdir()
    assert list(read_records(tmp_path)) == ["good"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(BAD) + 1
    assert all(any(f"{name}.json is skipped: it " in line for line in lines) for name in [*BAD, "folder"])


def test_records_of_one_kind_stay_apart_under_the_names_of_their_files(tmp_path):
    for name, rate in (("b", 1.0), ("a", 2.0)):
        write_record(tmp_path / f"{name}.json", records.throughput(rate))
    found = read_records(tmp_path)
    assert [(name, record["metrics"]["ratio_to_fastest_bare"]) for name, record in found.items()] == [
        ("a", 0.002),
        ("b", 0.001),
    ]


def test_a_copy_is_skipped(tmp_path):
    told = []
    for name in ("b", "a"):
        write_record(tmp_path / f"{name}.json", records.throughput())
    assert list(read_records(tmp_path, told.append)) == ["a"]
    assert told == [f"{tmp_path / 'b.json'} is skipped: it is a copy of a.json"]


def test_a_folder_without_a_valid_record_is_an_error(tmp_path, capsys):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"no valid record .* \(1 skipped\)"):
        read_records(tmp_path)
    with pytest.raises(ConfigError, match=r"\(0 skipped\)"):
        read_records(tmp_path / "nowhere")


def test_figures_of_numpy_are_numbers(tmp_path):
    write_record(tmp_path / "a.json", changed(records.throughput(), "metrics", "contact_share", to=np.float64(0.25)))
    assert read_record(tmp_path / "a.json")["metrics"]["contact_share"] == 0.25
