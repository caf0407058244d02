"""Servers on the machines of a Ray cluster, one in each bundle of a placement group.

Ray (extra `cluster`) is loaded only when this is used. What servers and learner say to each other does not go through
Ray, and is encrypted: the keys are made for each launch.
"""

import importlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DeadlineExceeded, RemoteError
from .child import START_DEADLINE
from .keys import write_keys
from .ray_host import ServerHost
from .restarts import Restarts
from .supervised import Launched

_KEYS_PREFIX = "dexgrasp-keys-"
_SERVERS_KEYS = ("server.secret", "client.public")
"""What of the keys a server is given."""
_TICK = 0.1
"""Most seconds until it is noticed that nobody waits any more, s."""
_GRACE = 10.0
"""Time for all servers to end by themselves, s."""


class RayServers(Launched["RayServer"]):
    """Servers that Ray places, and that end with `close` or with this process.

    Args:
        commands: For each server the arguments of `dexgrasp serve`, without `--bind` and `--keys`.
        bundle: What each server reserves, such as {"CPU": 8, "GPU": 1}.
        files: Text files for the folder `{folder}` that each server is given.
        address: Of the cluster; by default the one that Ray is told by RAY_ADDRESS, or finds, or else this machine.
        deadline: Most seconds until all are ready.

    Raises:
        ConfigError: Ray is not installed.
        DeadlineExceeded: The cluster has no room for the bundles, or a server was not ready in time.
        RemoteError: A server ended before it was ready.
    """

    def __init__(
        self,
        commands: Sequence[Sequence[str]],
        bundle: dict[str, float],
        files: dict[str, str] | None = None,
        address: str | None = None,
        deadline: float = START_DEADLINE,
    ):
        self._ray = connect(address)
        self._groups = importlib.import_module("ray.util.placement_group")
        self.keys = Path(tempfile.mkdtemp(prefix=_KEYS_PREFIX))
        """Folder of mode 0700 with the servers' and the client's keys, see `ClientKeys.load`."""
        self.servers = []
        self._group: Any = None
        try:
            write_keys(self.keys)
            given = {name: (self.keys / name).read_text() for name in _SERVERS_KEYS} | (files or {})
            end = time.monotonic() + deadline
            self._group = self._groups.placement_group([bundle] * len(commands), strategy="SPREAD")
            self._await_room(bundle, len(commands), deadline)
            for number, command in enumerate(commands):
                self.servers.append(RayServer(self._ray, self._group, bundle, number, command, given))
            for server in self.servers:
                server.await_ready(end)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the servers, give their bundles back and remove the keys; may be called twice."""
        if self._ray.is_initialized():
            endings = [server.end() for server in self.servers]
            if endings:
                self._ray.wait(endings, num_returns=len(endings), timeout=_GRACE)
            for server in self.servers:
                server.kill()
            if self._group is not None:
                self._groups.remove_placement_group(self._group)
        self.servers, self._group = [], None
        shutil.rmtree(self.keys, ignore_errors=True)

    def _await_room(self, bundle: dict[str, float], count: int, seconds: float) -> None:
        ready, _ = self._ray.wait([self._group.ready()], timeout=seconds)
        if not ready:
            has = {name: amount for name, amount in self._ray.cluster_resources().items() if name in ("CPU", "GPU")}
            raise DeadlineExceeded(
                f"Ray found no room for {count} bundles of {bundle} within {seconds:g} s; the cluster has {has}: ask "
                "for less, or add machines"
            )


class RayServer:
    """One of them, which can be started again in its bundle when it was lost; a `Supervised`.

    Args:
        ray: The package.
        group: The placement group.
        bundle: What it reserves.
        number: Its bundle in the group.
        command: The arguments of `dexgrasp serve`.
        files: What is in its folder.
    """

    def __init__(
        self, ray: Any, group: Any, bundle: dict[str, float], number: int, command: Sequence[str], files: dict[str, str]
    ):
        self.endpoint = ""
        self.generation = 0
        """How many times it was started again."""
        self._name = f"simulator {number}"
        self._ray = ray
        self._arguments = (number, list(command), files)
        strategies = importlib.import_module("ray.util.scheduling_strategies")
        others = {name: amount for name, amount in bundle.items() if name not in ("CPU", "GPU")}
        self._options = {
            "num_cpus": bundle.get("CPU", 0),
            "num_gpus": bundle.get("GPU", 0),
            "resources": others,
            # `ended` waits while others are called.
            "max_concurrency": 3,
            "scheduling_strategy": strategies.PlacementGroupSchedulingStrategy(
                placement_group=group, placement_group_bundle_index=number
            ),
        }
        self._restarts = Restarts(self._name)
        self._lock = threading.Lock()
        self._closing = False
        self._port = "*"
        self._start(self._port)

    def await_ready(self, end: float, given_up: Callable[[], bool] = lambda: False) -> None:
        """Wait until it can be connected to; RemoteError if it ended before, or DeadlineExceeded."""
        answer = self._host.ready.remote(max(0.0, end - time.monotonic()))
        while not self._ray.wait([answer], timeout=_TICK)[0]:
            if given_up() or self._closing:
                raise RemoteError(f"{self._name} is not waited for any more")
            if time.monotonic() >= end:
                raise DeadlineExceeded(f"{self._name} is not ready in time: Ray has not started it")
        try:
            self.endpoint = str(self._ray.get(answer))
        except self._ray.exceptions.RayError as error:
            raise RemoteError(f"{self._name} did not start: {error}") from None
        self._port = self.endpoint.rpartition(":")[2]

    def ended(self, generation: int = 0) -> str | None:
        """How the process of a generation ended, None while it runs."""
        if generation != self.generation:
            return "it was started again"
        if not self._ray.wait([self._end], timeout=0)[0]:
            return None
        try:
            return str(self._ray.get(self._end))
        except self._ray.exceptions.RayError as error:
            return f"Ray lost it: {error}"

    def revive(self, generation: int, given_up: Callable[[], bool]) -> None:
        """Start it again, and wait until it is ready, unless somebody else did so since `generation`.

        It listens where it did, if Ray still has that machine. One that still runs is killed: whoever calls this has
        lost it. RemoteError if it was started too often.
        """
        with self._lock:
            if self._closing or generation != self.generation:
                return
            self._restarts.add(self.ended(generation))
            self.kill()
            port, self._port = self._port, "*"
            # Should it fail, its port may be another's by now: next time any will do.
            self._start(port)
            self.await_ready(time.monotonic() + START_DEADLINE, given_up)
            # Not before: one that is not ready has to be started again.
            self.generation += 1

    def end(self) -> Any:
        """Tell it to end, for good; what to wait for."""
        self._closing = True
        return self._host.close.remote()

    def kill(self) -> None:
        """End it at once; its server ends with it."""
        self._ray.kill(self._host)

    def _start(self, port: str) -> None:
        self._host = self._ray.remote(ServerHost).options(**self._options).remote(*self._arguments, port)
        self._end = self._host.ended.remote()


def connect(address: str | None) -> Any:
    """The package `ray`, connected to a cluster; ConfigError if it is not installed or there is no such cluster."""
    try:
        ray = importlib.import_module("ray")
    except ImportError:
        raise ConfigError("placing simulators by Ray needs Ray: pip install 'dexgrasp_envs[cluster]'") from None
    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False)
        except (ConnectionError, ValueError) as error:
            raise ConfigError(f"Ray has no cluster at {address or os.environ.get('RAY_ADDRESS')}: {error}") from None
    return ray


def cpus_each(ray: Any, count: int) -> int:
    """The most whole CPUs that each of `count` bundles can have at once on the machines of the cluster."""
    machines = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    for cpus in range(max(machines, default=1), 1, -1):
        if sum(machine // cpus for machine in machines) >= count:
            return cpus
    return 1
