import os
import signal

from baselines.run_folder import interrupts, progress_csv, rows_until


def test_rows_are_readable_as_soon_as_they_are_written(tmp_path):
    with progress_csv(tmp_path, ("steps", "loss"), []) as rows:
        rows.writerow({"steps": 1, "loss": 0.5, "another": 3})
        assert rows_until(tmp_path / "progress.csv", 1) == [{"steps": "1", "loss": "0.5"}]


def test_kept_rows_come_first_and_later_ones_are_dropped(tmp_path):
    with progress_csv(tmp_path, ("steps", "loss"), []) as rows:
        rows.writerows({"steps": steps} for steps in (1, 2, 3))
    kept = rows_until(tmp_path / "progress.csv", 2)
    with progress_csv(tmp_path, ("steps", "loss"), kept) as rows:
        rows.writerow({"steps": 9})
    assert [row["steps"] for row in rows_until(tmp_path / "progress.csv", 10)] == ["1", "2", "9"]


def test_without_a_table_there_are_no_rows(tmp_path):
    assert rows_until(tmp_path / "progress.csv", 5) == []


def test_signals_are_collected_and_their_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with interrupts() as caught:
        os.kill(os.getpid(), signal.SIGTERM)
        assert caught == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before
