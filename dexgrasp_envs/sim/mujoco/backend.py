"""The MuJoCo back end: a batch of simulations on MuJoCo's own thread pool."""

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import mujoco
import numpy as np
import numpy.typing as npt
import torch
from mujoco.batch import Batch, SimulationError
from torch import Tensor

from ...config import PhysicsConfig
from ...objects import ObjectSet
from ...robots.body_poses import BodyPoses
from ...robots.pose_kernels import place_free
from ...robots.robot import Robot
from ...scene.scene import OBJECT, Scene
from ...types import Arrays, Dynamics, SimState, StartState, check_arrays, check_index
from .compile import ObjectLayout, compile_model
from .dynamics_table import DynamicsTable
from .object_table import ObjectTable
from .offscreen import OffscreenRenderer


@dataclass(frozen=True)
class _Views:
    """The batch's live arrays, [N, ...] each; they keep it alive, so they are dropped together."""

    qpos: npt.NDArray[np.float64]
    qvel: npt.NDArray[np.float64]
    ctrl: npt.NDArray[np.float64]
    wrench: npt.NDArray[np.float64]
    sensordata: npt.NDArray[np.float64]

    @classmethod
    def of(cls, batch: Batch) -> Self:
        names = ("qpos", "qvel", "ctrl", "xfrc_applied", "sensordata")
        return cls(*(batch.bind(name) for name in names))


class MujocoBackend:
    """Implements `SimBackend`. The results of a row do not depend on the other rows nor on the number of threads."""

    def __init__(
        self,
        scene: Scene,
        robot: Robot,
        objects: ObjectSet,
        physics: PhysicsConfig,
        num_envs: int,
        threads: int,
        randomised: bool = False,
    ):
        """`threads` includes the caller's; 0 means one per core. Only if `randomised` can resets take `Dynamics`."""
        self.num_envs = num_envs
        layout = ObjectLayout.of(objects.objects)
        # One at a time: a model takes a megabyte.
        self._table = ObjectTable(
            compile_model(scene, robot, obj, physics, layout, whole=i == 0) for i, obj in enumerate(objects.objects)
        )
        self._dynamics = DynamicsTable(self._table, len(robot.joints), num_envs) if randomised else None
        self.model = self._table.model
        """The compiled model with the first object, for tools and tests."""
        # Not persistent: with one MjData of 1.2 MB per simulation a step was slower (0.72 and 0.74 of bare MuJoCo,
        # against 0.82 twice).
        self.batch = Batch(self.model, num_envs, nthread=threads)
        """The simulations themselves, for tools and tests."""
        self._views = _Views.of(self.batch)
        self._renderer = OffscreenRenderer(scene.camera)
        self._joints = len(robot.joints)
        self._object_body = self.model.body(OBJECT).id
        self._gravity = scene.gravity
        self._weights = scene.gravity * np.array([obj.inertial.mass for obj in objects.objects])
        self._object_index = np.zeros(num_envs, np.int64)
        self._poses, self._bodies = BodyPoses(robot.bodies), len(robot.bodies)
        assert [self.model.joint(i).name for i in range(self._joints)] == list(robot.joint_names)
        self._contact = np.zeros((num_envs, self.model.nsensordata), np.float64)
        self._diverged = np.zeros(num_envs, bool)
        self._assign(self.batch, np.arange(num_envs))

    def reset(self, index: Tensor, start: StartState, dynamics: Dynamics | None = None) -> None:
        """Put the rows `index` into a start state; nominal and at rest without `dynamics`."""
        rows = index.numpy()
        self._object_index[rows] = start.object_index.numpy()
        if self._dynamics is not None:
            self._dynamics.set(rows, dynamics)
        self._assign(self.batch, rows)
        self.batch.reset(rows, stage=mujoco.mjtStage.mjSTAGE_NONE)
        self._views.wrench[rows, self._object_body, 2] = -self.object_weights()[rows]
        joint_pos = start.joint_pos.numpy()
        self._views.qpos[rows, : self._joints] = joint_pos
        self._views.qpos[rows, self._joints : self._joints + 3] = start.object_pos.numpy()
        self._views.qpos[rows, self._joints + 3 :] = start.object_quat.numpy()
        self._views.ctrl[rows] = joint_pos
        if dynamics is not None:
            self._views.qvel[rows, : self._joints] = dynamics.joint_vel.numpy()
        self._contact[rows] = 0.0
        self._diverged[rows] = False
        self.batch.warning[rows] = 0

    def step(self, targets: Tensor) -> None:
        """Advance every row by the substeps of `targets` [N, S, J]; a row that diverges stops and is marked."""
        control = targets.to(torch.float64).numpy()
        with self._marking_failures():
            self.batch.rollout(control.shape[1], control, record=())
        self._contact[...] = self._views.sensordata
        # A row stops stepping whatever the warning is about.
        self._diverged |= (self.batch.warning[:, :, 1] > 0).any(1)

    def bare_batch(self) -> Batch:
        """Another batch of the same simulations, threads and objects in default state, for benchmarks."""
        batch = Batch(self.model, self.num_envs, nthread=self.batch.nthread)
        self._assign(batch, np.arange(self.num_envs))
        return batch

    def push(self, acceleration: Tensor) -> None:
        """Until the next push or reset, a force on each object's centre: its mass times acceleration [N, 3], m/s^2."""
        weights = self.object_weights()
        force = acceleration.numpy() * (weights / self._gravity)[:, None]
        force[:, 2] -= weights
        self._views.wrench[:, self._object_body, :3] = force

    def object_weights(self) -> npt.NDArray[np.float64]:
        """Weight [N] of each row's object, N."""
        nominal = self._weights[self._object_index]
        return nominal if self._dynamics is None else nominal * self._dynamics.mass

    def state(self, index: Tensor | None = None) -> SimState:
        """The current state of all rows, or of `index` (int64 [n]), in fresh tensors; diverged rows are zero."""
        rows = slice(None) if index is None else index.numpy()
        joints = self._joints
        qpos = self._views.qpos[rows]
        shape = (len(qpos), self._bodies + 1)
        body_pos, body_rot = np.empty((*shape, 3), np.float32), np.empty((*shape, 3, 3), np.float32)
        # MuJoCo's own poses are those before the last substep; to renew them would cost it a twelfth of a step.
        self._poses(qpos[:, :joints], body_pos[:, :-1], body_rot[:, :-1])
        place_free(qpos[:, joints:], body_pos[:, -1], body_rot[:, -1])
        object_vel = self._views.qvel[rows, joints:].astype(np.float32)
        # MuJoCo keeps a free joint's angular velocity in the body frame.
        object_vel[:, 3:] = (body_rot[:, -1] * object_vel[:, None, 3:]).sum(-1)
        contact = self._contact[rows].reshape(len(body_pos), -1, 4)
        diverged = self._diverged[rows].copy()
        state = SimState(
            joint_pos=_tensor(qpos[:, :joints]),
            joint_vel=_tensor(self._views.qvel[rows, :joints]),
            body_pos=torch.from_numpy(body_pos),
            body_rot=torch.from_numpy(body_rot),
            object_vel=torch.from_numpy(object_vel),
            contact_count=_tensor(contact[:, :, 0]),
            contact_force=_tensor(contact[:, :, 1:]),
            diverged=torch.from_numpy(diverged),
        )
        if diverged.any():
            for name in (f.name for f in dataclasses.fields(state) if f.name != "diverged"):
                getattr(state, name)[state.diverged] = 0.0
        return state

    def get_state(self) -> Arrays:
        """Everything that decides the future of the rows: integration state with warm start, objects, last contacts."""
        return {
            "sim.state": self.batch.state.copy(),
            "sim.object_index": self._object_index.copy(),
            "sim.contact": self._contact.copy(),
            "sim.diverged": self._diverged.copy(),
            **({} if self._dynamics is None else self._dynamics.values.to_arrays("sim.dynamics")),
        }

    def set_state(self, arrays: Arrays) -> None:
        """The inverse of `get_state`."""
        check_arrays(self.get_state(), arrays)
        check_index("sim.object_index", arrays["sim.object_index"], len(self._weights))
        self._object_index[...] = arrays["sim.object_index"]
        if self._dynamics is not None:
            self._dynamics.values.load_arrays("sim.dynamics", arrays)
        self._assign(self.batch, np.arange(self.num_envs))
        self.batch.state[...] = arrays["sim.state"]
        self._contact[...] = arrays["sim.contact"]
        self._diverged[...] = arrays["sim.diverged"]
        self.batch.warning[...] = 0

    def render(self, row: int) -> npt.NDArray[np.uint8]:
        """A picture of one row for people, uint8 [H, W, 3]. RenderingError if there is no OpenGL."""
        return self._renderer.render(self.batch, row)

    def close(self) -> None:
        """Free threads, memory and the OpenGL context; may be called twice."""
        self._renderer.close()
        for name in ("batch", "_views"):
            self.__dict__.pop(name, None)

    @contextlib.contextmanager
    def _marking_failures(self) -> Iterator[None]:
        """Rows in which MuJoCo raises count as diverged; it completes the others before it says so."""
        try:
            yield
        except SimulationError as error:
            self._diverged[error.ids] = True

    def _assign(self, batch: Batch, rows: npt.NDArray[np.int64]) -> None:
        """Give simulations of a batch the model fields of their objects and dynamics."""
        self._table.assign(batch, rows, self._object_index[rows])
        if self._dynamics is not None:
            self._dynamics.assign(batch, rows, self._object_index[rows])


def _tensor(array: npt.NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(array.astype(np.float32))
