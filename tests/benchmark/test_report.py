import json
from pathlib import Path

import pytest

from baselines.record import write_record
from benchmark.pages import BEGIN, END
from benchmark.report import TITLES, Args, main, report
from dexgrasp_envs.errors import ConfigError
from tests import records

PROGRESS = "steps,seconds,success_at_end\n100,60.0,\n200,120.0,0.6\n300,180.0,0.9\n"


def fill(project, names):
    """A project's folder with records written in the order of `names`, a progress, remarks and a README."""
    made = records.one_of_each()
    for name in names:
        write_record(project / "results" / "raw" / f"{name}.json", made[name])
    (project / "results" / "raw" / "depth_progress.csv").write_text(PROGRESS)
    (project / "results" / "notes.md").write_text("To begin with.\n\n## Success\n\nHonest words.\n")
    (project / "README.md").write_text(f"# Project\n\n{BEGIN}\n{END}\n\nThe end.\n")
    return Args(project / "results" / "raw", project / "results")


def contents(project):
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in sorted(project.rglob("*"))
        # The page says the command with its folders.
        if path.is_file() and path.name != "README.md"
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a project after a report, and what was told."""
    project, told = tmp_path_factory.mktemp("project"), []
    args = fill(project, sorted(records.one_of_each()))
    (args.raw / "half.json").write_text('{"project": "dexgrasp_envs", "sche')
    (args.raw / "half_progress.csv").write_text(PROGRESS[:-3])
    report(args, told.append)
    return project, told


def test_the_same_records_give_the_same_bytes_also_from_another_folder_order(written, tmp_path, monkeypatch):
    project, _ = written
    found = Path.glob
    monkeypatch.setattr(Path, "glob", lambda self, pattern: reversed(sorted(found(self, pattern))))
    args = fill(tmp_path, reversed(sorted(records.one_of_each())))
    for name in ("half.json", "half_progress.csv"):
        (args.raw / name).write_bytes((project / "results" / "raw" / name).read_bytes())
    report(args, lambda _: None)
    assert contents(tmp_path) == contents(project)
    page = (tmp_path / "results" / "README.md").read_text().replace(str(tmp_path), str(project))
    assert page == (project / "results" / "README.md").read_text()
    assert (tmp_path / "README.md").read_text() == (project / "README.md").read_text()
    report(args, lambda _: None)
    assert contents(tmp_path) == contents(project)


def test_every_kind_has_tables_in_three_forms(written):
    names = (
        "targets", "success", "learning", "grasps", "throughput", "throughput_scaling", "throughput_parts",
        "throughput_memory", "render_frames", "render_meshes", "render_pairs", "render_env_steps", "render_parts",
        "robotfit", "transport_env_steps", "transport_batch", "transport_overlap", "transport_memory",
    )  # fmt: skip
    found = {path.name for path in (written[0] / "results" / "tables").iterdir()}
    assert found == {name + ending for name in names for ending in (".md", ".csv", ".tex")}


def test_the_figures_are_drawn_and_shown(written):
    names = {"success.png", "learning_curve.png", "throughput_scaling.png", "render_frames.png", "render_parts.png"}
    page = (written[0] / "results" / "README.md").read_text()
    assert {path.name for path in (written[0] / "results" / "figures").iterdir()} == names
    assert all(f"](figures/{name})" in page for name in names)


def test_what_is_bad_is_told_and_in_no_table(written):
    project, told = written
    raw = project / "results" / "raw"
    assert [line.partition(" is skipped: it ")[0] for line in told] == [
        str(raw / "half.json"),
        str(raw / "half_progress.csv"),
    ]
    assert not any(b"half" in content for name, content in contents(project).items() if "tables" in name)


def test_the_page_has_each_rows_command_beside_it_and_the_remarks(written):
    page = (written[0] / "results" / "README.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith("| depth_shuffled |"))
    assert row.endswith("| `python -m baselines.evaluate results/checkpoints/depth.pt --shuffle-images` |")
    assert page.index("To begin with.") < page.index("## Success") < page.index("Honest words.")
    assert page.index("Honest words.") < page.index("## Learning curves")


def test_the_readme_gets_the_results_in_short_between_its_marks(written):
    before, _, rest = (written[0] / "README.md").read_text().partition(BEGIN)
    section, _, after = rest.partition(END)
    assert (before, after) == ("# Project\n\n", "\n\nThe end.\n")
    assert "| depth | depth | 90.0 [59.6, 98.2] |" in section and "| blind | proprio only | 0.0 [" in section
    assert "](results/figures/learning_curve.png)" in section and "results/README.md" in section


def test_remarks_of_records_are_shown(tmp_path):
    write_record(tmp_path / "raw" / "fast.json", records.throughput() | {"note": "On a borrowed machine."})
    report(Args(tmp_path / "raw", tmp_path / "out"), lambda _: None)
    assert "`fast`: On a borrowed machine." in (tmp_path / "out" / "README.md").read_text()


def test_a_readme_without_marks_stays_as_it_is(tmp_path):
    args = fill(tmp_path, ["throughput"])
    (tmp_path / "README.md").write_text("Mine.\n")
    report(args, lambda _: None)
    assert (tmp_path / "README.md").read_text() == "Mine.\n"


def test_half_a_pair_of_marks_is_an_error(tmp_path):
    args = fill(tmp_path, ["throughput"])
    (tmp_path / "README.md").write_text(END)
    with pytest.raises(ConfigError, match="must hold the line"):
        report(args, lambda _: None)


def test_a_folder_without_a_valid_record_is_an_error(tmp_path, capsys):
    (tmp_path / "a.json").write_text(json.dumps({"schema": 1}))
    assert main(["--raw", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert "a.json is skipped" in lines[0] and "no valid record" in lines[1]
    assert not (tmp_path / "out").exists()


def test_every_kind_of_record_has_its_section():
    schema = json.loads((Path(__file__).parents[2] / "baselines" / "record.schema.json").read_text())
    assert set(schema["properties"]["kind"]["enum"]) == set(TITLES) - {"targets", "learning", "adr", "controllers"}


def test_the_committed_records_are_valid():
    told = []
    from baselines.record import read_records

    read_records(Path(__file__).parents[2] / "results" / "raw", told.append)
    assert told == []
