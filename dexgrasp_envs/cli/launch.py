"""`dexgrasp launch`: simulators on the machines of a Ray cluster, for learners that come and go."""

import signal
import sys
import threading
from typing import Literal

import tyro

from ..config import EnvConfig
from ..errors import ConfigError, DexGraspError
from ..registration import ID_GROUPS
from ..remote.child import READY
from ..remote.events import to_stderr
from ..remote.ray_servers import RayServer, RayServers, connect, cpus_each
from ..remote.rows import shares
from .config_argument import read_config

_TICK = 1.0
"""Between two looks at the servers, s."""


def launch(
    env_id: tyro.conf.Positional[str],
    num_envs: int = 1,
    servers: int = 1,
    ray: bool = False,
    address: str | None = None,
    cpus: int = 0,
    gpus: float = 0.0,
    config: str = "",
    groups: int = 1,
    autoreset_mode: Literal["NextStep", "SameStep", "Disabled"] = "SameStep",
    render_mode: Literal["rgb_array"] | None = None,
) -> int:
    """Let Ray place simulators on the machines of its cluster, and start them again when they end, until Ctrl-C.

    One line, READY and the addresses, is printed when a learner can connect, and again when one of them has changed;
    the line before names the folder of keys, which are made for this launch and removed at its end. Learners come and
    go, one at a time. To have simulators for one learner only, say remote="ray:K" there instead.

    Commands to copy:

        dexgrasp launch DexGrasp/KukaAllegro-Depth-v0 --ray --servers 4 --num-envs 256
        dexgrasp launch DexGrasp/KukaAllegro-Depth-v0 --ray --address ray-head:6379 --servers 8 --num-envs 512 --gpus 1

    Args:
        env_id: Id of an environment of this package.
        num_envs: Number of environments, of all servers together.
        servers: Number of servers, each in a bundle of its own.
        ray: Place them by Ray; there is no other way.
        address: Of the cluster; by default what RAY_ADDRESS says, or the one that runs here, or one of this machine
            alone.
        cpus: CPUs that each server reserves and uses; 0 for as many as the cluster has for each.
        gpus: GPUs that each server reserves.
        config: Configuration as JSON or the path of a JSON file.
        groups: How many groups each server's environments are divided into.
        autoreset_mode: What happens to an environment whose episode ended.
        render_mode: rgb_array if the learner wants pictures for people.
    """
    from ..remote_env import serve_commands

    try:
        if not ray:
            raise ConfigError("servers are placed by Ray: say --ray; on this machine alone remote='spawn:K' does it")
        if env_id not in ID_GROUPS:
            raise ConfigError(f"{env_id} is none of {', '.join(ID_GROUPS)}")
        sizes = [shares("groups", size, groups) for size in shares("servers", num_envs, servers)]
        settings = read_config(config, EnvConfig()).observing(*ID_GROUPS[env_id])
        cpus = cpus or cpus_each(connect(address), servers)
        insisted = {"env_id": env_id, "autoreset_mode": autoreset_mode, "render_mode": render_mode, "groups": groups}
        commands = serve_commands(insisted, sizes, 0, cpus)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        bundle = {"CPU": cpus} | ({"GPU": gpus} if gpus else {})
        with RayServers(commands, bundle, {"config.json": settings.to_json()}, address) as placed:
            print(f"keys {placed.keys}", flush=True)
            supervise(placed, stop)
    except DexGraspError as error:
        print(f"dexgrasp launch: {error}", file=sys.stderr)
        return 1
    return 0


def supervise(placed: RayServers, stop: threading.Event) -> None:
    """Tell where the servers are, and start those again that end, until `stop`."""
    told: list[str] = []
    while not stop.is_set():
        for server in placed.servers:
            _see_to(server, stop)
        if placed.endpoints != told:
            told = placed.endpoints
            print(READY, ",".join(told), flush=True)
        stop.wait(_TICK)


def _see_to(server: RayServer, stop: threading.Event) -> None:
    words = server.ended(server.generation)
    if words is not None and not stop.is_set():
        to_stderr("server_ended", endpoint=server.endpoint, how=words)
        server.revive(server.generation, stop.is_set)
