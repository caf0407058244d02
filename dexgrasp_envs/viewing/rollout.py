"""Episodes of a policy, moment by moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode, VectorEnv

from ..errors import ConfigError
from .panes import Picture, beside_panes, tiled
from .policies import Observation, Policy


@dataclass(frozen=True)
class Moment:
    """The environments as they are now, before the finished ones are reset."""

    obs: Observation
    """Observation groups, [N, ...] each."""
    infos: dict[str, Any]
    """Infos, [N] each."""
    finished: npt.NDArray[np.bool_]
    """[N]: the episode ends here."""


def rollout(env: VectorEnv, policy: Policy, seed: int, episodes: int | None = None) -> Iterator[Moment]:
    """Reset with `seed` and act until every environment has finished `episodes` episodes, or without end for None.

    The last moment of an episode is shown, and then the next one begins.

    Raises:
        ConfigError: The environment resets by itself, or `episodes` is below 1.
        ActionError: The policy's actions are not [N, A] and finite.
    """
    if episodes is not None and episodes < 1:
        raise ConfigError(f"episodes must be at least 1, got {episodes}")
    if env.metadata.get("autoreset_mode") is not AutoresetMode.DISABLED:
        raise ConfigError("the last moment of an episode is only seen with autoreset_mode=AutoresetMode.DISABLED")
    obs, infos = env.reset(seed=seed)
    yield Moment(obs, infos, np.zeros(env.num_envs, bool))
    done, starts = np.zeros(env.num_envs, np.int64), np.ones(env.num_envs, bool)
    while episodes is None or (done < episodes).any():
        obs, _, terminated, truncated, infos = env.step(policy(obs, starts))
        finished = terminated | truncated
        yield Moment(obs, infos, finished)
        done, starts = done + finished, finished
        if finished.any():
            obs, _ = env.reset(options={"reset_mask": finished})


def frame(env: VectorEnv, moment: Moment) -> Picture:
    """The environments with what they see beside them; takes `render_mode="rgb_array"`.

    Raises:
        RenderingError: OpenGL is missing.
    """
    pictures: Any = env.render()
    rows = [{group: values[i] for group, values in moment.obs.items()} for i in range(env.num_envs)]
    return tiled([beside_panes(picture, row) for picture, row in zip(pictures, rows, strict=True)])
