"""A point that is driven to a goal, with the contract of `DexGraspVectorEnv`; fast enough to learn in seconds."""

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from dexgrasp_envs.config import EnvConfig, EpisodeConfig
from dexgrasp_envs.errors import RenderingError

FAKE_ID = "Fake/Point-v0"
FAKE_CONFIG = EnvConfig(privileged=True, episode=EpisodeConfig(seconds=2.0))


@dataclass
class FinalRows:
    """Last observations and infos of the rows that finished in a step."""

    index: np.ndarray
    obs: dict[str, np.ndarray]
    info: dict[str, np.ndarray]


class FakeVectorEnv(VectorEnv):
    """proprio: position and last action; state: goal; privileged: goal and time. Leaving |x| < 2 ends an episode."""

    object_names = ("near", "far")

    def __init__(
        self, num_envs: int, config: EnvConfig = FAKE_CONFIG, mode: AutoresetMode = AutoresetMode.SAME_STEP
    ) -> None:
        self.num_envs = num_envs
        self.config = config
        self.fingerprint = f"fake {config.hash()}"
        self.metadata = {"autoreset_mode": mode, "render_modes": []}
        groups = {"proprio": 4, "state": 2}
        if config.privileged:
            groups["privileged"] = 3
        self.single_observation_space = spaces.Dict(
            {name: spaces.Box(-100, 100, (size,), np.float32) for name, size in groups.items()}
        )
        self.single_action_space = spaces.Box(-1, 1, (2,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.seed = 0
        self.position = np.zeros((num_envs, 2))
        self.goal = np.zeros((num_envs, 2))
        self.last_action = np.zeros((num_envs, 2))
        self.clock = np.zeros(num_envs, dtype=np.int64)
        self.episode = np.full(num_envs, -1, dtype=np.int64)
        self.resets_by_mask = 0
        self.diverging = np.zeros(num_envs, dtype=bool)  # set by a test: these rows diverge in the next step

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool))
        self.resets_by_mask += int(mask.sum()) if options else 0
        if seed is not None:
            self.seed = seed
            self.episode[mask] = -1
        self._begin(np.flatnonzero(mask))
        return self._obs(), self._infos()

    def step(self, actions: np.ndarray) -> Any:
        assert actions.shape == (self.num_envs, 2) and np.abs(actions).max() <= 1
        self.last_action = actions.astype(np.float64)
        self.position += 0.1 * self.last_action
        self.clock += 1
        reward = np.exp(-2 * self._distance()).astype(np.float32)
        terminated = np.abs(self.position).max(axis=1) > 2
        truncated = ((self.clock >= self.config.max_steps) | self.diverging) & ~terminated
        rows = np.flatnonzero(terminated | truncated)
        obs, infos = self._obs(), self._infos()
        for values in obs.values():
            values[self.diverging] = 0
        self.diverging = np.zeros(self.num_envs, dtype=bool)
        final_info = {name: values[rows] for name, values in infos.items()} if len(rows) else {}
        self.final_rows = FinalRows(rows, {name: values[rows] for name, values in obs.items()}, final_info)
        if len(rows):
            self._begin(rows)
            final_infos, obs, infos = infos, self._obs(), self._infos()
            done = np.zeros(self.num_envs, dtype=bool)
            done[rows] = True
            infos["final_obs"] = np.full(self.num_envs, None, dtype=object)
            for k, row in enumerate(rows):
                infos["final_obs"][row] = {name: values[k] for name, values in self.final_rows.obs.items()}
            infos["final_info"] = final_infos | {f"_{name}": done for name in final_infos}
            infos["_final_obs"] = infos["_final_info"] = done
        return obs, reward, terminated, truncated, infos

    def get_state(self) -> dict[str, np.ndarray]:
        names = ("position", "goal", "last_action", "clock", "episode")
        return {name: getattr(self, name).copy() for name in names} | {"seed": np.array(self.seed)}

    def set_state(self, state: dict[str, np.ndarray]) -> None:
        for name, value in state.items():
            setattr(self, name, int(value) if name == "seed" else value.copy())

    def _begin(self, rows: np.ndarray) -> None:
        self.episode[rows] += 1
        for row in rows:
            draws = np.random.default_rng([self.seed, row, self.episode[row]]).uniform(-1, 1, 4)
            self.position[row], self.goal[row] = draws[:2], draws[2:]
        self.last_action[rows] = 0
        self.clock[rows] = 0

    def _distance(self) -> np.ndarray:
        return np.linalg.norm(self.position - self.goal, axis=1)

    def _obs(self) -> dict[str, np.ndarray]:
        groups = {
            "proprio": np.concatenate([self.position, self.last_action], axis=1),
            "state": self.goal,
            "privileged": np.concatenate([self.goal, self.clock[:, None] / self.config.max_steps], axis=1),
        }
        return {name: groups[name].astype(np.float32) for name in self.single_observation_space.spaces}  # type: ignore[attr-defined]

    def _infos(self) -> dict[str, Any]:
        distance = self._distance()
        return {
            "success": distance < 0.15,
            "lifted": distance < 0.3,
            "reward/reach": np.exp(-distance),
            "episode_index": self.episode.copy(),
            "object": (np.abs(self.goal).max(axis=1) > 0.5).astype(np.int64),
            "diverged": self.diverging.copy(),
        }


class FakeEnv(gymnasium.Env):
    """The same with a single environment that cannot be drawn."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 15}

    def __init__(self, config: EnvConfig = FAKE_CONFIG, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.vector = FakeVectorEnv(1, config)
        self.observation_space = self.vector.single_observation_space
        self.action_space = self.vector.single_action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        obs, _ = self.vector.reset(seed=seed)
        return {name: values[0] for name, values in obs.items()}, {}

    def step(self, action: np.ndarray) -> Any:
        obs, reward, terminated, truncated, _ = self.vector.step(action[None])
        row = {name: values[0] for name, values in obs.items()}
        return row, float(reward[0]), bool(terminated[0]), bool(truncated[0]), {}

    def render(self) -> Any:
        raise RenderingError("no OpenGL here; install libegl1")


if FAKE_ID not in gymnasium.registry:
    gymnasium.register(
        FAKE_ID, f"{__name__}:FakeEnv", vector_entry_point=f"{__name__}:FakeVectorEnv", disable_env_checker=True
    )
