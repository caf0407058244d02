"""The geometric fabric as a controller: palm and synergy targets in, smooth joint commands out."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...config import EnvConfig
from ...robots.robot import Robot
from ...robots.rotations import rotate
from ..hand_posture import HandPosture
from ..palm_controller import PalmState
from ..palm_target import PALM_ACTION, PALM_FIELDS, PalmTarget
from ..servos import Servos
from .fabric_kernels import integrate
from .model import make_chain, make_limits, make_terms


@dataclass
class FabricState(PalmState):
    """What the fabric remembers, float32."""

    joint_acc: Tensor
    """[N, J] acceleration of the commanded joints, rad/s^2."""


class FabricController:
    """Actions as those of `PalmController`; with `targets` "absolute" the palm's part places its target."""

    fields = PALM_FIELDS
    """What proprioception shows of the state."""

    def __init__(self, robot: Robot, config: EnvConfig, device: torch.device | str, threads: int = 1):
        """`threads` 0 means one per core; results do not depend on it."""
        self.action_size = PALM_ACTION + len(robot.synergies)
        """Length of an action."""
        self._absolute = config.fabric.targets == "absolute"
        self._arm, self._substeps = robot.arm_joints, config.physics.substeps
        self._timestep = config.physics.timestep
        self._target = PalmTarget(robot, config.control, device)
        self._posture = HandPosture(robot, config.control.joint_margin, device)
        self._servos = Servos(robot, config.control, device)
        axes = np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
        self._offsets = torch.tensor(config.fabric.palm_points * axes, dtype=torch.float32, device=device)
        self._model = (
            make_chain(robot, config.fabric.palm_points),
            make_terms(robot, config.fabric),
            make_limits(robot, config.control, config.fabric),
        )
        self._threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._threads) if self._threads > 1 else None

    def initial(self, joint_pos: Tensor) -> FabricState:
        """The state at the start of an episode with joints [n, J] at rest."""
        still = torch.zeros_like(joint_pos)
        return FabricState(joint_pos.clone(), still, *self._target.start(len(joint_pos)), still.clone())

    def step(self, state: FabricState, action: Tensor, joint_pos: Tensor) -> tuple[FabricState, Tensor]:
        """The next state and set-points [N, S, J], rad, given action [N, A] in -1..1 and measured joints [N, J]."""
        if self._absolute:
            target_pos, target_euler = self._target.placed(action)
        else:
            target_pos, target_euler = self._target.moved(state.target_pos, state.target_euler, action)
        offsets = rotate(self._target.rotation(target_euler)[:, None], self._offsets)
        points = _doubles(target_pos[:, None] + offsets)
        posture = _doubles(self._posture(action[:, PALM_ACTION:]))
        pos = _doubles(self._servos.led(state.joint_pos, joint_pos))
        vel, acc = _doubles(state.joint_vel), _doubles(state.joint_acc)
        positions, velocities = np.empty((2, len(pos), self._substeps, pos.shape[1]))

        def advance(rows: slice) -> None:
            integrate(
                *self._model, points[rows], posture[rows], self._timestep, pos[rows], vel[rows], acc[rows],
                positions[rows], velocities[rows],
            )  # fmt: skip

        self._share_out(len(pos), advance)
        setpoints = self._servos.setpoints(_tensor(positions, state.joint_pos), _tensor(velocities, state.joint_pos))
        joints, speeds, rates = (_tensor(values, state.joint_pos) for values in (pos, vel, acc))
        return FabricState(joints, speeds, target_pos, target_euler, rates), setpoints

    def shown(self, state: FabricState) -> tuple[Tensor, Tensor]:
        """The values of `fields`."""
        return state.target_pos, state.target_euler

    def close(self) -> None:
        """Free the threads; may be called twice."""
        if self._pool is not None:
            self._pool.shutdown()

    def _share_out(self, rows: int, advance: Callable[[slice], None]) -> None:
        size = max(1, -(-rows // self._threads))
        chunks = [slice(start, start + size) for start in range(0, rows, size)]
        if self._pool is None:
            for chunk in chunks:
                advance(chunk)
        else:
            list(self._pool.map(advance, chunks))


def _doubles(values: Tensor) -> npt.NDArray[np.float64]:
    return values.cpu().numpy().astype(np.float64)


def _tensor(values: npt.NDArray[np.float64], like: Tensor) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(like.device)
