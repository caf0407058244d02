import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dexgrasp_envs.cli import main
from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.keys import ClientKeys, write_keys
from dexgrasp_envs.remote.wire import Kind
from tests.remote.raw_client import RawClient

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `dexgrasp serve` with some arguments, and ends it."""
    started: list[subprocess.Popen[str]] = []

    def start_one(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "dexgrasp_envs.cli", "serve", *arguments]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_hear_interrupts
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def _hear_interrupts() -> None:
    """Tests that run in the background hand on that SIGINT is ignored, which the server would respect."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def endpoint_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    word, endpoint = process.stdout.readline().split()
    assert word == "READY"
    return endpoint


def test_any_registered_environment_is_served(start: Start) -> None:
    process = start("CartPole-v1", "--num-envs", "3", "--bind", "tcp://127.0.0.1:*", "--autoreset-mode", "NextStep")
    envs = RemoteVectorEnv([endpoint_of(process)], {"env_id": "CartPole-v1", "autoreset_mode": "NextStep"})
    envs.reset(seed=0)
    assert envs.step(np.zeros(3, int))[0].shape == (3, 4)
    envs.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_it_ends_in_good_order_when_it_is_told_to(start: Start, number: signal.Signals) -> None:
    process = start("CartPole-v1", "--bind", "tcp://127.0.0.1:*")
    endpoint_of(process)
    os.kill(process.pid, number)
    assert process.wait(30) == 0


def test_one_of_our_environments_says_all_that_a_learner_insists_on(start: Start, tmp_path: Path) -> None:
    config = EnvConfig().replace(objects="primitives12").observing("privileged", "state")
    (tmp_path / "config.json").write_text(config.to_json())
    tmp_path.chmod(0o700)
    arguments = ["--config", str(tmp_path / "config.json"), "--first-env-index", "4", "--num-envs", "2"]
    process = start("DexGrasp/KukaAllegro-State-v0", *arguments, "--bind", f"ipc://{tmp_path}/s", "--threads", "1")
    envs = RemoteVectorEnv([endpoint_of(process)])
    (identity,) = envs.identities
    assert identity["config_hash"] == config.hash() and identity["first_env_index"] == 4
    assert identity["seeding"] == "index" and len(identity["fingerprint"]) == 16 and len(identity["object_names"]) == 12
    # The warm-up before was another environment's: this one still has to be reset, and counts from its first episode.
    _, infos = envs.reset()
    assert infos["episode_index"].tolist() == [0, 0]
    envs.close()


def test_an_address_that_others_can_reach_is_refused(start: Start) -> None:
    process = start("CartPole-v1", "--bind", "tcp://0.0.0.0:*")
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1 and error.startswith("dexgrasp serve: ") and "--insecure" in error


def test_with_keys_it_serves_everywhere_who_has_them(start: Start, tmp_path: Path) -> None:
    write_keys(tmp_path / "keys")
    endpoint = endpoint_of(start("CartPole-v1", "--bind", "tcp://0.0.0.0:*", "--keys", str(tmp_path / "keys")))
    envs = RemoteVectorEnv([endpoint.replace("0.0.0.0", "127.0.0.1")], keys=ClientKeys.load(tmp_path / "keys"))
    envs.reset(seed=0)
    envs.close()


def test_keys_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["serve", "CartPole-v1", "--keys", str(tmp_path)]) == 1
    assert "dexgrasp keys" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--config", "{}"], ["--first-env-index", "1"], ["--threads", "1"]])
def test_options_of_our_environments_are_refused_for_others(option: list[str], capsys: pytest.CaptureFixture) -> None:
    assert main(["serve", "CartPole-v1", *option]) == 1
    assert "not for CartPole-v1" in capsys.readouterr().err


def test_a_configuration_that_is_not_there_is_named(capsys: pytest.CaptureFixture) -> None:
    assert main(["serve", "DexGrasp/KukaAllegro-State-v0", "--config", "none.json"]) == 1
    assert "none.json" in capsys.readouterr().err


def test_help_has_examples() -> None:
    command = [sys.executable, "-m", "dexgrasp_envs.cli", "serve", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "dexgrasp serve DexGrasp/KukaAllegro-State-v0 --num-envs 64" in text and "--insecure" in text


def test_groups_are_served_with_their_indices(start: Start) -> None:
    arguments = ["--num-envs", "3", "--groups", "2", "--first-env-index", "4", "10", "--threads", "1"]
    process = start("DexGrasp/KukaAllegro-State-v0", *arguments, "--bind", "tcp://127.0.0.1:*")
    envs = RemoteVectorEnv([endpoint_of(process)])
    assert [identity["first_env_index"] for identity in envs.identities] == [4, 10]
    assert [group.num_envs for group in envs.groups] == [2, 1]
    envs.close()


def test_as_many_indices_as_groups_are_needed(capsys: pytest.CaptureFixture) -> None:
    command = ["serve", "DexGrasp/KukaAllegro-State-v0", "--num-envs", "3", "--groups", "3"]
    assert main([*command, "--first-env-index", "1", "2"]) == 1
    assert "one for each of 3 groups" in capsys.readouterr().err


def test_a_goodbye_is_said_at_the_end_and_events_are_told(start: Start) -> None:
    process = start("CartPole-v1", "--bind", "tcp://127.0.0.1:*")
    client = RawClient(endpoint_of(process))
    try:
        client.begin()
        client.call(2, "step", actions=np.zeros(1, int))
        kinds = [client.receive()[0].kind]
        process.terminate()
        kinds.append(client.receive()[0].kind)
    finally:
        client.close()
    _, error = process.communicate(timeout=30)
    assert kinds == [Kind.REPLY, Kind.GOODBYE] and process.returncode == 0
    assert [json.loads(line)["event"] for line in error.splitlines()] == ["listening", "client_came", "ended"]
