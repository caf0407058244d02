"""The environments as groups of rows, each of which can be stepped while the policy acts for another."""

from typing import Any, Protocol

import numpy as np
from gymnasium.vector import VectorEnv

StepResult = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]
"""Observations, rewards, terminated, truncated and infos, as Gymnasium's `step` returns them."""


class EnvGroup(Protocol):
    """Some rows of a vector environment; those of `RemoteVectorEnv.groups` are such."""

    @property
    def rows(self) -> slice:
        """Which rows of the whole environment they are."""

    @property
    def final_rows(self) -> Any:
        """The rows, counted within the group, that the last step finished."""

    def reset(self, *, options: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Reset some rows."""

    def send(self, actions: np.ndarray) -> None:
        """Begin a step, to be finished by `recv`."""

    def recv(self) -> StepResult:
        """Finish the step."""


class WholeEnv:
    """A vector environment as the one group that it is: all of a step is done in `recv`."""

    def __init__(self, env: VectorEnv) -> None:
        self._env = env
        self._actions: np.ndarray | None = None
        self.rows = slice(0, env.num_envs)

    @property
    def final_rows(self) -> Any:
        """See `EnvGroup`."""
        return self._env.unwrapped.final_rows  # type: ignore[attr-defined]

    def reset(self, *, options: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """See `EnvGroup`."""
        return self._env.reset(options=options)

    def send(self, actions: np.ndarray) -> None:
        """See `EnvGroup`."""
        self._actions = actions

    def recv(self) -> StepResult:
        """See `EnvGroup`."""
        return self._env.step(self._actions)


def env_groups(env: VectorEnv) -> list[EnvGroup]:
    """The groups that an environment has, or the whole of it."""
    groups = getattr(env.unwrapped, "groups", ())
    return list(groups) if len(groups) > 1 else [WholeEnv(env)]
