"""Rollouts of a policy in a vector environment, with the statistics of the episodes that they contain."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from torch import Tensor

from dexgrasp_envs.errors import CheckpointError

from .episodes import EpisodeTracker
from .policy import ActorCritic
from .rollout_buffer import RolloutBuffer

CutShort = tuple[int, np.ndarray, dict[str, Tensor]]
"""Step of a rollout, rows that were cut short in it, and the critic's last observations of their episodes."""


class RolloutCollector:
    """Steps the environments, remembers where they are, and fills rollout buffers.

    In the first episode length every row is reset once at a random step, so that episodes do not end together for the
    rest of training. To the learner such a reset is a time-out.

    Args:
        env: N environments that reset finished rows in the same step.
        seed: Seed of the environments and of the staggered resets.
        desynchronise: Whether to stagger the first episodes.
    """

    def __init__(self, env: VectorEnv, seed: int, desynchronise: bool) -> None:
        assert isinstance(env.single_action_space, spaces.Box)
        self.env = env
        self.seed = seed
        self.desynchronise = desynchronise
        self.low, self.high = env.single_action_space.low, env.single_action_space.high
        self.max_steps: int = env.unwrapped.config.max_steps  # type: ignore[attr-defined]
        self.obs: dict[str, np.ndarray] | None = None
        self.diverged = 0
        self.success_now = 0.0
        """Share of the environments that were in the success region, over the last rollout."""
        self._finished: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=env.num_envs))

    @property
    def observed_bytes(self) -> int:
        """Size of the observations of one step of all environments."""
        return 0 if self.obs is None else sum(values.nbytes for values in self.obs.values())

    def start(self, obs: dict[str, np.ndarray]) -> None:
        """Begin with the observations of a reset of all environments."""
        self.obs = obs
        self.steps = 0
        self.episodes = EpisodeTracker(self.env.num_envs, self.max_steps)
        self.forced_resets = np.full(self.env.num_envs, -1)
        if self.desynchronise:
            self.forced_resets = np.random.default_rng(self.seed).integers(0, self.max_steps, self.env.num_envs)

    def collect(
        self, policy: ActorCritic, buffer: RolloutBuffer, on_step: Callable[[dict[str, Any]], bool]
    ) -> tuple[list[CutShort], float] | None:
        """Fill observations, actions, rewards and dones of `buffer`; None when `on_step` returns False.

        A diverged row ends without a bootstrap: its last observation is made of zeros and has no value.

        Args:
            policy: Gives the actions.
            buffer: Where they go.
            on_step: Called after every step with what Stable-Baselines3's callbacks find in their `locals`: `actions`,
                `new_obs`, `rewards`, `dones` (of the environments, forced resets apart).

        Returns:
            The rows that were cut short by a time-out, whose rewards lack the value of their last observation, and the
            seconds spent in the environments.
        """
        assert self.obs is not None
        cut_short: list[CutShort] = []
        seconds = successes = 0.0
        for step in range(buffer.steps):
            with torch.inference_mode():
                obs = buffer.store_obs(step, self.obs)
                seen = policy.see(obs)
                if seen is not None and buffer.seen is not None:
                    buffer.seen[step] = seen
                mean, _ = policy.act_and_locate(obs, seen)
                actions = mean + torch.exp(policy.log_std) * torch.randn_like(mean)
                buffer.means[step] = mean
                buffer.actions[step] = actions
                buffer.log_probs[step] = policy.log_prob(mean, actions)
            before = perf_counter()
            clipped = np.clip(actions.numpy(), self.low, self.high)
            self.obs, reward, terminated, truncated, infos = self.env.step(clipped)
            self.steps += 1
            final = self.env.unwrapped.final_rows  # type: ignore[attr-defined]
            timed_out = ~terminated[final.index] & ~_diverged(final)
            if timed_out.any():
                cut_short.append((step, final.index[timed_out], _take(final.obs, timed_out, policy.critic_groups)))
            self._take_statistics(reward, infos, final)
            successes += float(np.mean(infos["success"]))
            dones = terminated | truncated
            forced = (self.forced_resets == self.steps) & ~dones
            if forced.any():
                rows = np.flatnonzero(forced)
                cut_short.append((step, rows, _take(self.obs, rows, policy.critic_groups)))
                self.obs, _ = self.env.reset(options={"reset_mask": forced})
                self.episodes.forget(rows)
            seconds += perf_counter() - before
            buffer.rewards[step] = torch.as_tensor(reward)
            buffer.dones[step] = torch.as_tensor(dones | forced)
            if not on_step({"actions": clipped, "new_obs": self.obs, "rewards": reward, "dones": dones}):
                return None
        self.success_now = successes / buffer.steps
        return cut_short, seconds

    def statistics(self) -> dict[str, float]:
        """Means over the last N finished episodes, and the number of simulations that diverged so far."""
        means = {name: float(np.mean(values)) for name, values in self._finished.items() if values}
        return means | {"diverged": self.diverged}

    def get_state(self) -> dict[str, Any]:
        """Environments, observations, running episodes and the window of finished ones, as tensors."""
        assert self.obs is not None
        return {
            "env": _tensors(self.env.unwrapped.get_state()),  # type: ignore[attr-defined]
            "obs": _tensors(self.obs),
            "episodes": _tensors(self.episodes.arrays),
            "forced_resets": torch.as_tensor(self.forced_resets),
            "steps": self.steps,
            "diverged": self.diverged,
            "finished": {name: torch.tensor(list(v), dtype=torch.float64) for name, v in self._finished.items()},
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state`. With another number of environments, new episodes start instead."""
        self.diverged = state["diverged"]
        for name, values in state.get("finished", {}).items():
            self._finished[name].extend(values.tolist())
        if saved_num_envs(state) != self.env.num_envs:
            return
        obs, _ = self.env.reset(seed=self.seed)
        self.start(obs)
        self.env.unwrapped.set_state(_arrays(state["env"]))  # type: ignore[attr-defined]
        self.obs = _arrays(state["obs"])
        self.episodes.arrays = _arrays(state["episodes"])
        self.forced_resets = state["forced_resets"].numpy()
        self.steps = state["steps"]

    def _take_statistics(self, reward: np.ndarray, infos: dict[str, Any], final: Any) -> None:
        for name, values in self.episodes.step(reward, infos, final).items():
            self._finished[name].extend(values.tolist())
        self.diverged += int(_diverged(final).sum())


def saved_num_envs(state: dict[str, Any]) -> int:
    """Number of environments in a state of `RolloutCollector.get_state`; `CheckpointError` if it is none."""
    try:
        return len(state["forced_resets"])
    except (KeyError, TypeError) as error:
        raise CheckpointError("the checkpoint holds no state of environments; resume from another file") from error


def _diverged(final: Any) -> np.ndarray:
    return np.asarray(final.info.get("diverged", np.zeros(len(final.index), dtype=bool)))


def _take(obs: Mapping[str, np.ndarray], rows: np.ndarray, groups: tuple[str, ...]) -> dict[str, Tensor]:
    return {group: torch.as_tensor(obs[group][rows]) for group in groups}


def _tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.as_tensor(values) for name, values in arrays.items()}


def _arrays(tensors: dict[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: values.numpy() for name, values in tensors.items()}
