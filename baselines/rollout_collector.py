"""Rollouts of a policy in a vector environment, with the statistics of the episodes that they contain."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from torch import Tensor

from dexgrasp_envs.errors import CheckpointError

from .env_groups import EnvGroup, env_groups
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
        env: N environments that reset finished rows in the same step, in groups or not.
        seed: Seed of the environments and of the staggered resets.
        desynchronise: Whether to stagger the first episodes.
    """

    def __init__(self, env: VectorEnv, seed: int, desynchronise: bool) -> None:
        assert isinstance(env.single_action_space, spaces.Box)
        self.env = env
        self.groups = env_groups(env)
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
        self._steps = np.zeros(self.env.num_envs, dtype=np.int64)
        self._valid = np.ones(self.env.num_envs, dtype=bool)
        self.episodes = EpisodeTracker(self.env.num_envs, self.max_steps)
        self.forced_resets = np.full(self.env.num_envs, -1)
        if self.desynchronise:
            self.forced_resets = np.random.default_rng(self.seed).integers(0, self.max_steps, self.env.num_envs)

    def collect(
        self, policy: ActorCritic, buffer: RolloutBuffer, on_step: Callable[[dict[str, Any]], bool]
    ) -> tuple[list[CutShort], float] | None:
        """Fill observations, actions, rewards and dones of `buffer`; None when `on_step` returns False.

        Where the environment has groups, each is stepped while the policy acts for the others; what is stored is the
        same, up to rounding in a network that is given fewer rows at once. When `on_step` returns False, groups that
        are a step ahead are waited for, and the others do that step too.

        A diverged row ends without a bootstrap: its last observation is made of zeros and has no value.

        Args:
            policy: Gives the actions.
            buffer: Where they go.
            on_step: Called after every step with what Stable-Baselines3's callbacks find in their `locals`: `actions`,
                `new_obs`, `rewards`, `dones` (of the environments, forced resets apart).

        Returns:
            The rows that were cut short by a time-out, whose rewards lack the value of their last observation, and the
            seconds in which the environments were waited for.
        """
        assert self.obs is not None
        rollout = _Rollout(policy, buffer)
        now = [_Outcome({name: values[group.rows] for name, values in self.obs.items()}) for group in self.groups]
        stopping = False
        for step in range(buffer.steps):
            noise = torch.randn(buffer.num_envs, buffer.actions.shape[-1])
            for k, group in enumerate(self.groups):
                if step:
                    now[k] = self._receive(rollout, step - 1, group)
                if step and k == len(self.groups) - 1:
                    stopping = not on_step(self._told(buffer, step - 1, now))
                    if stopping and not k:
                        return None
                self._send(rollout, step, group, now[k].obs, noise[group.rows])
            if stopping:
                break
        now = [self._receive(rollout, step, group) for group in self.groups]
        stopping = not on_step(self._told(buffer, step, now)) or stopping
        if stopping:
            return None
        self.success_now = rollout.successes / (buffer.steps * buffer.num_envs)
        return rollout.cut_short, rollout.seconds

    def _send(
        self, rollout: "_Rollout", step: int, group: EnvGroup, observed: Mapping[str, np.ndarray], noise: Tensor
    ) -> None:
        """Store what a group observes and what the policy does about it, and let it be done."""
        policy, buffer, rows = rollout.policy, rollout.buffer, group.rows
        with torch.inference_mode():
            obs = buffer.store_obs(step, observed, rows)
            seen = policy.see(obs)
            if seen is not None and buffer.seen is not None:
                buffer.seen[step, rows] = seen
            mean, _ = policy.act_and_locate(obs, seen)
            actions = mean + torch.exp(policy.log_std) * noise
            buffer.means[step, rows] = mean
            buffer.actions[step, rows] = actions
            buffer.log_probs[step, rows] = policy.log_prob(mean, actions)
        buffer.used[step, rows] = torch.as_tensor(self._valid[rows])
        before = perf_counter()
        group.send(np.clip(actions.numpy(), self.low, self.high))
        rollout.seconds += perf_counter() - before

    def _receive(self, rollout: "_Rollout", step: int, group: EnvGroup) -> "_Outcome":
        """Finish the step of a group, and store what came of it."""
        buffer, rows, critic_groups = rollout.buffer, group.rows, rollout.policy.critic_groups
        before = perf_counter()
        obs, reward, terminated, truncated, infos = group.recv()
        self._steps[rows] += 1
        final = group.final_rows
        timed_out = ~terminated[final.index] & ~_flag(final, "diverged")
        if timed_out.any():
            last_obs = _take(final.obs, timed_out, critic_groups)
            rollout.cut_short.append((step, rows.start + final.index[timed_out], last_obs))
        self._take_statistics(rows, reward, infos, final)
        # Of rows whose server is lost there is only what was known before.
        rollout.successes += float(np.sum(infos["success"] & infos.get("valid", True)))
        dones = terminated | truncated
        forced = (self.forced_resets[rows] == self._steps[rows]) & ~dones
        if forced.any():
            here = np.flatnonzero(forced)
            rollout.cut_short.append((step, rows.start + here, _take(obs, here, critic_groups)))
            obs, _ = group.reset(options={"reset_mask": forced})
            self.episodes.forget(rows.start + here)
        rollout.seconds += perf_counter() - before
        buffer.rewards[step, rows] = torch.as_tensor(reward)
        buffer.dones[step, rows] = torch.as_tensor(dones | forced)
        if "server_lost" in infos:
            # What the action did there, nobody knows.
            buffer.used[step, rows] &= ~torch.as_tensor(infos["server_lost"])
        self._valid[rows] = infos.get("valid", True)
        self.episodes.forget(rows.start + np.flatnonzero(~self._valid[rows]))
        return _Outcome(obs, reward, dones)

    def _told(self, buffer: RolloutBuffer, step: int, outcomes: Sequence["_Outcome"]) -> dict[str, Any]:
        """What callbacks are told of a step that all groups have done."""
        self.obs = {name: _joined([one.obs[name] for one in outcomes]) for name in outcomes[0].obs}
        return {
            "actions": np.clip(buffer.actions[step].numpy(), self.low, self.high),
            "new_obs": self.obs,
            "rewards": _joined([one.rewards for one in outcomes]),
            "dones": _joined([one.dones for one in outcomes]),
        }

    def statistics(self) -> dict[str, float]:
        """Means over the last N finished episodes, simulations that diverged and servers that were lost so far."""
        means = {name: float(np.mean(values)) for name, values in self._finished.items() if values}
        losses = getattr(self.env.unwrapped, "server_losses", 0)
        return means | {"diverged": self.diverged, "server_losses": losses}

    def get_state(self) -> dict[str, Any]:
        """Environments, observations, running episodes and the window of finished ones, as tensors."""
        assert self.obs is not None
        return {
            "env": _tensors(self.env.unwrapped.get_state()),  # type: ignore[attr-defined]
            "obs": _tensors(self.obs),
            "episodes": _tensors(self.episodes.arrays),
            "forced_resets": torch.as_tensor(self.forced_resets),
            "steps": int(self._steps[0]),
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
        self._steps[:] = state["steps"]

    def _take_statistics(self, rows: slice, reward: np.ndarray, infos: dict[str, Any], final: Any) -> None:
        # Of an episode that was cut short by the loss of its server there is no outcome.
        whole = ~_flag(final, "server_lost")
        for name, values in self.episodes.step(reward, infos, final, rows).items():
            self._finished[name].extend(values[whole].tolist())
        self.diverged += int(_flag(final, "diverged").sum())


@dataclass
class _Rollout:
    """A rollout that is being collected."""

    policy: ActorCritic
    buffer: RolloutBuffer
    cut_short: list[CutShort] = field(default_factory=list)
    seconds: float = 0.0
    """For which the environments were waited for."""
    successes: float = 0.0
    """Steps in the success region, of all environments together."""


@dataclass
class _Outcome:
    """What came of a group's last step."""

    obs: dict[str, np.ndarray]
    rewards: np.ndarray = field(default_factory=lambda: np.zeros(0))
    dones: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))


def saved_num_envs(state: dict[str, Any]) -> int:
    """Number of environments in a state of `RolloutCollector.get_state`; `CheckpointError` if it is none."""
    try:
        return len(state["forced_resets"])
    except (KeyError, TypeError) as error:
        raise CheckpointError("the checkpoint holds no state of environments; resume from another file") from error


def _flag(final: Any, name: str) -> np.ndarray:
    return np.asarray(final.info.get(name, np.zeros(len(final.index), dtype=bool)))


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _take(obs: Mapping[str, np.ndarray], rows: np.ndarray, groups: tuple[str, ...]) -> dict[str, Tensor]:
    return {group: torch.as_tensor(obs[group][rows]) for group in groups}


def _tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.as_tensor(values) for name, values in arrays.items()}


def _arrays(tensors: dict[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: values.numpy() for name, values in tensors.items()}
