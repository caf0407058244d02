import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dexgrasp_envs.cli import launch, main
from dexgrasp_envs.registration import STATE_ID


@pytest.mark.parametrize(
    ("arguments", "word"),
    [([STATE_ID], "--ray"), (["CartPole-v1", "--ray"], STATE_ID), ([STATE_ID, "--ray", "--servers", "3"], "servers")],
)
def test_what_cannot_be_launched_is_refused_before_ray_is_asked(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(["launch", *arguments]) == 1
    assert word in capsys.readouterr().err


def test_servers_are_asked_for_with_their_rows_and_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    class Placed:
        keys = Path("keys")

        def __init__(self, *arguments: Any):
            asked.update(zip(("commands", "bundle", "files", "address"), arguments, strict=True))

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: Any) -> None:
            asked["closed"] = True

    monkeypatch.setattr(launch, "RayServers", Placed)
    monkeypatch.setattr(launch, "supervise", lambda placed, stop: None)
    monkeypatch.setattr(launch.signal, "signal", lambda *_: None)
    options = ["--servers", "2", "--num-envs", "6", "--groups", "2", "--cpus", "3", "--gpus", "0.5"]
    assert main(["launch", STATE_ID, "--ray", *options]) == 0
    first, second = (" ".join(command) for command in asked["commands"])
    assert "--threads 3 --groups 2 --num-envs 3 --first-env-index 0 4" in first
    assert "--num-envs 3 --first-env-index 2 5" in second
    assert asked["bundle"] == {"CPU": 3, "GPU": 0.5} and "config.json" in asked["files"] and asked["closed"]


def test_a_server_that_ends_is_started_again_and_told_anew(capsys: pytest.CaptureFixture) -> None:
    class Server:
        endpoint, generation, ends = "tcp://a:1", 0, [None, "it fell over", None]

        def ended(self, generation: int) -> str | None:
            return self.ends.pop(0)

        def revive(self, generation: int, given_up: Any) -> None:
            self.endpoint, self.generation = "tcp://b:2", 1

    class Stop(threading.Event):
        looks = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.looks += 1
            if self.looks == 3:
                self.set()
            return True

    class Placed(SimpleNamespace):
        @property
        def endpoints(self) -> list[str]:
            return [server.endpoint for server in self.servers]

    launch.supervise(Placed(servers=[Server()]), Stop())
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ["READY tcp://a:1", "READY tcp://b:2"]
    assert "it fell over" in shown.err
