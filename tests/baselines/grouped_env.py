"""The fake environment in two groups, as one whose rows are served in groups."""

from typing import Any

import numpy as np

from tests.baselines.fake_env import FAKE_CONFIG, FakeVectorEnv, FinalRows


class Group:
    """Some rows of it; may lose its server, and then does what the loss policy "mask" has it do."""

    def __init__(self, env: FakeVectorEnv, number: int, events: list[tuple[str, int]]) -> None:
        self.env, self.number, self.events = env, number, events
        self.rows = slice(env.first, env.first + env.num_envs)
        self.actions: np.ndarray | None = None
        self.outage: list[bool] | None = None  # set by a test: of the next steps, whether the server is lost in them
        self.away = False

    @property
    def final_rows(self) -> Any:
        return self.env.final_rows

    def reset(self, *, options: dict[str, Any]) -> Any:
        assert self.actions is None
        return self.env.reset(options=options)

    def send(self, actions: np.ndarray) -> None:
        assert self.actions is None
        self.events.append(("send", self.number))
        self.actions = actions

    def recv(self) -> Any:
        assert self.actions is not None
        self.events.append(("recv", self.number))
        actions, self.actions = self.actions, None
        lost = self.outage.pop(0) if self.outage else False
        if not lost:
            self.away = False
            obs, reward, terminated, truncated, infos = self.env.step(actions)
        else:
            every, index = np.ones(self.env.num_envs, bool), np.arange(self.env.num_envs)
            obs, infos = self.env._obs(), self.env._infos()
            reward, terminated = np.zeros(self.env.num_envs, np.float32), ~every
            truncated = ~every if self.away else every
            told = index[truncated]
            info = {name: values[told] for name, values in infos.items()} | {"server_lost": every[told]}
            self.env.final_rows = FinalRows(told, {n: values[told] for n, values in obs.items()}, info)
            infos["server_lost"] = truncated
            self.away = True
            self.env.reset()
        infos["valid"] = np.full(self.env.num_envs, not self.away)
        return obs, reward, terminated, truncated, infos


class GroupedEnv(FakeVectorEnv):
    """`FakeVectorEnv`, the same numbers, in two groups of which the first may be the larger."""

    def __init__(self, num_envs: int, config: Any = FAKE_CONFIG, id_groups: tuple[str, ...] = ("state",)) -> None:
        super().__init__(num_envs, config, id_groups)
        self.events: list[tuple[str, int]] = []
        more = (num_envs + 1) // 2
        halves = [(more, 0), (num_envs - more, more)]
        self._halves = [FakeVectorEnv(size, config, id_groups, first=first) for size, first in halves]
        self.groups = [Group(half, number, self.events) for number, half in enumerate(self._halves)]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        assert options is None
        parts = [half.reset(seed=seed) for half in self._halves]
        obs, infos = ({n: np.concatenate([part[k][n] for part in parts]) for n in parts[0][k]} for k in (0, 1))
        return obs, infos

    def step(self, actions: np.ndarray) -> Any:
        raise AssertionError("the groups are stepped")

    def get_state(self) -> dict[str, np.ndarray]:
        parts = [half.get_state() for half in self._halves]
        return {n: parts[0][n] if n == "seed" else np.concatenate([part[n] for part in parts]) for n in parts[0]}

    def set_state(self, state: dict[str, np.ndarray]) -> None:
        for group in self.groups:
            group.env.set_state({n: value if n == "seed" else value[group.rows] for n, value in state.items()})
