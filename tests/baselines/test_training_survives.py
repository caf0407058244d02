"""Training runs whose simulators are killed again and again, at random moments."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from baselines.ppo import PPO
from baselines.ppo_config import DEPTH_PPO, PPOConfig
from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.registration import DEPTH_ID
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.limits import Deadlines
from tests.baselines.fake_env import FAKE_CONFIG
from tests.remote.processes import alive, children_of
from tests.remote.test_kill import memory_of_dexgrasp

KILLS = int(os.environ.get("DEXGRASP_KILLS", 50))
"""Of a light environment, for each policy."""
DEPTH_KILLS = int(os.environ.get("DEXGRASP_DEPTH_KILLS", 5))
ROOT = Path(__file__).parents[2]
SERVER = """
import sys
from dexgrasp_envs.remote.server import SimServer
from tests.baselines.fake_env import FakeVectorEnv
endpoint, first = sys.argv[1:]
with SimServer(FakeVectorEnv(4, first=int(first)), {"env_id": "Fake"}, endpoint) as server:
    print("READY", flush=True)
    server.serve()
"""
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("policy", ["wait", "mask"])]


class FakeRemote(RemoteVectorEnv):
    """The fake environment, remote, with what the learner asks of an environment of this package."""

    config: EnvConfig = FAKE_CONFIG


class Killer(threading.Thread):
    """Kills at random moments, until it has done so often enough or is stopped."""

    def __init__(self, kill: Callable[[random.Random], None], most: int, pause: float):
        super().__init__(daemon=True)
        self.kills = 0
        self._kill, self._most, self._pause = kill, most, pause
        self._stopped = threading.Event()

    def run(self) -> None:
        dice = random.Random(0)
        while self.kills < self._most and not self._stopped.wait(dice.uniform(0.0, self._pause)):
            self._kill(dice)
            self.kills += 1

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def train(env: Any, config: PPOConfig, killer: Killer) -> list[dict[str, float]]:
    """Iterations until all kills are done, and two more; what is recorded must be sound in each."""
    learner = PPO(env, config)
    records, more = [], 2
    killer.start()
    try:
        while more:
            records.append(dict(learner.iterate()))
            assert np.isfinite(list(records[-1].values())).all()
            more -= not killer.is_alive()
    finally:
        killer.stop()
    return records


def test_a_light_run_outlives_its_simulators(policy: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    endpoints = [f"ipc://{tmp_path}/{k}" for k in range(2)]

    def start(k: int) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", SERVER, endpoints[k], str(4 * k)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline().startswith("READY")
        return process

    def end(k: int) -> None:
        servers[k].kill()
        servers[k].wait()
        assert servers[k].stdout is not None
        servers[k].stdout.close()

    def kill(dice: random.Random) -> None:
        k = dice.randrange(2)
        end(k)
        servers[k] = start(k)

    servers = [start(k) for k in range(2)]
    deadlines = Deadlines(connect=1.0, heartbeat=0.1, window=1.0, lost=120.0)
    env = FakeRemote(endpoints, on_server_loss=policy, deadlines=deadlines)
    try:
        records = train(env, PPOConfig(n_steps=16, minibatch=64, hidden=(16,)), Killer(kill, KILLS, 0.4))
    finally:
        env.close()
        for k in range(2):
            end(k)
    # Two kills of one server can be one loss to a learner that did not step in between.
    assert 0 < records[-1]["server_losses"] <= KILLS + 2
    assert memory_of_dexgrasp() == [] and children_of(os.getpid()) == set()


def test_a_depth_run_outlives_its_simulators(policy: str) -> None:
    config = EnvConfig().replace(
        observation=replace(EnvConfig().observation, groups=("privileged",), image_size=(48, 64))
    )
    options = {"config": config, "remote": "spawn:2", "threads": 1, "on_server_loss": policy}
    env = gymnasium.make_vec(DEPTH_ID, 8, **options)
    killed: set[int] = set()

    def kill(dice: random.Random) -> None:
        pid = dice.choice(sorted(children_of(os.getpid())))
        killed.add(pid)
        os.kill(pid, signal.SIGKILL)

    ppo = replace(DEPTH_PPO, n_steps=16, minibatch=64, desynchronise=False)
    try:
        # Slower than a simulator is started: it may be killed then too.
        records = train(env, ppo, Killer(kill, DEPTH_KILLS, 30.0))
    finally:
        env.close()
    assert 0 < records[-1]["server_losses"] <= DEPTH_KILLS
    assert memory_of_dexgrasp() == [] and children_of(os.getpid()) == set() and not any(map(alive, killed))
