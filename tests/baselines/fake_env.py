"""A point that is driven to a goal, with the contract of `DexGraspVectorEnv`; fast enough to learn in seconds."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from baselines.depth_encoder import EncoderConfig
from baselines.ppo_config import DEPTH_PPO
from dexgrasp_envs.config import EnvConfig, EpisodeConfig, ObservationConfig
from dexgrasp_envs.errors import RenderingError

FAKE_ID = "Fake/Point-v0"
FAKE_DEPTH_ID = "Fake/Point-Depth-v0"
FAKE_STEREO_ID = "Fake/Point-Stereo-v0"
FAKE_TABLE_ID = "Fake/Point-Table-v0"
"""Its goal is told, and it has the flat groups of `FAKE_DEPTH_ID`: what a teacher for that one learns in."""
FAKE_CONFIG = EnvConfig(
    observation=ObservationConfig(groups=("state", "privileged")), episode=EpisodeConfig(seconds=2.0)
)
FAKE_DEPTH_CONFIG = FAKE_CONFIG.replace(
    observation=ObservationConfig(groups=("depth", "privileged"), image_size=(24, 32))
)
CAMERA = {
    "width": 32, "height": 24, "fx": 29.0, "fy": 29.0, "cx": 16.0, "cy": 12.0, "near": 0.02, "far": 2.0,
    "depth_scale": 1e-4, "position": [0.575, 0.0, 1.25], "rotation": [[0, -1, 0], [-1, 0, 0], [0, 0, -1]],
    "mount": "world", "table_height": 0.25,
}  # fmt: skip
"""Looks straight down on the table from 1 m above."""
SMALL_EYES = EncoderConfig((8, 16), (4, 3), (2, 2), 32)
SMALL_DEPTH_PPO = replace(
    DEPTH_PPO,
    n_steps=8,
    minibatch=32,
    hidden=(16,),
    warm_up_rounds=2,
    warm_up_steps=2,
    sight_steps=1,
    sight_fewest_images=1,
    encoder=SMALL_EYES,
)
"""Learns from the fake images in no time."""


@dataclass
class FinalRows:
    """Last observations and infos of the rows that finished in a step."""

    index: np.ndarray
    obs: dict[str, np.ndarray]
    info: dict[str, np.ndarray]


class FakeVectorEnv(VectorEnv):
    """proprio: position and last action; state: goal; privileged: goal and time. Leaving |x| < 2 ends an episode.

    On a table the goal is a block, proprio also holds `palm_pos` and privileged `object_from_goal`; images show it.
    """

    object_names = ("near", "far")

    def __init__(
        self,
        num_envs: int,
        config: EnvConfig = FAKE_CONFIG,
        id_groups: tuple[str, ...] = ("state",),
        remote: str | None = None,
        on_table: bool = False,
        render_mode: str | None = None,
        autoreset_mode: str = "SameStep",
        keys: Path | None = None,
        env_groups: int = 1,
        on_server_loss: str = "raise",
        first: int = 0,
    ) -> None:
        self.num_envs = num_envs
        self.env_groups, self.on_server_loss = env_groups, on_server_loss
        self.first = first
        self.remote = remote
        self.keys = keys
        self.render_mode = render_mode
        config = config.observing(*id_groups)
        self.config = config
        self.fingerprint = f"fake {config.hash()}"
        self.task_fingerprint = f"fake task {config.replace(observation=ObservationConfig()).hash()}"
        self.metadata = {
            "autoreset_mode": AutoresetMode(autoreset_mode),
            "render_modes": ["rgb_array"],
            "render_fps": 15,
        }
        self.sees = not {"depth", "left"}.isdisjoint(config.observation.groups)
        self.on_table = on_table or self.sees
        groups = {"proprio": 4, "state": 2, "privileged": 3}
        if self.sees:
            assert config.observation.image_size == (CAMERA["height"], CAMERA["width"])
            self.metadata["camera"] = CAMERA
        if self.on_table:
            fields = {"proprio": {"palm_pos": [4, 7]}, "privileged": {"object_from_goal": [3, 6]}}
            observed = ("proprio", *config.observation.groups)
            self.metadata["fields"] = {group: slices for group, slices in fields.items() if group in observed}
            groups = {"proprio": 7, "state": 2, "privileged": 6}
        boxes = {name: spaces.Box(-100, 100, (size,), np.float32) for name, size in groups.items()}
        boxes["depth"] = spaces.Box(0, 65535, (1, 24, 32), np.uint16)
        boxes |= dict.fromkeys(("left", "right"), spaces.Box(0, 255, (3, 24, 32), np.uint8))
        self.single_observation_space = spaces.Dict(
            {name: boxes[name] for name in ("proprio", *config.observation.groups)}
        )
        self.single_action_space = spaces.Box(-1, 1, (2,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.adr_level = np.zeros(num_envs, np.int64)
        self.seed = 0
        self.position = np.zeros((num_envs, 2))
        self.goal = np.zeros((num_envs, 2))
        self.last_action = np.zeros((num_envs, 2))
        self.clock = np.zeros(num_envs, dtype=np.int64)
        self.episode = np.full(num_envs, -1, dtype=np.int64)
        self.resets_by_mask = 0
        self.diverging = np.zeros(num_envs, dtype=bool)  # set by a test: these rows diverge in the next step

    def set_adr_level(self, level: int) -> None:
        self.adr_level[:] = level

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
        if len(rows) and self.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP:
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

    def render(self) -> Any:
        raise RenderingError("no OpenGL here; install libegl1")

    def _begin(self, rows: np.ndarray) -> None:
        self.episode[rows] += 1
        for row in rows:
            draws = np.random.default_rng([self.seed, self.first + row, self.episode[row]]).uniform(-1, 1, 4)
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
        if self.on_table:
            from_goal = _on_table(self.goal) - np.array(self.config.episode.goal)
            groups["proprio"] = np.concatenate([groups["proprio"], _on_table(self.position)], axis=1)
            groups["privileged"] = np.concatenate([groups["privileged"], from_goal], axis=1)
        if self.sees:
            groups["depth"] = _picture(_on_table(self.goal))
            groups["left"] = np.repeat(np.clip((groups["depth"] - 8800) // 5, 0, 250), 3, axis=1)  # a block is dark
            groups["right"] = np.roll(groups["left"], -1, axis=3)
        return {name: groups[name].astype(box.dtype) for name, box in self.single_observation_space.items()}  # type: ignore[attr-defined]

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


def _on_table(points: np.ndarray) -> np.ndarray:
    """World coordinates [N, 3] of points [N, 2] of the plane."""
    x, y = points.T
    return np.stack([0.575 + 0.3 * x, 0.4 * y, np.full(len(points), 0.3)], axis=1)


def _picture(blocks: np.ndarray) -> np.ndarray:
    """Depth [N, 1, 24, 32] in 0.1 mm of a table 1 m away with a block 10 cm high; one corner is invalid."""
    v, u = np.mgrid[:24, :32] + 0.5
    x, y = 0.575 - (v - 12) / 29, -(u - 16) / 29
    covered = np.hypot(x - blocks[:, :1, None], y - blocks[:, 1:2, None]) < 0.08
    depth = np.where(covered, 9000, 10000)[:, None]
    depth[..., 0, 0] = 0
    return depth


for env_id, *groups in (
    (FAKE_ID, "state"),
    (FAKE_DEPTH_ID, "depth"),
    (FAKE_STEREO_ID, "left", "right"),
    (FAKE_TABLE_ID, "state"),
):
    if env_id not in gymnasium.registry:
        gymnasium.register(
            env_id,
            vector_entry_point=f"{__name__}:FakeVectorEnv",
            disable_env_checker=True,
            kwargs={"id_groups": tuple(groups), "on_table": env_id != FAKE_ID},
        )
