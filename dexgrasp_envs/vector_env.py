"""The vector environment: orchestrates one step of control, simulation and task."""

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor

from . import arguments
from . import objects as object_sets
from .arguments import ENV_OPTIONS, action_batch, adr_levels, not_negative, one_of, only_known, per_row, positive
from .config import ADR_LEVELS, IMAGE_GROUPS, CameraConfig, EnvConfig, LightConfig, RandomisationConfig
from .control.make_controller import make_controller
from .errors import ClosedError, ConfigError, ResetNeeded, StateError
from .final_rows import FinalRows
from .fingerprint import fingerprints
from .robots.kuka_allegro import kuka_allegro
from .scene.tabletop import TABLE_TOP, tabletop
from .sensor_config import ColourConfig, DepthNoiseConfig
from .sim.make_backend import make_backend
from .task.grasp_task import GraspTask, Tensors
from .types import Arrays, check_arrays, check_index
from .vision.camera import describe
from .vision.camera_rig import NOWHERE, CameraRig

Observation = dict[str, npt.NDArray[np.generic]] | Tensors
Infos = dict[str, Any]

RESET_OPTIONS = ("reset_mask", "object", "episode")
"""Options of `reset`."""


class DexGraspVectorEnv(gymnasium.vector.VectorEnv):
    """A batch of grasping environments.

    Example:
        >>> import gymnasium, dexgrasp_envs
        >>> envs = gymnasium.make_vec("DexGrasp/KukaAllegro-State-v0", num_envs=4)
        >>> obs, infos = envs.reset(seed=0)
        >>> obs, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
        >>> envs.close()

    Observations are a dict of arrays [N, ...], fresh at each step. Rewards are float32 [N]; `terminated` (object lost)
    and `truncated` (time limit, or the simulation diverged) are bool [N]. Infos: `success`, `lifted`, `diverged` bool
    [N], `goal_distance` [N] m, `reward/<term>` [N], `adr_level`, `episode_index`, `object` int64 [N]. Under SAME_STEP
    autoreset there are `final_obs` and `final_info` too, as Gymnasium's own vector environments give them, compact in
    `final_rows`.

    Args:
        num_envs: Number of environments.
        id_groups: Observation groups that the id stands for, besides `proprio`.
        config: What the environments compute; the default configuration if None.
        tier: Name of one of `tiers.TIERS`, which decides spawn and jitter of the camera, and objects and noise of depth
            unless they are options too.
        objects: Overrides `config.objects`.
        groups: More observation groups, such as "state" for a teacher; added to those of `config` and of the id.
        privileged: Short for the group "privileged".
        image_size: Overrides `config.observation.image_size`, (height, width).
        depth_format: Overrides `config.observation.depth_format`.
        camera: Overrides `config.observation.camera`; a `CameraConfig`, or the name of one of `config.CAMERAS`.
        depth_noise: Overrides `config.observation.depth_noise`; a `DepthNoiseConfig`, or the name of one of
            `sensor_config.DEPTH_NOISES`.
        light: Overrides `config.observation.stereo.light`; a `LightConfig`, or the name of one of `config.LIGHTS`.
        colour: Overrides `config.observation.stereo.colour`; a `ColourConfig`, or the name of one of
            `sensor_config.COLOURS`.
        controller: Overrides `config.controller`; one of `config.CONTROLLERS`.
        rate: One of `config.RATES`, instead of the rate of actions that `config` has.
        randomisation: Overrides `config.randomisation`; a `RandomisationConfig`, or a name of `config.RANDOMISATIONS`.
        backend: Name of the physics engine.
        device: Where control and task are computed.
        threads: Threads of the physics engine; 0 means one per core.
        autoreset_mode: One of Gymnasium's modes, or its name.
        output: "numpy" or "torch" observations.
        first_env_index: Global index of row 0, which with the seed decides its random numbers.
        render_mode: None or "rgb_array".
        adr_level: How much of the randomisation the first episodes draw from, 0 .. `config.ADR_LEVELS`.

    Raises:
        ConfigError: An option is unknown or its value impossible.
    """

    metadata = {"render_modes": ["rgb_array"], "autoreset_mode": AutoresetMode.SAME_STEP}
    remote_calls = ("set_adr_level",)
    """Methods that a client may call when this is served."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        id_groups: Sequence[str] = ("state",),
        config: EnvConfig | None = None,
        tier: str | None = None,
        objects: str | None = None,
        groups: Sequence[str] = (),
        privileged: bool = False,
        image_size: tuple[int, int] | None = None,
        depth_format: str | None = None,
        camera: CameraConfig | str | None = None,
        depth_noise: DepthNoiseConfig | str | None = None,
        light: LightConfig | str | None = None,
        colour: ColourConfig | str | None = None,
        controller: str | None = None,
        rate: str | None = None,
        randomisation: RandomisationConfig | str | None = None,
        backend: str = "mujoco",
        device: str = "cpu",
        threads: int = 0,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        output: str = "numpy",
        first_env_index: int = 0,
        render_mode: str | None = None,
        adr_level: int = 0,
        **unknown: Any,
    ):
        only_known("option", unknown, ENV_OPTIONS)
        self.config = arguments.env_config(
            id_groups,
            config,
            tier,
            objects,
            groups,
            privileged,
            image_size,
            depth_format,
            camera,
            depth_noise,
            light,
            colour,
            controller,
            rate,
            randomisation,
        )
        """The configuration in force."""
        self.num_envs = positive("num_envs", num_envs)
        self.render_mode = one_of("render_mode", render_mode, (None, "rgb_array"))
        self._torch_output = one_of("output", output, ("numpy", "torch")) == "torch"
        self._mode = arguments.autoreset_mode(autoreset_mode)
        physics = self.config.physics
        fps = round(1.0 / (physics.timestep * physics.substeps))
        self.metadata = {**self.metadata, "autoreset_mode": self._mode, "render_fps": fps}
        self._device = torch.device(one_of("device", device, ("cpu",)))
        self.objects = object_sets.load(self.config.objects)
        """The objects to grasp."""
        robot = kuka_allegro(self.config.control.synergies)
        scene = tabletop(robot.bodies, self.config.episode.goal, self.config.episode.success_radius)
        self.scene = scene
        """Everything that is simulated and seen, objects apart."""
        self.fingerprint, self.task_fingerprint = fingerprints(self.config, scene, robot, self.objects)
        """Identify what is computed, in every result, and the task alone, within which a policy can teach another."""
        threads = not_negative("threads", threads)
        self.backend = make_backend(
            backend, scene, robot, self.objects, physics, self.num_envs, threads, self.config.randomisation.physical
        )
        """The simulations, a `SimBackend`."""
        self._controller = make_controller(robot, self.config, self._device, threads)
        first = not_negative("first_env_index", first_env_index)
        if first + self.num_envs > 2**32:
            raise ConfigError(f"environment indices must stay below 2**32, got first_env_index={first}")
        self._all_rows = torch.arange(self.num_envs, device=self._device)
        self._env_index = first + self._all_rows
        self._task = GraspTask(robot, self.objects, self.config, self._controller, self._env_index, self._device)
        self.set_adr_level(adr_level)
        observation = self.config.observation
        self._rig: CameraRig | None = None
        self._into = NOWHERE
        sensed = {}
        if set(IMAGE_GROUPS) & set(observation.groups):
            self._rig = CameraRig(scene, robot, self.objects, observation, self.num_envs, threads)
            sensed = self._rig.spaces
            self.metadata["camera"] = describe(observation, TABLE_TOP)
        self.metadata["fields"] = self._task.fields
        self._space = gymnasium.spaces.Dict({**self._task.observation_space.spaces, **sensed})
        self.single_observation_space = self._space
        self.single_action_space = gymnasium.spaces.Box(-1.0, 1.0, (self._controller.action_size,), np.float32)
        self.observation_space = gymnasium.vector.utils.batch_space(self._space, self.num_envs)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, self.num_envs)
        self._control = self._controller.initial(torch.zeros(self.num_envs, len(robot.joints), device=self._device))
        self._sim = self.backend.state()
        self._started = False
        self.final_rows = FinalRows.none(self._space)
        """The rows that the last step finished, compactly (SAME_STEP autoreset only)."""

    @property
    def object_names(self) -> tuple[str, ...]:
        """Names of the objects, by the index in `infos["object"]`."""
        return self.objects.names

    @property
    def adr_level(self) -> npt.NDArray[np.int64]:
        """Level of randomisation [N] of each row's next episode, 0 .. `config.ADR_LEVELS`; set one for all, or N."""
        return self._task.state.next_adr_level.cpu().numpy().copy()

    @adr_level.setter
    def adr_level(self, level: int | npt.ArrayLike) -> None:
        self.set_adr_level(level)

    def set_adr_level(self, level: int | npt.ArrayLike) -> None:
        """Set `adr_level`; the episodes at hand end as they began. ConfigError if it is out of range."""
        self._check_open()
        self._task.state.next_adr_level = adr_levels(level, self.num_envs, self._device)

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Infos]:
        """Start a new episode in all rows, or in those of `options["reset_mask"]` (bool [N]).

        A seed (one for all rows, whose numbers differ by their index, or one per row) starts the rows' episode counters
        from 0; without one they count on. The options `object` (name, index or int [N]) and `episode` (int or int [N])
        choose what the new episodes hold. ConfigError for others, or for impossible values; nothing is reset then.
        """
        self._check_open()
        options = options or {}
        only_known("reset option", options, RESET_OPTIONS)
        mask = self._per_row("reset_mask", options.get("reset_mask", True), torch.bool)
        if not mask.any():
            raise ConfigError("reset_mask must choose at least one environment; nothing was reset")
        if not self._started and not mask.all():
            raise ResetNeeded("the first reset must reset all environments: call reset() without reset_mask")
        state = self._task.state
        seeds, episode = state.seed, state.episode + int(self._started)
        if seed is not None or not self._started:
            seeds, episode = self._seeds(seed), torch.zeros_like(episode)
        if "episode" in options:
            episode = self._in_range("episode", options["episode"], 2**31)
        chosen = self._chosen_objects(options["object"]) if "object" in options else None
        rows = self._all_rows[mask]
        state.seed[rows] = seeds[rows]
        self._start(rows, episode[rows], None if chosen is None else chosen[rows])
        self._started = True
        self.final_rows = FinalRows.none(self._space)
        obs, infos = self._task.observe(self._all_rows, self._sim, self._control)
        return self._output(obs | self._look(self._all_rows, self._into)), _with_masks(infos, mask.numpy())

    def step(
        self, actions: npt.ArrayLike | Tensor
    ) -> tuple[Observation, npt.NDArray[np.float32], npt.NDArray[np.bool_], npt.NDArray[np.bool_], Infos]:
        """Advance all rows by one action, [N, A], clipped to -1..1.

        Raises ActionError for a wrong shape or values that are not finite, ResetNeeded before the first reset or, under
        DISABLED autoreset, while a finished row waits for its reset. Nothing is stepped then.
        """
        self._check_open()
        if not self._started:
            raise ResetNeeded("call reset() before step(); nothing was stepped")
        action = action_batch(actions, self.num_envs, self._controller.action_size, self._device)
        waiting = self._task.state.done.clone()
        if self._mode is AutoresetMode.DISABLED and waiting.any():
            rows = self._all_rows[waiting].tolist()[:8]
            raise ResetNeeded(f"environments {rows} are done: reset them with options={{'reset_mask': ...}} first")
        push = self._task.push()
        if push is not None:
            self.backend.push(push)
        self._control, targets = self._controller.step(self._control, action, self._sim.joint_pos)
        self.backend.step(targets)
        self._sim = self.backend.state()
        now = self._task.step(self._sim, self._control, action)
        if self._mode is AutoresetMode.NEXT_STEP and waiting.any():
            # These rows ended one step ago: this step is their reset, whatever the action was.
            self._restart(waiting, now.obs, now.infos)
            now.reward[waiting] = 0.0
            now.terminated[waiting] = False
            now.truncated[waiting] = False
        finished = now.terminated | now.truncated
        self._task.state.done = finished.clone()
        self.final_rows = FinalRows.none(self._space)
        final: Infos = {}
        if self._mode is AutoresetMode.SAME_STEP and finished.any():
            ended = self._all_rows[finished]
            images = {name: values.numpy() for name, values in self._look(ended).items()}
            self.final_rows = _take(ended, now.obs, now.infos, images)
            final = self.final_rows.as_infos(self.num_envs)
            self._restart(finished, now.obs, now.infos)
        infos = _with_masks(now.infos, np.ones(self.num_envs, bool)) | final
        return (
            self._output(now.obs | self._look(self._all_rows, self._into)),
            now.reward.numpy(),
            now.terminated.numpy(),
            now.truncated.numpy(),
            infos,
        )

    def observe_into(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write images [N, C, H, W] of observations into these arrays, by group, from now on; into fresh ones for {}.

        Names that are no images are passed over. ConfigError if an array does not fit `observation_space`, is not
        contiguous or cannot be written.
        """
        self._into = NOWHERE if self._rig is None else self._rig.fitting(arrays)

    def render(self) -> tuple[npt.NDArray[np.uint8], ...] | None:
        """One uint8 image [H, W, 3] per row, or None without `render_mode="rgb_array"`."""
        self._check_open()
        if self.render_mode is None:
            return None
        return tuple(self.backend.render(row) for row in range(self.num_envs))

    def get_state(self) -> Arrays:
        """Everything that decides the future, as named arrays; continue from it with `set_state`."""
        self._check_open()
        identity = {
            "env.fingerprint": np.full(self.num_envs, int(self.fingerprint, 16), np.uint64),
            "env.index": self._env_index.cpu().numpy().copy(),
        }
        rooms = self._control.to_arrays("control") | self._task.state.to_arrays("task")
        images = {} if self._rig is None else self._rig.get_state()
        return identity | self.backend.get_state() | rooms | images

    def set_state(self, state: Arrays) -> None:
        """Continue from a state of `get_state`; the rollout is the same bits. StateError if it does not fit."""
        mine = self.get_state()
        check_arrays(mine, state)
        for name, what in (("env.fingerprint", "another configuration"), ("env.index", "other environment indices")):
            if not np.array_equal(state[name], mine[name]):
                raise StateError(f"the state is of {what}; make the environment with the same options")
        for name in ("task.object_index", "sim.object_index"):
            check_index(name, state[name], len(self.objects))
        for name in ("task.adr_level", "task.next_adr_level"):
            check_index(name, state[name], ADR_LEVELS + 1)
        if not np.array_equal(state["task.object_index"], state["sim.object_index"]):
            raise StateError("task.object_index and sim.object_index must be equal; use a state as get_state gave it")
        # The back end first: it may refuse.
        self.backend.set_state({name: value for name, value in state.items() if name.startswith("sim.")})
        self._control.load_arrays("control", state)
        self._task.load_arrays(state)
        if self._rig is not None:
            self._rig.set_state(state)
            self._place_cameras(self._all_rows)
        self._sim = self.backend.state()
        self.final_rows = FinalRows.none(self._space)
        self._started = True

    def close_extras(self, **kwargs: Any) -> None:
        """Free threads, memory and the OpenGL context."""
        self.backend.close()
        self._controller.close()
        if self._rig is not None:
            self._rig.close()

    def _start(self, rows: Tensor, episode: Tensor, object_index: Tensor | None = None) -> None:
        start = self._task.start(rows, episode, object_index)
        self.backend.reset(rows, start, self._task.dynamics(rows))
        self._sim.set_rows(rows, self.backend.state(rows))
        self._control.set_rows(rows, self._controller.initial(start.joint_pos))
        self._place_cameras(rows)

    def _place_cameras(self, rows: Tensor) -> None:
        if self._rig is not None:
            state = self._task.state
            random, share = self.config.randomisation, state.adr_level[rows].numpy() / ADR_LEVELS
            more = share * random.camera_position, share * random.camera_rotation
            self._rig.start(rows, state.seed[rows], self._env_index[rows], state.episode[rows], more)

    def _look(self, rows: Tensor, into: Mapping[str, npt.NDArray[Any]] = NOWHERE) -> Tensors:
        """Images of some rows as they are now; none where the environment has no camera."""
        if self._rig is None:
            return {}
        return self._rig.look(rows, self._sim, self._task.state.object_index, self._task.state.step, into)

    def _restart(self, mask: Tensor, obs: Tensors, infos: Tensors) -> None:
        """Start the next episode in some rows and overwrite their observations and infos."""
        rows = self._all_rows[mask]
        self._start(rows, self._task.state.episode[rows] + 1)
        new_obs, new_infos = self._task.observe(rows, self._sim.rows(rows), self._control.rows(rows))
        for old, new in ((obs, new_obs), (infos, new_infos)):
            for name, values in new.items():
                old[name][rows] = values

    def _per_row(self, name: str, value: Any, dtype: torch.dtype) -> Tensor:
        return per_row(name, value, self.num_envs, dtype, self._device)

    def _in_range(self, name: str, value: Any, end: int) -> Tensor:
        values = self._per_row(name, value, torch.int64)
        if (values < 0).any() or (values >= end).any():
            raise ConfigError(f"{name} must be in 0..{end - 1}, got {value!r}")
        return values

    def _seeds(self, seed: int | Sequence[int] | None) -> Tensor:
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        return self._in_range("seed", seed, 2**63 - 1)

    def _chosen_objects(self, value: Any) -> Tensor:
        if isinstance(value, str):
            value = self.objects.index(one_of("object", value, self.object_names))
        return self._in_range("object", value, len(self.objects))

    def _output(self, obs: Tensors) -> Observation:
        return obs if self._torch_output else {name: value.numpy() for name, value in obs.items()}

    def _check_open(self) -> None:
        if self.closed:
            raise ClosedError("the environment is closed; make a new one")


def _take(rows: Tensor, obs: Tensors, infos: Tensors, images: Arrays) -> FinalRows:
    """Copies of the finished rows, before their reset overwrites them."""
    return FinalRows(
        rows.numpy(),
        {name: values[rows].numpy() for name, values in obs.items()} | images,
        {name: values[rows].numpy() for name, values in infos.items()},
    )


def _with_masks(infos: Tensors, mask: npt.NDArray[np.bool_]) -> Infos:
    """Infos as arrays, each with the `_key` mask [N] of Gymnasium's convention: the rows that were reset or stepped."""
    return {name: value.numpy() for name, value in infos.items()} | {f"_{name}": mask.copy() for name in infos}
