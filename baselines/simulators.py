"""Environments to learn in, wherever they run."""

from pathlib import Path
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.errors import ConfigError


def make_envs(
    env_id: str,
    num_envs: int,
    config: EnvConfig,
    sim: str | None,
    keys: Path | None,
    env_groups: int = 1,
    on_server_loss: str = "raise",
) -> VectorEnv:
    """Environments in this process, or where `--sim` and `--keys` say.

    Args:
        env_id: Gymnasium id.
        num_envs: Environments stepped together.
        config: Their configuration.
        sim: None for this process, "spawn:K" for K others, or addresses of servers.
        keys: Folder of `dexgrasp keys`, if the servers have keys.
        env_groups: Groups of environments that can be stepped apart.
        on_server_loss: A `LossPolicy`'s name.

    Raises:
        ConfigError: There are keys, groups or a policy but no servers.
    """
    asked = {"keys": (keys, None), "groups": (env_groups, 1), "on-server-loss": (on_server_loss, "raise")}
    for name, (value, default) in asked.items():
        if sim is None and value != default:
            raise ConfigError(f"--{name} is for servers: say with --sim where they are, or leave --{name} out")
    names = ("keys", "env_groups", "on_server_loss")
    chosen = zip(names, asked.values(), strict=True)
    options: dict[str, Any] = {name: value for name, (value, default) in chosen if value != default}
    return gymnasium.make_vec(env_id, num_envs=num_envs, config=config, remote=sim, **options)
