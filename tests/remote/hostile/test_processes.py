"""Processes that stop in the midst of things: the other end notices in time, and the server serves the next client."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dexgrasp_envs.errors import ServerBusy, ServerLost
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.limits import WINDOW, Deadlines
from tests.remote.conftest import Serve
from tests.remote.envs import cartpole

Start = Callable[..., subprocess.Popen]
SERVER = """
import sys
from dexgrasp_envs.remote.server import SimServer
from tests.remote.envs import cartpole
with SimServer(cartpole(2), {}, "tcp://127.0.0.1:*", window=float(sys.argv[1])) as server:
    print(server.endpoint, flush=True)
    server.serve()
"""
LEARNER = """
import sys, time
from dexgrasp_envs.remote.client import RemoteVectorEnv
envs = RemoteVectorEnv([sys.argv[1]])
envs.reset(seed=0)
print("learning", flush=True)
while True:
    envs.step(envs.action_space.sample())
"""


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Python code in another process, and gives that process and the line that it prints first."""
    started = []

    def start_one(code: str, *arguments: str) -> tuple[subprocess.Popen, str]:
        command = [sys.executable, "-c", code, *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start_one
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def connect_when_free(endpoint: str, seconds: float) -> float:
    """Connect, reset and step; how long the server was busy, s."""
    begun = time.monotonic()
    while True:
        try:
            envs = RemoteVectorEnv([endpoint], deadlines=Deadlines(connect=20.0, call=20.0))
            break
        except ServerBusy:
            assert time.monotonic() < begun + seconds, "the server is not free in time"
            time.sleep(0.1)
    waited = time.monotonic() - begun
    envs.reset(seed=0)
    envs.step(np.zeros(2, int))
    envs.close()
    return waited


def test_a_server_that_is_paused_beyond_the_window_is_lost_and_serves_again_when_it_goes_on(start: Start) -> None:
    server, endpoint = start(SERVER, "1.0")
    envs = RemoteVectorEnv([endpoint], deadlines=Deadlines(connect=20.0, call=20.0, heartbeat=0.1, window=1.0))
    envs.reset(seed=0)
    os.kill(server.pid, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(ServerLost, match="silent for 1 s"):
        envs.step(np.zeros(2, int))
    assert 0.9 < time.monotonic() - begun < 10.0
    envs.close()
    os.kill(server.pid, signal.SIGCONT)
    connect_when_free(endpoint, 20.0)


def test_a_server_that_is_paused_within_the_window_is_waited_for(start: Start) -> None:
    server, endpoint = start(SERVER, "10.0")
    envs = RemoteVectorEnv([endpoint], deadlines=Deadlines(connect=20.0, call=20.0, heartbeat=0.1, window=10.0))
    local = cartpole(2)
    assert np.array_equal(envs.reset(seed=0)[0], local.reset(seed=0)[0])
    os.kill(server.pid, signal.SIGSTOP)
    subprocess.Popen(["sh", "-c", f"sleep 1; kill -CONT {server.pid}"])
    assert np.array_equal(envs.step(np.zeros(2, int))[0], local.step(np.zeros(2, int))[0])
    envs.close()
    local.close()


@pytest.mark.parametrize("window", [1.0, pytest.param(WINDOW, marks=pytest.mark.slow)])
def test_a_learner_that_is_killed_frees_the_server_within_the_window(serve: Serve, start: Start, window: float) -> None:
    server = serve(cartpole(2), window=window)
    learner, said = start(LEARNER, server.endpoint)
    assert said == "learning"
    with pytest.raises(ServerBusy):
        RemoteVectorEnv([server.endpoint])
    learner.kill()
    waited = connect_when_free(server.endpoint, window + 10.0)
    assert waited > 0.5 * window
