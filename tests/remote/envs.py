"""Environments to serve."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import batch_space

from dexgrasp_envs.errors import ConfigError, StateError


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


class CountingEnv(VectorEnv):
    """Episodes of a fixed length that tell who they are: observations are (index, seed, episode, step of the episode).

    Args:
        first: Global index of row 0.
        length: Steps of an episode.
        log: A file to which each step appends "index seed episode step" for each row before it is done.
        seconds: What a step takes.
        image: Size of an image that is observed too, pixels each way.
    """

    remote_calls = ("set_level",)

    def __init__(
        self,
        num_envs: int,
        first: int = 0,
        mode: AutoresetMode = AutoresetMode.SAME_STEP,
        length: int = 1000,
        log: Path | None = None,
        seconds: float = 0.0,
        image: int = 0,
    ):
        self.num_envs, self._length, self._seconds = num_envs, length, seconds
        self.metadata = {"autoreset_mode": mode}
        self._images = {"image": np.zeros((num_envs, 1, image, image), np.uint8)} if image else {}
        seen = {name: spaces.Box(0, 255, values.shape[1:], np.uint8) for name, values in self._images.items()}
        self.single_observation_space = spaces.Dict({"who": spaces.Box(-1, 2**62, (4,), np.int64), **seen})
        self.single_action_space = spaces.Box(-1, 1, (1,))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._log = log
        self.level = np.zeros(num_envs, np.int64)
        self.who = np.zeros((num_envs, 4), np.int64)
        self.who[:, 0] = first + np.arange(num_envs)
        self._done = np.zeros(num_envs, bool)
        self._started = False

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> Any:
        options = options or {}
        mask = np.asarray(options.get("reset_mask", np.ones(self.num_envs, bool)))
        if seed is not None:
            self.who[mask, 1] = np.broadcast_to(seed, self.num_envs)[mask]
        counted_on = 0 if seed is not None or not self._started else self.who[:, 2] + 1
        self.who[mask, 2] = np.broadcast_to(options.get("episode", counted_on), self.num_envs)[mask]
        self.who[mask, 3] = 0
        self._done[mask] = False
        self._started = True
        return self._observe(), self._infos()

    def step(self, actions: Any) -> Any:
        mode = self.metadata["autoreset_mode"]
        time.sleep(self._seconds)
        restart = self._done.copy() if mode is AutoresetMode.NEXT_STEP else np.zeros(self.num_envs, bool)
        if self._log is not None:
            text = "".join(" ".join(map(str, who)) + "\n" for who in self.who[~restart].tolist())
            file = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(file, text.encode())
            os.close(file)
        self.who[~restart, 3] += 1
        self._begin(restart)
        truncated = (self.who[:, 3] >= self._length) & ~restart
        infos = self._infos()
        if mode is AutoresetMode.SAME_STEP and truncated.any():
            finals = np.full(self.num_envs, None, object)
            for row in np.flatnonzero(truncated):
                finals[row] = {name: values[row] for name, values in self._observe().items()}
            final_info = {**infos, "_episode_index": truncated.copy()}
            self._begin(truncated)
            ended = {"final_obs": finals, "_final_obs": truncated, "final_info": final_info, "_final_info": truncated}
            infos = self._infos() | ended
        self._done = truncated.copy()
        rewards = np.ones(self.num_envs, np.float32)
        return self._observe(), rewards, np.zeros(self.num_envs, bool), truncated, infos

    def set_level(self, level: Any) -> None:
        if np.any(np.asarray(level) > 9):
            raise ConfigError("the level must not be above 9")
        self.level[:] = level

    def _observe(self) -> dict[str, np.ndarray]:
        return {"who": self.who.copy(), **self._images}

    def _begin(self, rows: np.ndarray) -> None:
        self.who[rows, 2] += 1
        self.who[rows, 3] = 0

    def _infos(self) -> dict[str, Any]:
        told = {"episode_index": self.who[:, 2].copy(), "level": self.level.copy()}
        return told | {f"_{name}": np.ones(self.num_envs, bool) for name in told}


COUNTING = {"env_id": "Counting", "seeding": "index"}
"""What its server says of it."""


class TextEnv(gymnasium.Env):
    """Texts, bits and tuples, observed and acted; ends at the fifth step."""

    def __init__(self) -> None:
        word = spaces.Text(5, min_length=0, charset="cba é")
        self.observation_space = spaces.Dict(
            {
                "said": word,
                "pair": spaces.Tuple((word, spaces.MultiBinary((2, 3)))),
                "lights": spaces.MultiDiscrete([3, 4]),
                "level": spaces.Discrete(100, start=-1),
            }
        )
        self.action_space = spaces.Tuple((word, spaces.Dict({"go": spaces.Discrete(2), "push": spaces.Box(-1, 1)})))
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        said, push = action
        obs = {**self.observation_space.sample(), "said": said}
        return obs, float(push["push"][0]), self.steps == 5, False, {}


def text_env(num_envs: int, mode: AutoresetMode = AutoresetMode.SAME_STEP) -> SyncVectorEnv:
    return SyncVectorEnv([TextEnv] * num_envs, autoreset_mode=mode)


class WideEnv(gymnasium.Env):
    """Observations that two environments together would have in shared memory, of a space that needs no chunks."""

    observation_space = spaces.Box(0, 255, (20_000,), np.uint8)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return self.np_random.integers(0, 256, 20_000, np.uint8), {}

    def step(self, action: Any) -> Any:
        return self.np_random.integers(0, 256, 20_000, np.uint8), 0.0, False, False, {}


class WritingEnv(VectorEnv):
    """Writes its images where it is told to; ends episodes by chance; its state is large too."""

    def __init__(self, num_envs: int = 2):
        self.num_envs = num_envs
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
        self.autoreset_mode = AutoresetMode.SAME_STEP
        box = spaces.Box(0, 255, (1, 200, 300), np.uint8)
        self.single_observation_space = spaces.Dict({"first": box, "second": box, "pose": spaces.Box(0, 1, (2,))})
        self.single_action_space = spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.into: dict[str, np.ndarray] = {}
        self.numbers = np.random.default_rng(0)

    def observe_into(self, arrays: dict[str, np.ndarray]) -> None:
        self.into = arrays

    def _observe(self) -> dict[str, np.ndarray]:
        obs = {}
        for name in ("first", "second"):
            obs[name] = self.into.get(name, np.empty((self.num_envs, 1, 200, 300), np.uint8))
            obs[name][...] = self.numbers.integers(0, 256, obs[name].shape, np.uint8)
        return obs | {"pose": self.numbers.random((self.num_envs, 2), np.float32)}

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        if seed is not None:
            self.numbers = np.random.default_rng(seed)
        return self._observe(), {}

    def step(self, actions: Any) -> Any:
        ended = self.numbers.random(self.num_envs) < 0.3
        last = {name: values.copy() for name, values in self._observe().items()}
        obs = self._observe()
        final = np.array([None] * self.num_envs, object)
        for row in np.flatnonzero(ended):
            final[row] = {name: values[row] for name, values in last.items()}
        infos = {"final_obs": final, "_final_obs": ended} if ended.any() else {}
        return obs, np.asarray(actions, np.float64), ended, np.zeros(self.num_envs, bool), infos

    def get_state(self) -> dict[str, Any]:
        return {"large": np.full((self.num_envs, 1 << 16), 7, np.uint8)}


def wide_env(num_envs: int) -> SyncVectorEnv:
    return SyncVectorEnv([WideEnv] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)
