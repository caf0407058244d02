"""The task itself: starts episodes, judges them, and says what is observed. Knows no engine."""

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..config import EnvConfig
from ..control.controller import Controller, ControlState
from ..objects import ObjectSet
from ..robots.robot import Robot
from ..types import SimState, StartState
from .geometry import HandObjectGeometry
from .observations import Observations
from .outcome import Outcome, outcome
from .resets import StartSampler
from .reward import REWARD_TERMS, reward_terms
from .state import TaskState

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class TaskStep:
    """What one step means for every row."""

    obs: Tensors
    """Observation groups, [N, size] each."""
    reward: Tensor
    """[N] float32."""
    terminated: Tensor
    """[N] bool: the object is lost."""
    truncated: Tensor
    """[N] bool: the time is up, or the simulation diverged."""
    infos: Tensors
    """[N] each, see `DexGraspVectorEnv`."""


class GraspTask:
    """Lift an object from the table to the goal, and hold it there."""

    def __init__(
        self,
        robot: Robot,
        objects: ObjectSet,
        config: EnvConfig,
        controller: Controller[Any],
        env_index: Tensor,
        device: torch.device | str,
    ):
        """env_index [N] int64: the global index of each row, which with the seed decides its random numbers."""
        self._config = config
        self._objects = objects
        self._env_index = env_index
        self._geometry = HandObjectGeometry(robot, device)
        self._observations = Observations(robot, objects, config, controller, device)
        self._sampler = StartSampler(robot, objects, config.spawn, config.control.joint_margin)
        self._arm_joints, self._fingers = robot.arm_joints, len(robot.fingers)
        self._hand_nominal = torch.tensor(robot.hand_nominal, dtype=torch.float32, device=device)
        self.observation_space = self._observations.space
        """One environment's observation space."""
        self.fields = self._observations.slices
        """Group -> field -> [start, stop)."""
        n = len(env_index)
        self.state = TaskState(
            seed=torch.zeros(n, dtype=torch.int64, device=device),
            episode=torch.zeros(n, dtype=torch.int64, device=device),
            step=torch.zeros(n, dtype=torch.int64, device=device),
            done=torch.zeros(n, dtype=torch.bool, device=device),
            object_index=torch.zeros(n, dtype=torch.int64, device=device),
            rest_height=torch.zeros(n, device=device),
            last_action=torch.zeros(n, controller.action_size, device=device),
        )
        """Counters and references of each row."""

    def start(self, rows: Tensor, episode: Tensor, object_index: Tensor | None = None) -> StartState:
        """Begin `episode` [n] in `rows` [n] and say where; objects take turns unless object_index [n] names them."""
        state, env_index = self.state, self._env_index[rows]
        if object_index is None:
            object_index = (env_index + episode) % len(self._objects)
        start = self._sampler(state.seed[rows], env_index, episode, object_index)
        state.episode[rows] = episode
        state.step[rows] = 0
        state.done[rows] = False
        state.object_index[rows] = object_index
        state.rest_height[rows] = start.object_pos[:, 2]
        state.last_action[rows] = 0.0
        return start

    def observe(self, rows: Tensor, sim: SimState, control: ControlState) -> tuple[Tensors, Tensors]:
        """Observations and infos of `rows` [n], whose episode has just started; sim and control hold those n rows."""
        state = self.state.rows(rows)
        scene = self._geometry(sim)
        now = outcome(scene, state.rest_height, self._config.episode)
        nothing = torch.zeros_like(now.goal_distance)
        infos = self._infos(now, ~sim.diverged, state, dict.fromkeys(REWARD_TERMS, nothing))
        return self._observations(sim, scene, control, state), infos

    def step(self, sim: SimState, control: ControlState, action: Tensor) -> TaskStep:
        """Judge all rows after `action` [N, A] led to `sim`."""
        state, config = self.state, self._config
        scene = self._geometry(sim)
        state.step += 1
        state.last_action = action
        state.rest_height = torch.minimum(state.rest_height, scene.object_pos[:, 2])
        now = outcome(scene, state.rest_height, config.episode)
        alive = ~sim.diverged
        terms = reward_terms(
            scene,
            now,
            state.rest_height,
            sim.contact_count[:, : self._fingers],
            sim.joint_pos[:, self._arm_joints :],
            self._hand_nominal,
            config.reward,
            config.episode,
        )
        terms = {name: term * alive for name, term in terms.items()}
        terminated = now.lost & alive
        truncated = ((state.step >= config.max_steps) | sim.diverged) & ~terminated
        return TaskStep(
            obs=self._observations(sim, scene, control, state),
            # Added one by one: the bits of a reduction over the stacked terms depend on the batch size.
            reward=functools.reduce(torch.add, terms.values()),
            terminated=terminated,
            truncated=truncated,
            infos=self._infos(now, alive, state, terms),
        )

    @staticmethod
    def _infos(now: Outcome, alive: Tensor, state: TaskState, terms: Tensors) -> Tensors:
        return {
            "success": now.success & alive,
            "lifted": now.lifted & alive,
            "diverged": ~alive,
            "goal_distance": now.goal_distance,
            "episode_index": state.episode.clone(),
            "object": state.object_index.clone(),
            **{f"reward/{name}": term.clone() for name, term in terms.items()},
        }
