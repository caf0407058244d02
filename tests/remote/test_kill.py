"""Servers that are killed again and again, at random moments, while they are stepped."""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.limits import Deadlines
from dexgrasp_envs.remote.segment import host
from tests.remote.processes import children_of

KILLS = 25
"""For each policy."""
ROOT = Path(__file__).parents[2]
SERVER = """
import sys
from pathlib import Path
from dexgrasp_envs.remote.server import SimServer
from tests.remote.envs import COUNTING, CountingEnv
endpoint, first, log = sys.argv[1:]
env = CountingEnv(2, int(first), length=20, log=Path(log), seconds=0.002, image=300)
with SimServer(env, COUNTING, endpoint) as server:
    print("READY", flush=True)
    server.serve()
"""


class Victims:
    """Two servers of two environments each; one of them at random is killed and started again."""

    def __init__(self, folder: Path):
        folder.chmod(0o700)
        self.log = folder / "log"
        self.endpoints = [f"ipc://{folder}/{k}" for k in range(2)]
        self.processes = [self._start(k) for k in range(2)]
        self.kills = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._rage)

    def _start(self, k: int) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", SERVER, self.endpoints[k], str(2 * k), str(self.log)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline().startswith("READY")
        return process

    def rage(self) -> None:
        self._thread.start()

    def _rage(self) -> None:
        dice = random.Random(0)
        while self.kills < KILLS and not self._stop.is_set():
            time.sleep(dice.uniform(0.0, 0.4))
            k = dice.randrange(2)
            self._end(k)
            self.processes[k] = self._start(k)
            self.kills += 1

    def _end(self, k: int) -> None:
        process = self.processes[k]
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for k in range(2):
            self._end(k)


def memory_of_dexgrasp() -> list[str]:
    """What of shared memory this process has, open or mapped."""
    links = []
    for path in Path("/proc/self/fd").iterdir():
        try:
            links.append(os.readlink(path))
        except OSError:
            continue
    maps = Path("/proc/self/maps").read_text().splitlines()
    return [entry for entry in links + maps if "memfd:dexgrasp" in entry]


def named_memory() -> set[str]:
    """What lies in /dev/shm, other programs' semaphores apart."""
    return {name for name in os.listdir("/dev/shm") if not name.startswith("sem.")}


@pytest.mark.slow
@pytest.mark.skipif(host() is None, reason="this system has no memfd")
@pytest.mark.parametrize("policy", ["wait", "mask"])
def test_no_environment_is_stepped_twice_and_nothing_is_left(tmp_path: Path, policy: str) -> None:
    names = named_memory()
    victims = Victims(tmp_path)
    deadlines = Deadlines(connect=1.0, heartbeat=0.1, window=1.0, lost=120.0)
    envs = RemoteVectorEnv(victims.endpoints, on_server_loss=policy, deadlines=deadlines)
    begun: list[tuple[int, ...]] = []
    truncations = 0
    try:
        envs.reset(seed=1)
        victims.rage()
        done_at, valid = None, np.ones(4, bool)
        while done_at is None or time.monotonic() < done_at + 3.0 or not valid.all():
            obs, _, _, truncated, infos = envs.step(np.zeros((4, 1), np.float32))
            valid = infos.get("valid", valid)
            fresh = obs["who"][(obs["who"][:, 3] == 0) & valid]
            begun += [tuple(who) for who in fresh[:, :3].tolist()]
            truncations += int((truncated & infos.get("server_lost", np.zeros(4, bool))).sum())
            if victims.kills == KILLS and done_at is None:
                done_at = time.monotonic()
    finally:
        envs.close()
        victims.close()
    steps = victims.log.read_text().splitlines()
    assert len(steps) == len(set(steps)) > KILLS
    assert len(begun) == len(set(begun))
    # Two kills of one server can be one loss to a client that did not call in between.
    assert 0 < envs.server_losses <= KILLS + 2 and truncations == 2 * envs.server_losses
    assert memory_of_dexgrasp() == []
    assert named_memory() <= names
    assert children_of(os.getpid()) == set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dexgrasp")]
