import pandas as pd
import pytest

from baselines.record import RecordError
from benchmark.curves import curves_table, read_curve, read_curves, training_command
from tests import records

GOOD = "steps,seconds,success_at_end\n100,1.0,\n200,60.0,0.6\n300,120.0,0.9\n"


def test_a_progress_is_read_with_the_rows_before_any_episode_ended(tmp_path):
    (tmp_path / "a_progress.csv").write_text(GOOD)
    frame = read_curve(tmp_path / "a_progress.csv")
    assert frame["steps"].tolist() == [100, 200, 300] and frame["success_at_end"].isna().tolist() == [
        True,
        False,
        False,
    ]


BAD = {
    "nothing": ("", "ends within a line"),
    "half": (GOOD[:-8], "ends within a line"),
    "foreign": ("a,b\n1,2\n", "lacks the column steps, seconds, success_at_end"),
    "ragged": (GOOD + "1,2,3,4,5\n", "is no table"),
    "empty": ("\n", "is no table"),
    "words": (GOOD.replace("0.6", "often"), "outside 0 to 1"),
    "per_cent": (GOOD.replace("0.6", "60"), "outside 0 to 1"),
    "back": (GOOD.replace("300,", "150,"), "missing or fall"),
    "hole": (GOOD.replace("300,120.0", "300,"), "missing or fall"),
    "no_rows": ("steps,seconds,success_at_end\n", "no rows"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_a_progress_is_said(tmp_path, name):
    content, reason = BAD[name]
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(RecordError, match=reason):
        read_curve(tmp_path / "a.csv")


def test_bad_files_are_told_and_skipped(tmp_path):
    told = []
    for name in ("b", "a"):
        (tmp_path / f"{name}_progress.csv").write_text(GOOD)
    (tmp_path / "bad_progress.csv").write_text(GOOD[:-8])
    assert list(read_curves(tmp_path, told.append)) == ["a", "b"]
    assert told == [f"{tmp_path / 'bad_progress.csv'} is skipped: it ends within a line"]


def test_the_table_says_when_a_level_was_reached():
    progress = pd.DataFrame({"steps": [100, 200], "seconds": [60.0, 120.0], "success_at_end": [0.1, 0.6]})
    table = curves_table({"depth": progress, "lost": progress}, {"depth": records.evaluation()})
    row = table.shown.iloc[0]
    assert (row["steps"], row["minutes"]) == ("200", "2.0")
    assert (row["first at 50%"], row["first at 80%"]) == ("200 steps, 2.0 min", "never")
    assert table.commands[0].startswith("python -m baselines.train DexGrasp/") and table.commands[1] == ""


def test_training_commands_are_those_that_were_given():
    blind = {"env_id": "Some/Id-v0", "minutes": None, "steps": 300, "seed": 1, "blind": True, "out": "runs/blind"}
    assert training_command(blind) == (
        "python -m baselines.train Some/Id-v0 --minutes None --steps 300 --seed 1 --blind --out runs/blind"
    )
    begun = {"env_id": "Some/Id-v0", "minutes": 8.0, "sim": "spawn:2", "seed": 1, "start_from": {"path": "a.pt"}}
    assert training_command(begun | {"out": "runs/b"}) == (
        "python -m baselines.train Some/Id-v0 --minutes 8.0 --sim spawn:2 --seed 1 --start-from a.pt --out runs/b"
    )
    other = {"env_id": "Some/Id-v0", "minutes": 8.0, "randomisation": "paper", "ppo": {}, "out": "runs/c"}
    changed = {"objects": "train", "spawn.half_extent": [0.1, 0.2]}
    assert training_command(other | {"env": changed}) == (
        "python -m baselines.train Some/Id-v0 --minutes 8.0 --env.objects train --env.spawn.half-extent 0.1 0.2 "
        "--randomisation paper --out runs/c"
    )
    student = {"teacher": "a.pt", "minutes": 7.5, "teacher_minutes": 2.5, "seed": 1, "out": "runs/dagger"}
    assert training_command(student) == (
        "python -m baselines.distill --teacher a.pt --minutes 7.5 --teacher-minutes 2.5 --seed 1 --out runs/dagger"
    )
    assert training_command({}) == ""
