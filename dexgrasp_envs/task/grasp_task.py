"""The task itself: starts episodes, judges them, and says what is observed. Knows no engine."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..config import EnvConfig
from ..control.controller import Controller, ControlState
from ..objects import ObjectSet
from ..robots.robot import Robot
from ..types import Arrays, Dynamics, SimState, StartState
from .geometry import HandObject, HandObjectGeometry
from .noise import ObservationNoise
from .observations import Observations
from .outcome import Outcome, outcome
from .randomisation import Draws, DynamicsSampler, Stream, float32
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
        self._all_rows = torch.arange(len(env_index), device=device)
        self._geometry = HandObjectGeometry(robot, device)
        self._observations = Observations(robot, objects, config, controller, device)
        self._sampler = StartSampler(robot, objects, config.spawn, config.control.joint_margin, config.randomisation)
        random = config.randomisation
        self._dynamics = DynamicsSampler(robot, random) if random.physical else None
        self._noise: ObservationNoise | None = None
        if random.seen:
            self._noise = ObservationNoise(robot, random, self._geometry, len(env_index), device)
        self._push_steps = max(1, round(random.push_seconds / (config.physics.timestep * config.physics.substeps)))
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
            adr_level=torch.zeros(n, dtype=torch.int64, device=device),
            next_adr_level=torch.zeros(n, dtype=torch.int64, device=device),
            rest_height=torch.zeros(n, device=device),
            lifted=torch.zeros(n, dtype=torch.bool, device=device),
            last_action=torch.zeros(n, controller.action_size, device=device),
        )
        """Counters and references of each row."""

    def start(self, rows: Tensor, episode: Tensor, object_index: Tensor | None = None) -> StartState:
        """Begin `episode` [n] in `rows` [n] and say where; objects take turns unless object_index [n] names them."""
        state, env_index = self.state, self._env_index[rows]
        if object_index is None:
            object_index = (env_index + episode) % len(self._objects)
        level = state.next_adr_level[rows]
        start = self._sampler(state.seed[rows], env_index, episode, object_index, level)
        state.adr_level[rows] = level
        state.episode[rows] = episode
        state.step[rows] = 0
        state.done[rows] = False
        state.object_index[rows] = object_index
        state.rest_height[rows] = start.object_pos[:, 2]
        state.lifted[rows] = False
        state.last_action[rows] = 0.0
        self._draw_bias(rows)
        return start

    def load_arrays(self, arrays: Arrays) -> None:
        """Go on from the state in `arrays`, which `state.to_arrays("task")` gave."""
        self.state.load_arrays("task", arrays)
        self._draw_bias(self._all_rows)

    def dynamics(self, rows: Tensor) -> Dynamics | None:
        """The physical figures of the episodes that `rows` [n] have begun; None if all are nominal."""
        return None if self._dynamics is None else self._dynamics(self._draws(self.state.rows(rows), rows))

    def push(self) -> Tensor | None:
        """Accelerations [N, 3] of the objects by a random force during the next step, m/s^2; None if there is none.

        Only what is lifted is pushed: on the table an object would be driven out of reach before it is touched.
        """
        size = self._config.randomisation.push
        if not size:
            return None
        state = self.state
        block = state.step.cpu().numpy() // self._push_steps
        drawn = float32(self._draws(state, self._all_rows).around(Stream.PUSH, np.full(3, size), block))
        return drawn.to(state.lifted.device) * state.lifted[:, None]

    def observe(self, rows: Tensor, sim: SimState, control: ControlState) -> tuple[Tensors, Tensors]:
        """Observations and infos of `rows` [n], whose episode has just started; sim and control hold those n rows."""
        state = self.state.rows(rows)
        scene = self._geometry(sim)
        now = outcome(scene, state.rest_height, self._config.episode)
        nothing = torch.zeros_like(now.goal_distance)
        infos = self._infos(now, ~sim.diverged, state, dict.fromkeys(REWARD_TERMS, nothing))
        return self._observe(rows, sim, scene, control, state), infos

    def step(self, sim: SimState, control: ControlState, action: Tensor) -> TaskStep:
        """Judge all rows after `action` [N, A] led to `sim`."""
        state, config = self.state, self._config
        scene = self._geometry(sim)
        state.step += 1
        state.last_action = action
        state.rest_height = torch.minimum(state.rest_height, scene.object_pos[:, 2])
        now = outcome(scene, state.rest_height, config.episode)
        alive = ~sim.diverged
        state.lifted = now.lifted & alive
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
            obs=self._observe(self._all_rows, sim, scene, control, state),
            # Added one by one: the bits of a reduction over the stacked terms depend on the batch size.
            reward=functools.reduce(torch.add, terms.values()),
            terminated=terminated,
            truncated=truncated,
            infos=self._infos(now, alive, state, terms),
        )

    def _observe(
        self, rows: Tensor, sim: SimState, scene: HandObject, control: ControlState, state: TaskState
    ) -> Tensors:
        """Groups of `rows` [n], which all other arguments hold alone."""
        if self._noise is None:
            return self._observations(sim, scene, control, state)
        sensed = self._noise(rows, sim, scene, self._draws(state, rows), state.step)
        return self._observations(sim, scene, control, state, sensed)

    def _draw_bias(self, rows: Tensor) -> None:
        if self._noise is not None:
            self._noise.begin(rows, self._draws(self.state.rows(rows), rows))

    def _draws(self, state: TaskState, rows: Tensor) -> Draws:
        """Random numbers of the episodes of `rows` [n], which `state` holds alone."""
        return Draws.of(state.seed, self._env_index[rows], state.episode, state.adr_level)

    @staticmethod
    def _infos(now: Outcome, alive: Tensor, state: TaskState, terms: Tensors) -> Tensors:
        return {
            "success": now.success & alive,
            "lifted": now.lifted & alive,
            "diverged": ~alive,
            "goal_distance": now.goal_distance,
            "adr_level": state.adr_level.clone(),
            "episode_index": state.episode.clone(),
            "object": state.object_index.clone(),
            **{f"reward/{name}": term.clone() for name, term in terms.items()},
        }
