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

KILLS = int(os.environ.get("DEXGRASP_KILLS", 50))
"""For each policy."""
MINUTES = float(os.environ.get("DEXGRASP_SOAK_MINUTES", 0.5))
"""Length of the soak."""
GROWTH = 32 << 20
"""Bytes by which resident memory may grow in it, after its first fifth."""
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
    """Two servers of two environments each; one of them at random is killed and started again.

    Args:
        folder: For sockets, and for the log of steps.
        most: When to stop.
        pause: Most seconds between two kills.
    """

    def __init__(self, folder: Path, most: float, pause: float):
        folder.chmod(0o700)
        self.most, self._pause = most, pause
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
        while self.kills < self.most and not self._stop.wait(dice.uniform(0.0, self._pause)):
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

    def rest(self) -> None:
        """Kill no more."""
        self._stop.set()
        self._thread.join()

    def close(self) -> None:
        self.rest()
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


def resident() -> int:
    """Memory of this process, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Run:
    """Steps while servers are killed, and what is to be true of it in the end."""

    def __init__(self, folder: Path, policy: str, most: float, pause: float):
        self.names = named_memory()
        self.victims = Victims(folder, most, pause)
        deadlines = Deadlines(connect=1.0, heartbeat=0.1, window=1.0, lost=120.0)
        self.envs = RemoteVectorEnv(self.victims.endpoints, on_server_loss=policy, deadlines=deadlines)
        self.begun: list[tuple[int, ...]] = []
        self.truncations = 0
        self.valid = np.ones(4, bool)
        self.envs.reset(seed=1)
        self.victims.rage()

    def step(self) -> None:
        obs, _, _, truncated, infos = self.envs.step(np.zeros((4, 1), np.float32))
        self.valid = infos.get("valid", self.valid)
        fresh = obs["who"][(obs["who"][:, 3] == 0) & self.valid]
        self.begun += [tuple(who) for who in fresh[:, :3].tolist()]
        self.truncations += int((truncated & infos.get("server_lost", np.zeros(4, bool))).sum())

    def go_on(self, seconds: float = 3.0) -> None:
        """Until all rows are back, and for some seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end or not self.valid.all():
            self.step()

    def close(self) -> None:
        self.envs.close()
        self.victims.close()

    def check(self) -> None:
        steps = self.victims.log.read_text().splitlines()
        assert len(steps) == len(set(steps)) > self.victims.kills
        assert len(self.begun) == len(set(self.begun))
        # Two kills of one server can be one loss to a client that did not call in between.
        assert 0 < self.envs.server_losses <= self.victims.kills + 2
        assert self.truncations == 2 * self.envs.server_losses
        assert memory_of_dexgrasp() == []
        assert named_memory() <= self.names
        assert children_of(os.getpid()) == set()
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("dexgrasp")]


@pytest.mark.slow
@pytest.mark.skipif(host() is None, reason="this system has no memfd")
@pytest.mark.parametrize("policy", ["wait", "mask"])
def test_no_environment_is_stepped_twice_and_nothing_is_left(tmp_path: Path, policy: str) -> None:
    run = Run(tmp_path, policy, KILLS, 0.4)
    try:
        while run.victims.kills < KILLS:
            run.step()
        run.go_on()
    finally:
        run.close()
    run.check()


@pytest.mark.slow
@pytest.mark.skipif(host() is None, reason="this system has no memfd")
def test_memory_stays_in_a_long_run_with_kills(tmp_path: Path) -> None:
    run = Run(tmp_path, "mask", np.inf, 4.0)
    start, early = time.monotonic(), None
    try:
        while (passed := (time.monotonic() - start) / (60 * MINUTES)) < 1.0:
            run.step()
            if early is None and passed > 0.2:
                early = resident()
        run.victims.rest()
        run.go_on()
        # What this test remembers of the episodes is its own.
        grown = resident() - early - 120 * len(run.begun)
    finally:
        run.close()
    run.check()
    assert grown < GROWTH, f"memory grew by {grown >> 20} MiB"
