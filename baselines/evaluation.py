"""Evaluation of a policy over a fixed number of episodes of every environment."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from dexgrasp_envs.errors import ConfigError

from .episodes import EpisodeTracker
from .statistics import Interval, wilson

RATES = ("success_at_end", "success_once", "lifted")


class Policy(Protocol):
    """Anything that acts on a batch, as the policies and models of Stable-Baselines3 do."""

    def predict(
        self,
        observation: dict[str, np.ndarray],
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """Actions [N, A] within the action space for observation groups [N, ...], and what the policy remembers.

        Args:
            observation: Groups [N, ...].
            state: What it remembered after the step before; None at first, and of a policy without memory.
            episode_start: Rows in which an episode begins with this observation, bool [N].
            deterministic: Whether to act without exploration.
        """
        ...


@dataclass(frozen=True)
class EvaluationResult:
    """Outcomes of M episodes, sorted by environment and episode, so that two results on one seed are paired."""

    episodes: dict[str, np.ndarray]
    """`env`, `episode`, `object` (where told) int; `success_at_end`, `success_once`, `lifted`, `diverged` bool;
    `success_share`, `return` float; `length` int: [M] each."""
    object_names: tuple[str, ...]
    """Names by the index in `object`; empty where the environment does not tell."""

    def rate(self, name: str, rows: Any = slice(None)) -> Interval:
        """Share of episodes with the outcome `name` among `rows`, with its Wilson 95 % interval."""
        outcomes = self.episodes[name][rows]
        return wilson(int(outcomes.sum()), len(outcomes))

    def by_object(self, name: str) -> dict[str, tuple[Interval, int]]:
        """Object name -> (rate of the outcome `name`, number of episodes)."""
        if "object" not in self.episodes:
            return {}
        rows = {label: self.episodes["object"] == i for i, label in enumerate(self.object_names)}
        return {label: (self.rate(name, mask), int(mask.sum())) for label, mask in rows.items() if mask.any()}

    def summary(self) -> dict[str, Any]:
        """Rates with their intervals, means, and the number of diverged episodes, as JSON can hold them."""
        rates = {name: self.rate(name) for name in RATES}
        return {
            "episodes": len(self.episodes["env"]),
            **{name: {"rate": r.estimate, "low": r.low, "high": r.high} for name, r in rates.items()},
            "success_share": float(self.episodes["success_share"].mean()),
            "mean_return": float(self.episodes["return"].mean()),
            "diverged": int(self.episodes["diverged"].sum()),
        }


def evaluate(policy: Policy, env: VectorEnv, episodes_per_env: int, seed: int) -> EvaluationResult:
    """Run `policy` for the first `episodes_per_env` episodes of every environment index after `reset(seed=seed)`.

    Environments whose episodes end early go on, uncounted, until the slowest index has finished: counting whichever
    episodes finish first would favour short ones, which are the failures.

    Raises:
        ConfigError: `episodes_per_env` is below 1, or the environment does not reset finished rows in the same step.
    """
    if episodes_per_env < 1:
        raise ConfigError(f"episodes_per_env must be at least 1, got {episodes_per_env}")
    mode = env.metadata.get("autoreset_mode")
    if mode is not AutoresetMode.SAME_STEP:
        raise ConfigError(
            f"evaluation needs an environment that resets finished rows in the same step, this one has autoreset mode "
            f"{mode}; make it with autoreset_mode=AutoresetMode.SAME_STEP"
        )
    obs, infos = env.reset(seed=seed)
    first = np.array(infos["episode_index"])
    tracker = EpisodeTracker(env.num_envs, env.unwrapped.config.max_steps)  # type: ignore[attr-defined]
    counted: list[dict[str, np.ndarray]] = []
    remaining = env.num_envs * episodes_per_env
    state, starts = None, np.ones(env.num_envs, dtype=bool)
    while remaining:
        actions, state = policy.predict(obs, state, starts, deterministic=True)
        obs, reward, terminated, truncated, infos = env.step(actions)
        starts = terminated | truncated
        final = env.unwrapped.final_rows  # type: ignore[attr-defined]
        finished = tracker.step(reward, infos, final)
        if not len(final.index):
            continue
        episode = final.info["episode_index"] - first[final.index]
        finished |= {"env": final.index, "episode": episode}
        finished |= {name: final.info[name] for name in ("diverged", "object") if name in final.info}
        chosen = episode < episodes_per_env
        counted.append({name: values[chosen] for name, values in finished.items()})
        remaining -= int(chosen.sum())
    columns = {name: np.concatenate([rows[name] for rows in counted]) for name in counted[0]}
    order = np.lexsort((columns["episode"], columns["env"]))
    names = tuple(getattr(env.unwrapped, "object_names", ()))
    return EvaluationResult({name: values[order] for name, values in columns.items()}, names)
