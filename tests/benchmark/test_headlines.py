from benchmark.headlines import headlines
from tests import records


def test_figures_are_held_against_their_targets():
    table = headlines(records.one_of_each())
    assert table is not None
    met = dict(zip(table.shown["figure"], table.shown["met"], strict=True))
    assert met["state env-steps/s, of the fastest bare MuJoCo"] == "yes"
    assert met["depth 120x160 env-steps/s, of State"] == "**no**"
    assert met["deepest penetration of an object, mm"] == "**no**"
    assert met["stereo pairs 120x160/s on one core, of MuJoCo's OpenGL"] == "**no**"
    assert met["two groups, policy sleeps as long as a step"] == "yes"
    assert met["batch copied into shared memory, copied out: memcpys in all"] == "**no**"
    assert met["batch drawn into shared memory, seen there: memcpys added"] == "yes"
    assert met["depth error of the primitives, mm"] == "yes"


def test_each_record_is_held_against_them_on_its_own():
    table = headlines({"slow": records.throughput(100.0), "fast": records.throughput(900.0)})
    assert table is not None
    assert table.shown[["measured", "met", "record"]].to_numpy().tolist() == [
        ["0.1", "**no**", "slow"],
        ["0.9", "yes", "fast"],
    ]


def test_what_was_not_measured_has_no_row():
    assert headlines({"depth": records.evaluation()}) is None
    record = records.render()
    del record["metrics"]["frames_per_second_and_core"]["120x160"]
    table = headlines({"render": record})
    assert table is not None and len(table.shown) == 4
