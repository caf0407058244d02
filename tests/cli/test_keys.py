from pathlib import Path

import pytest

from dexgrasp_envs.cli import main
from dexgrasp_envs.remote.keys import ClientKeys, ServerKeys


def test_keys_are_written_and_named_but_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = tmp_path / "keys"
    assert main(["keys", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert set(shown.split()) == {str(path) for path in folder.iterdir()}
    for keys in (ServerKeys.load(folder), ClientKeys.load(folder)):
        assert keys.secret.decode() not in shown


def test_a_folder_that_holds_keys_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    main(["keys", str(tmp_path / "keys")])
    assert main(["keys", str(tmp_path / "keys")]) == 1
    assert "without keys" in capsys.readouterr().err
