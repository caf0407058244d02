from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from benchmark.run import All, main, parse, run
from benchmark.suites import QUICK, WITHOUT_DATA, Suite, Throughput
from dexgrasp_envs.errors import ConfigError
from tests import records


@dataclass(frozen=True, kw_only=True)
class Fake(Suite):
    """Fails, or makes two records."""

    fails: bool = False

    def run(self, tell):
        tell("at work")
        if self.fails:
            raise ConfigError("no luck; try again")
        return {"one": records.throughput(), "two": records.evaluation()}


def test_an_unknown_suite_is_refused_with_the_valid_ones(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["speed"])
    assert stopped.value.code == 2
    words = capsys.readouterr().err
    assert all(name in words for name in ("all", "throughput", "render", "grasps", "success", "robotfit"))


def test_an_unknown_policy_is_refused_with_the_valid_ones(tmp_path, capsys):
    (tmp_path / "state.pt").touch()
    assert main(["success", "--policies", "nobody", "--checkpoints", str(tmp_path)]) == 1
    assert "no policy nobody; valid are state" in capsys.readouterr().err


def test_quick_changes_the_defaults_and_nothing_that_is_said():
    assert parse(["throughput"]) == Throughput()
    assert parse(["throughput", "--quick"]) == QUICK[Throughput]
    chosen = parse(["throughput", "--steps", "77", "--quick"])
    assert isinstance(chosen, Throughput) and chosen.steps == 77 and chosen.num_envs == QUICK[Throughput].num_envs


@pytest.mark.parametrize("suite", ["render", "grasps", "success"])
def test_every_suite_has_quick_settings(suite):
    assert parse([suite, "--quick"]) == next(one for kind, one in QUICK.items() if kind.__name__.lower() == suite)


def test_robotfit_needs_its_folder_in_quick_settings_too(capsys):
    assert parse(["robotfit", "--quick", "--data", "somewhere"]).data == Path("somewhere")
    with pytest.raises(SystemExit):
        parse(["robotfit", "--quick"])
    assert "--data" in capsys.readouterr().err


def test_all_runs_every_suite_that_needs_no_data_into_one_folder():
    chosen = parse(["all", "--quick", "--out", "there"])
    assert isinstance(chosen, All)
    assert [type(suite) for suite in chosen.suites()] == list(WITHOUT_DATA)
    assert all(suite.quick and suite.out == Path("there") for suite in chosen.suites())
    assert not any(suite.quick for suite in All().suites())


def test_records_are_shown_with_where_they_are():
    console = Console(record=True, width=100)
    assert run([Fake(out=Path("there"))], console) == 0
    text = console.export_text()
    assert "ratio_to_fastest_bare" in text and "wrote there/one.json" in text and "wrote there/two.json" in text


def test_a_suite_that_fails_is_told_and_the_others_run(capsys):
    console = Console(record=True, width=100)
    assert run([Fake(fails=True), Fake()], console) == 1
    assert "fake: no luck; try again" in capsys.readouterr().err
    assert "wrote runs/benchmark/one.json" in console.export_text()
