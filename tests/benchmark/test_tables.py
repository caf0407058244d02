from benchmark import tables
from tests import records


def test_throughput_has_a_row_a_competitor_and_the_ratio_to_the_fastest_bare_one():
    rates, scaling, parts = tables.throughput({"throughput": records.throughput()})
    assert rates.shown[["simulator", "env-steps/s", "ratio"]].to_numpy().tolist() == [
        ["dexgrasp_envs", "900", "0.9"],
        ["mujoco.batch.Batch", "1,000", "1"],
    ]
    assert scaling.numbers["environments"].tolist() == [2, 16]
    assert parts.shown["share"].tolist() == ["0.9", "0.1"]


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
    frames, rates = tables.render({"render": records.render()})
    assert frames.shown["height x width"].tolist() == ["48x64", "120x160"]
    assert rates.shown["ratio"].tolist() == ["1", "0.6", "0.1"]


def test_figures_that_do_not_exist_are_left_blank():
    row = tables.grasps({"grasps": records.grasps()})[0].shown.iloc[0]
    assert row["most"] == "10" and row["object's speed in the hold m/s, median"] == ""


def test_robotfit_is_one_row_a_record():
    table = tables.robotfit({"robotfit": records.robotfit()})[0]
    assert len(table.shown) == 1 and table.shown.iloc[0]["silhouette IoU, mean"] == "0.9"


def test_other_kinds_have_one_row_a_figure():
    table = tables.other("transport", {"transport": records.transport()})[0]
    assert table.shown[["figure", "value"]].to_numpy().tolist() == [
        ["shm.env_steps_per_second", "1,234"],
        ["sizes.0", "1"],
        ["sizes.1", "2"],
    ]


def test_every_row_has_the_command_of_its_record():
    for table in tables.render({"render": records.render()}):
        assert table.commands == ["python -m benchmark.run render"] * len(table.shown)
