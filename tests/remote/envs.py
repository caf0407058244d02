"""Environments to serve."""

import threading
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dexgrasp_envs.errors import StateError


def cartpole(num_envs: int = 2, mode: AutoresetMode = AutoresetMode.SAME_STEP) -> SyncVectorEnv:
    env = gymnasium.make_vec("CartPole-v1", num_envs, "sync", {"autoreset_mode": mode})
    assert isinstance(env, SyncVectorEnv)
    return env


class ImageEnv(gymnasium.Env):
    """Random images that take several chunks, and infos of many kinds; ends at a random time."""

    def __init__(self) -> None:
        image = spaces.Box(0, 65535, (1, 800, 700), np.uint16)
        self.observation_space = spaces.Dict({"image": image, "pose": spaces.Box(-1, 1, (3,))})
        self.action_space = spaces.Tuple((spaces.Discrete(4), spaces.Box(-1, 1, (2,))))
        self.sum = 0.0

    def _observe(self) -> tuple[dict[str, Any], dict[str, Any]]:
        image = self.np_random.integers(0, 65536, (1, 800, 700), np.uint16)
        infos = {"sum": self.sum, "name": f"row {self.sum:.3f}", "nested": {"twice": 2 * self.sum}}
        return {"image": image, "pose": self.np_random.uniform(-1, 1, 3).astype(np.float32)}, infos

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.sum = float(np.ravel((options or {}).get("start", 0.0))[0])
        return self._observe()

    def step(self, action: Any) -> Any:
        self.sum += float(action[0] + action[1].sum())
        obs, infos = self._observe()
        terminated = bool(self.np_random.random() < 0.3)
        if terminated:
            infos["why"] = "by chance"
        return obs, self.sum, terminated, False, infos


def image_env(num_envs: int, mode: AutoresetMode = AutoresetMode.SAME_STEP) -> SyncVectorEnv:
    return SyncVectorEnv([ImageEnv] * num_envs, autoreset_mode=mode)


class StatefulEnv(SyncVectorEnv):
    """CartPole whose state can be taken and given back, and which fails and waits when told to."""

    def __init__(self, num_envs: int = 2):
        super().__init__([lambda: gymnasium.make("CartPole-v1")] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)
        self.failure: Exception | None = None
        self.steps = 0
        self.stepping = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def step(self, actions: Any) -> Any:
        if self.failure is not None:
            raise self.failure
        self.steps += 1
        self.stepping.set()
        assert self.go_on.wait(20)
        return super().step(actions)

    def get_state(self) -> dict[str, Any]:
        return {"pole": np.array([env.unwrapped.state for env in self.envs])}

    def set_state(self, state: dict[str, Any]) -> None:
        if np.isnan(state["pole"]).any():
            raise StateError("the pole must be somewhere")
        for env, pole in zip(self.envs, state["pole"], strict=True):
            env.unwrapped.state = tuple(pole)
