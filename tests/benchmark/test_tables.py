from benchmark import tables
from tests import records


def test_throughput_has_a_row_a_competitor_and_the_ratio_to_the_fastest_bare_one():
    rates, scaling, parts, memory = tables.throughput({"throughput": records.throughput()})
    assert rates.shown[["simulator", "env-steps/s", "ratio"]].to_numpy().tolist() == [
        ["dexgrasp_envs", "900", "0.9"],
        ["mujoco.batch.Batch", "1,000", "1"],
    ]
    assert scaling.numbers["environments"].tolist() == [2, 16]
    assert parts.shown["share"].tolist() == ["0.9", "0.1"]
    assert memory.shown["KiB each"].tolist() == ["50"]


def test_envpools_other_work_gets_no_ratio():
    record = records.throughput()
    record["metrics"]["envpool"] = {"env_id": "Hand-v1", "env_steps_per_second": 50.0, "substeps_per_second": 250.0}
    row = tables.throughput({"throughput": record})[0].shown.iloc[-1]
    assert row["simulator"] == "EnvPool Hand-v1 (other work)" and (row["env-steps/s"], row["ratio"]) == ("50", "")


def test_two_records_of_a_kind_are_rows_of_their_own():
    rates = tables.throughput({"a": records.throughput(500.0), "b": records.throughput(900.0)})[0]
    own = rates.numbers[rates.numbers["simulator"] == "dexgrasp_envs"]
    assert own[["record", "env-steps/s"]].to_numpy().tolist() == [["a", 500.0], ["b", 900.0]]


def test_image_sizes_go_from_small_to_large():
    frames, meshes, pairs, rates, parts = tables.render({"render": records.render()})
    assert pairs.shown[["height x width", "ratio"]].to_numpy().tolist() == [["120x160", "3"]]
    assert frames.shown["height x width"].tolist() == ["48x64", "120x160"]
    assert rates.shown["ratio"].tolist() == ["1", "0.6", "0.1"]
    assert meshes.shown["ratio"].tolist() == ["7"]
    assert parts.shown[["environment", "part"]].to_numpy().tolist()[-1] == ["depth", "physics"]


def test_figures_that_do_not_exist_are_left_blank():
    row = tables.grasps({"grasps": records.grasps()})[0].shown.iloc[0]
    assert row["most"] == "10" and row["object's speed in the hold m/s, median"] == ""


def test_robotfit_is_one_row_a_record():
    table = tables.robotfit({"robotfit": records.robotfit()})[0]
    assert len(table.shown) == 1 and table.shown.iloc[0]["silhouette IoU, mean"] == "0.9"


def test_ways_of_transport_are_held_against_what_cannot_be_left_out():
    rates, times, overlaps, memory = tables.transport({"transport": records.transport()})
    assert rates.shown[["way", "ratio"]].to_numpy().tolist() == [
        ["in process", "1"],
        ["shared memory", "0.9"],
        ["tcp", "0.85"],
    ]
    assert times.shown[["way", "ms", "ratio"]].to_numpy().tolist() == [
        ["memcpy", "1", "1"],
        ["shared memory", "2", "2"],
    ]
    assert overlaps.shown[["one, ms", "two, ms", "ratio"]].to_numpy().tolist() == [
        ["40", "20", "2"],
        ["500", "400", "1.25"],
        ["300", "400", "0.75"],
    ]
    assert memory.shown["MiB"].tolist() == ["60", "61"]


def test_every_row_has_the_command_of_its_record():
    for table in tables.render({"render": records.render()}):
        assert table.commands == ["python -m benchmark.run render"] * len(table.shown)
