"""Resident memory of processes, and what environments take of it."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

_MIB = 1 << 20
COUNTS = (64, 1088)
"""Numbers of environments whose difference is measured."""


def resident(pid: int) -> float:
    """Memory of a process, MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


def memory_per_env(env_id: str, config: str, counts: tuple[int, int] = COUNTS) -> float:
    """KiB by which a process grows with each environment after some steps; `config` is an `EnvConfig` in JSON."""
    few, many = (_in_a_fresh_process(env_id, config, count) for count in counts)
    return 1024 * (many - few) / (counts[1] - counts[0])


def _in_a_fresh_process(env_id: str, config: str, num_envs: int) -> float:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_after_some_steps, env_id, config, num_envs).result(timeout=300)


def _after_some_steps(env_id: str, config: str, num_envs: int) -> float:
    import gymnasium

    import dexgrasp_envs  # noqa: F401  registers the environments
    from dexgrasp_envs.config import EnvConfig

    env: Any = gymnasium.make_vec(env_id, num_envs=num_envs, config=EnvConfig.from_json(config))
    env.reset(seed=0)
    actions = env.action_space.sample()
    for _ in range(3):
        env.step(actions)
    memory = resident(os.getpid())
    env.close()
    return memory
