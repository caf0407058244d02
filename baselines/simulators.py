"""Environments to learn in, wherever they run."""

from pathlib import Path
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.errors import ConfigError


def make_envs(env_id: str, num_envs: int, config: EnvConfig, sim: str | None, keys: Path | None) -> VectorEnv:
    """Environments in this process, or where `--sim` and `--keys` say.

    Args:
        env_id: Gymnasium id.
        num_envs: Environments stepped together.
        config: Their configuration.
        sim: None for this process, "spawn:K" for K others, or addresses of servers.
        keys: Folder of `dexgrasp keys`, if the servers have keys.

    Raises:
        ConfigError: There are keys but no servers.
    """
    if keys is not None and sim is None:
        raise ConfigError("--keys are for servers: say with --sim where they are, or leave --keys out")
    options: dict[str, Any] = {} if keys is None else {"keys": keys}
    return gymnasium.make_vec(env_id, num_envs=num_envs, config=config, remote=sim, **options)
