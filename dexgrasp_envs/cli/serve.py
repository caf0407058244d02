"""`dexgrasp serve`: a vector environment for a learner in another process."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Literal, TextIO

import tyro

from ..config import EnvConfig
from ..errors import ConfigError, DexGraspError
from ..registration import IDS
from ..remote.child import READY
from ..remote.events import to_stderr
from ..remote.keys import ServerKeys
from ..remote.parent_watch import end_with_parent
from ..remote.rows import shares
from .config_argument import read_config


def serve(
    env_id: tyro.conf.Positional[str],
    num_envs: int = 1,
    bind: str = "tcp://127.0.0.1:5555",
    config: str = "",
    groups: int = 1,
    first_env_index: tuple[int, ...] = (0,),
    threads: int = 0,
    autoreset_mode: Literal["NextStep", "SameStep", "Disabled"] = "SameStep",
    render_mode: Literal["rgb_array"] | None = None,
    keys: Path | None = None,
    insecure: bool = False,
    parent_pipe: int | None = None,
) -> int:
    """Serve environments to a learner in another process, until Ctrl-C or SIGTERM.

    One line, READY and the address, is printed when a learner can connect. One learner at a time is served. What
    happens is told on stderr, one line of JSON an event. A step in hand is finished and answered before the end.

    Commands to copy:

        dexgrasp serve DexGrasp/KukaAllegro-State-v0 --num-envs 64
        dexgrasp serve DexGrasp/KukaAllegro-State-v0 --num-envs 32 --first-env-index 32 --bind tcp://127.0.0.1:5556
        dexgrasp serve DexGrasp/KukaAllegro-Depth-v0 --num-envs 64 --bind tcp://*:5555 --keys my_keys
        dexgrasp serve DexGrasp/KukaAllegro-Depth-v0 --num-envs 64 --groups 2
        dexgrasp serve CartPole-v1 --num-envs 8 --bind ipc:///run/user/1000/dexgrasp/cartpole

    Args:
        env_id: Id of a registered environment, of any package (`package:Id-v0` imports the package).
        num_envs: Number of environments, of all groups together.
        bind: Address: tcp://HOST:PORT, with * for any free port, or ipc://PATH in a folder that is closed to others.
        config: Configuration as JSON or the path of a JSON file (environments of this package only).
        groups: How many groups the environments are divided into, so that a learner can think about one while another
            is stepped.
        first_env_index: Global index of the first environment, or of each group's first one (environments of this
            package only).
        threads: Threads of engine and tensors, 0 for one per core (environments of this package only).
        autoreset_mode: What happens to an environment whose episode ended.
        render_mode: rgb_array if the learner wants pictures for people.
        keys: Folder of `dexgrasp keys`; only its clients may then connect, from any machine.
        insecure: Allow an address that other machines can reach; without keys anyone there may drive the server.
        parent_pipe: File descriptor of a pipe at whose end to end.
    """
    if parent_pipe is not None:
        end_with_parent(parent_pipe, Path(bind.removeprefix("ipc://")).parent if keys is None else keys)
        # Ctrl-C in a terminal reaches the children too, but their end is the parent's to decide.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    ready = _take_stdout() if parent_pipe is not None else sys.stdout
    try:
        server_keys = None if keys is None else ServerKeys.load(keys)
        sizes = shares("groups", num_envs, groups)
        if env_id in IDS:
            first = _first_indices(first_env_index, sizes)
            options = {"threads": threads, "autoreset_mode": autoreset_mode, "render_mode": render_mode}
            envs = _our_envs(env_id, sizes, first, read_config(config, EnvConfig()), **options)
            identities = [_identity(env_id, *pair) for pair in zip(envs, first, strict=True)]
        elif config or any(first_env_index) or threads:
            raise ConfigError(f"config, first_env_index and threads are for {', '.join(IDS)}, not for {env_id}")
        else:
            envs = [_any_env(env_id, size, autoreset_mode, render_mode) for size in sizes]
            identities = [{"env_id": env_id}] * groups
        _serve(envs, identities, ready, bind=bind, keys=server_keys, insecure=insecure, log=to_stderr)
    except DexGraspError as error:
        print(f"dexgrasp serve: {error}", file=sys.stderr)
        return 1
    return 0


def _first_indices(given: tuple[int, ...], sizes: list[int]) -> list[int]:
    """Each group's first environment: one after the other if only one is given."""
    if len(given) == 1:
        return [given[0] + sum(sizes[:k]) for k in range(len(sizes))]
    if len(given) != len(sizes):
        raise ConfigError(f"first_env_index must be one number, or one for each of {len(sizes)} groups, got {given}")
    return list(given)


def _our_envs(env_id: str, sizes: list[int], first: list[int], config: EnvConfig, **options: Any) -> list[Any]:
    """Environments of ours by groups, after what the first step needs was compiled and loaded by one for nothing."""
    _keep_cores_free(options["threads"])
    import gymnasium

    trial = gymnasium.make_vec(env_id, 1, config=config, threads=1)
    trial.reset(seed=0)
    trial.step(trial.action_space.sample())
    trial.close()
    return [
        gymnasium.make_vec(env_id, size, config=config, first_env_index=index, **options).unwrapped
        for size, index in zip(sizes, first, strict=True)
    ]


def _any_env(env_id: str, num_envs: int, autoreset_mode: str, render_mode: str | None) -> Any:
    """Environments of any package, one after the other."""
    import gymnasium

    mode = gymnasium.vector.AutoresetMode(autoreset_mode)
    return gymnasium.make_vec(env_id, num_envs, "sync", {"autoreset_mode": mode}, render_mode=render_mode)


def _serve(envs: list[Any], identities: list[dict[str, Any]], ready: TextIO, **options: Any) -> None:
    from ..remote.server import SimServer

    with SimServer(envs, identities, **options) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: server.stop())
        print(READY, server.endpoint, file=ready, flush=True)
        server.serve()
    for env in envs:
        env.close()


def _take_stdout() -> TextIO:
    """The pipe to the parent, for one line; whatever else is printed goes to stderr, where it cannot block."""
    ready = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return ready


def _keep_cores_free(threads: int) -> None:
    """Let OpenMP sleep while it waits, before torch is loaded: beside a learner its spinning costs most of a core."""
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if threads:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))


def _identity(env_id: str, env: Any, first_env_index: int) -> dict[str, Any]:
    """What a learner of one of our environments insists on."""
    return {
        "env_id": env_id,
        "seeding": "index",
        "config": json.loads(env.config.to_json()),
        "config_hash": env.config.hash(),
        "fingerprint": env.fingerprint,
        "task_fingerprint": env.task_fingerprint,
        "first_env_index": first_env_index,
        "object_names": list(env.object_names),
    }
