"""Grasping environments on remote simulators: the same spaces, the same numbers."""

import importlib.metadata
import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from gymnasium.vector import AutoresetMode

from . import arguments
from .arguments import ENV_OPTIONS, not_negative, one_of, only_known, positive
from .config import EnvConfig
from .errors import ConfigError, DexGraspError, HandshakeError
from .registration import ID_GROUPS
from .remote.client import RemoteVectorEnv
from .remote.identity import PACKAGE
from .remote.keys import ClientKeys
from .remote.launcher import Children
from .remote.limits import Deadlines
from .remote.loss_policy import LossPolicy, loss_policy
from .remote.ray_servers import RayServers, connect, cpus_each
from .remote.rows import shares

REMOTE_OPTIONS = (*ENV_OPTIONS, "keys", "env_groups", "copy", "on_server_loss", "loss_deadline")
"""Options of remote environments besides num_envs and remote."""


class DexGraspRemoteVectorEnv(RemoteVectorEnv):
    """`DexGraspVectorEnv` on remote simulators; see there, and `RemoteVectorEnv` for what else may be raised."""

    @property
    def config(self) -> EnvConfig:
        """The configuration in force."""
        return EnvConfig.from_json(json.dumps(self.identities[0]["config"]))

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that identify revision, configuration, robot, scene and objects."""
        return str(self.identities[0]["fingerprint"])

    @property
    def task_fingerprint(self) -> str:
        """The same without what is observed."""
        return str(self.identities[0]["task_fingerprint"])

    @property
    def adr_level(self) -> npt.NDArray[np.int64]:
        """Level of randomisation [N] of each row's next episode, as this client set it; set one for all, or N."""
        return self._adr_level.copy()

    @adr_level.setter
    def adr_level(self, level: int | npt.ArrayLike) -> None:
        self.set_adr_level(level)

    def set_adr_level(self, level: int | npt.ArrayLike) -> None:
        """Set `adr_level`; a simulator that takes the place of a lost one is told too."""
        levels = arguments.adr_levels(level, self.num_envs, torch.device("cpu")).numpy()
        self.call("set_adr_level", levels)
        self._adr_level = levels

    @property
    def object_names(self) -> tuple[str, ...]:
        """Names of the objects, by the index in `infos["object"]`."""
        return tuple(self.identities[0]["object_names"])


def make_remote(
    env_id: str,
    num_envs: int,
    remote: str,
    *,
    keys: str | os.PathLike[str] | None = None,
    env_groups: int = 1,
    copy: bool = True,
    on_server_loss: LossPolicy | str = LossPolicy.RAISE,
    loss_deadline: float = Deadlines.lost,
    threads: int = 0,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    first_env_index: int = 0,
    render_mode: str | None = None,
    backend: str = "mujoco",
    device: str = "cpu",
    output: str = "numpy",
    adr_level: int = 0,
    **config_options: Any,
) -> DexGraspRemoteVectorEnv:
    """Environments on simulators that are started for them, or that run already.

    Args:
        env_id: One of `registration.IDS`.
        num_envs: Number of environments, of all simulators together.
        remote: "spawn:K" starts K simulator processes on this machine, which share the environments and end with this
            process; "ray:K" lets Ray start them on the machines of its cluster, with keys made for them (extra
            `cluster`); "tcp://HOST:PORT,tcp://HOST:PORT" or "ipc://PATH" connects to those started by `dexgrasp serve`.
        keys: Folder of `dexgrasp keys` if the running simulators have keys.
        env_groups: Number of groups of environments that can be stepped apart, see `RemoteVectorEnv.groups`; that of
            simulators that run already.
        copy: Whether each step gives fresh arrays; if not, they may be views of memory that is shared with a simulator,
            see `RemoteVectorEnv`.
        on_server_loss: What to do when a simulator is lost, "raise", "wait" or "mask", see `LossPolicy`. Those of
            "spawn:K" are started again.
        loss_deadline: Most seconds to wait for a lost simulator.
        threads: Threads of each simulator that is started, and with "ray:K" the CPUs that it reserves; 0 shares the
            cores among them.
        autoreset_mode: One of Gymnasium's modes, or its name.
        first_env_index: Global index of row 0.
        render_mode: None or "rgb_array".
        backend: Name of the physics engine.
        device: Where control and task are computed.
        output: "numpy".
        adr_level: As in `DexGraspVectorEnv`; simulators that run already take it over.
        config_options: Options of `DexGraspVectorEnv` that decide the configuration.

    Raises:
        ConfigError: An option is unknown or its value impossible.
        HandshakeError: A running simulator has other options, or another version; it says which.
        RemoteError: A simulator cannot be started or reached, or is busy.
    """
    only_known("option", config_options, REMOTE_OPTIONS)
    config = arguments.env_config(ID_GROUPS[env_id], **config_options)
    one_of("render_mode", render_mode, (None, "rgb_array"))
    one_of("backend", backend, ("mujoco",))
    one_of("device", device, ("cpu",))
    one_of("output", output, ("numpy",))
    first = not_negative("first_env_index", first_env_index)
    arguments.adr_levels(adr_level, 1, torch.device("cpu"))
    expect = {
        "version": importlib.metadata.version(PACKAGE),
        "env_id": env_id,
        "autoreset_mode": arguments.autoreset_mode(autoreset_mode).value,
        "render_mode": render_mode,
        "config": json.loads(config.to_json()),
        "config_hash": config.hash(),
        "groups": positive("env_groups", env_groups),
    }
    if not loss_deadline > 0:
        raise ConfigError(f"loss_deadline must be above 0 s, got {loss_deadline!r}")
    options: dict[str, Any] = {
        "copy": one_of("copy", copy, (True, False)),
        "on_server_loss": loss_policy(on_server_loss),
        "deadlines": Deadlines(lost=loss_deadline),
    }
    scheme, _, rest = remote.partition(":")
    if scheme in ("spawn", "ray"):
        if keys is not None:
            raise ConfigError(
                f"keys are for simulators that run already; those of remote='{scheme}:K' need none of yours"
            )
        if not rest.isdecimal():
            raise ConfigError(f"remote='{scheme}:K' needs K from 1 to num_envs={num_envs}, got {rest!r}")
        sizes = shares(f"K of remote='{scheme}:K'", positive("num_envs", num_envs), int(rest))
        rows = [shares("env_groups", size, env_groups) for size in sizes]
        start = _spawn if scheme == "spawn" else _place_by_ray
        env = start(expect, rows, first, not_negative("threads", threads), options)
    else:
        if threads:
            raise ConfigError("threads is an option of `dexgrasp serve` where simulators run already")
        client_keys = None if keys is None else ClientKeys.load(keys)
        endpoints = [endpoint.strip() for endpoint in remote.split(",")]
        env = DexGraspRemoteVectorEnv(endpoints, expect, keys=client_keys, **options)
    try:
        _check_rows(env, num_envs, first)
        env.set_adr_level(adr_level)
    except DexGraspError:
        env.close()
        raise
    return env


def serve_commands(expect: dict[str, Any], rows: Sequence[Sequence[int]], first: int, threads: int) -> list[list[str]]:
    """Arguments of `dexgrasp serve` for simulators that together have the environments from `first` on.

    Args:
        expect: `env_id`, `autoreset_mode`, `groups` and `render_mode` that the client insists on.
        rows: For each simulator how many environments are in each of its groups; the first groups of all come first.
        first: Global index of the first environment.
        threads: Of each simulator.

    The configuration is to be in the file config.json of the folder that they are started with.
    """
    common = [expect["env_id"], "--config", "{folder}/config.json", "--autoreset-mode", expect["autoreset_mode"]]
    common += ["--threads", str(threads), "--groups", str(expect["groups"])]
    if expect["render_mode"] is not None:
        common += ["--render-mode", expect["render_mode"]]
    indices: list[list[str]] = [[] for _ in rows]
    for group in range(expect["groups"]):
        for own, sizes in zip(indices, rows, strict=True):
            own.append(str(first))
            first += sizes[group]
    return [
        [*common, "--num-envs", str(sum(sizes)), "--first-env-index", *own]
        for sizes, own in zip(rows, indices, strict=True)
    ]


def _spawn(
    expect: dict[str, Any], rows: Sequence[Sequence[int]], first: int, threads: int, options: dict[str, Any]
) -> DexGraspRemoteVectorEnv:
    """Environments of child processes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    commands = serve_commands(expect, rows, first, threads or max(1, cores // len(rows)))
    children = Children(commands, {"config.json": json.dumps(expect["config"])})
    options |= {"children": children.servers, "on_close": children.close}
    return DexGraspRemoteVectorEnv(children.endpoints, expect, **options)


def _place_by_ray(
    expect: dict[str, Any], rows: Sequence[Sequence[int]], first: int, threads: int, options: dict[str, Any]
) -> DexGraspRemoteVectorEnv:
    """Environments of processes on the machines of a Ray cluster."""
    cpus = threads or cpus_each(connect(None), len(rows))
    commands = serve_commands(expect, rows, first, cpus)
    servers = RayServers(commands, {"CPU": cpus}, {"config.json": json.dumps(expect["config"])})
    options |= {"children": servers.servers, "on_close": servers.close, "keys": ClientKeys.load(servers.keys)}
    return DexGraspRemoteVectorEnv(servers.endpoints, expect, **options)


def _check_rows(env: RemoteVectorEnv, num_envs: int, first: int) -> None:
    """Running simulators must have the rows that were asked for."""
    counts = [identity["num_envs"] for identity in env.identities]
    if sum(counts) != num_envs:
        raise HandshakeError(f"num_envs={num_envs}, but the servers have {' + '.join(map(str, counts))} environments")
    for k, identity in enumerate(env.identities):
        expected = first + sum(counts[:k])
        if identity["first_env_index"] != expected:
            raise HandshakeError(
                f"{_name(env, k)} starts at environment {identity['first_env_index']}, expected {expected}: start it "
                f"with --first-env-index {expected}, or name the servers in another order"
            )


def _name(env: RemoteVectorEnv, k: int) -> str:
    """Of a server, and of its group if it has several."""
    servers = len(env.identities) // len(env.groups)
    return f"server {k % servers}" + (f", group {k // servers}," if len(env.groups) > 1 else "")
