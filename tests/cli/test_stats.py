import pytest

from dexgrasp_envs.cli import main
from dexgrasp_envs.cli.stats import rows
from dexgrasp_envs.remote.server import SimServer
from tests.remote.envs import cartpole

ZEROS = dict.fromkeys(("calls", "received", "sent", "shared", "env", "serialise", "idle"), 0)
BEFORE = {**ZEROS, "uptime": 8.0, "steps": 100, "env": 1.0, "silent": None, "memory": False}
AFTER = {**ZEROS, "uptime": 10.0, "steps": 500, "env": 2.0, "sent": 4 << 20, "silent": 0.5, "memory": True}


def test_rates_are_those_between_two_readings_and_those_since_the_start() -> None:
    shown = {name: values for name, *values in rows(BEFORE, AFTER)}
    assert shown["steps/s"] == ["200.0", "50.0"]
    assert shown["sent, MiB/s"] == ["2.0", "0.4"]
    assert shown["time: env"] == ["50%", "20%"]
    assert shown["uptime"] == ["", "10 s"]


def test_the_client_and_its_memory_are_shown() -> None:
    shown = {name: values for name, *values in rows(BEFORE, AFTER)}
    assert shown["client"][0] == "heard of 0.5 s ago" and shown["images through"][0] == "shared memory"
    assert dict((name, now) for name, now, _ in rows(AFTER, {**BEFORE, "uptime": 11.0}))["client"] == "none"


def test_a_running_server_is_shown(capsys: pytest.CaptureFixture) -> None:
    with SimServer(cartpole(2), {"env_id": "CartPole-v1"}, "tcp://127.0.0.1:*") as server:
        assert main(["stats", server.endpoint, "--seconds", "0.1"]) == 0
    shown = capsys.readouterr().out
    assert "2 x CartPole-v1" in shown and "steps/s" in shown


def test_what_is_no_address_is_an_error(capsys: pytest.CaptureFixture) -> None:
    assert main(["stats", "nowhere"]) == 1
    assert capsys.readouterr().err.startswith("dexgrasp stats: ")
