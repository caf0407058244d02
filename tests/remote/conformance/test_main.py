import pytest

from dexgrasp_envs.remote.conformance.__main__ import main
from dexgrasp_envs.remote.conformance.suite import CHECKS
from tests.remote.conftest import Serve
from tests.remote.envs import cartpole


def test_a_server_that_conforms_exits_with_0_and_a_line_for_each_check(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([serve(cartpole()).endpoint, "--env-id", "test"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == [check.__name__ for check in CHECKS]
    assert "0 failed" in lines[-1]


def test_one_that_does_not_exits_with_1(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([serve(cartpole()).endpoint, "--env-id", "Other-v0"]) == 1
    assert "1 failed" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nowhere"], ["tcp://127.0.0.1:5", "--keys", "no such folder"]])
def test_what_cannot_be_checked_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err
