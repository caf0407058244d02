"""The default controller: relative palm pose and hand synergies, inverse kinematics, governor."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import ControlConfig, PhysicsConfig
from ..robots.robot import Robot
from .controller import ControlState
from .hand_posture import HandPosture
from .palm_ik import PalmIK
from .palm_target import PALM_ACTION, PALM_FIELDS, PalmTarget
from .servos import Servos, joint_governor


@dataclass
class PalmState(ControlState):
    """What a controller of the palm remembers, float32."""

    target_pos: Tensor
    """[N, 3] target of the grasp centre, m, world frame."""
    target_euler: Tensor
    """[N, 3] (yaw, pitch, roll) of the palm target from nominal, rad."""


class PalmController:
    """Actions: 3 palm position, 3 palm rotation (yaw, pitch, roll), and one entry for each hand synergy."""

    fields = PALM_FIELDS
    """What proprioception shows of the state."""

    def __init__(self, robot: Robot, config: ControlConfig, physics: PhysicsConfig, device: torch.device | str):
        self.action_size = PALM_ACTION + len(robot.synergies)
        """Length of an action."""
        self._substeps = physics.substeps
        self._arm = robot.arm_joints
        self._target = PalmTarget(robot, config, device)
        self._posture = HandPosture(robot, config.joint_margin, device)
        self._ik = PalmIK(robot, config)
        self._governor = joint_governor(robot, config, physics.timestep, device)
        self._servos = Servos(robot, config, device)

    def initial(self, joint_pos: Tensor) -> PalmState:
        """The state at the start of an episode with joints [n, J] at rest."""
        return PalmState(joint_pos.clone(), torch.zeros_like(joint_pos), *self._target.start(len(joint_pos)))

    def step(self, state: PalmState, action: Tensor, joint_pos: Tensor) -> tuple[PalmState, Tensor]:
        """The next state and set-points [N, S, J], rad, given action [N, A] in -1..1 and measured joints [N, J]."""
        target_pos, target_euler = self._target.moved(state.target_pos, state.target_euler, action)
        command = self._servos.led(state.joint_pos, joint_pos)
        arm_goal = self._ik.solve(command[:, : self._arm], target_pos, self._target.rotation(target_euler))
        goal = torch.cat([arm_goal, self._posture(action[:, PALM_ACTION:])], 1)
        positions, velocities = self._governor.integrate(command, state.joint_vel, goal, self._substeps)
        setpoints = self._servos.setpoints(positions, velocities)
        return PalmState(positions[:, -1], velocities[:, -1], target_pos, target_euler), setpoints

    def shown(self, state: PalmState) -> tuple[Tensor, Tensor]:
        """The values of `fields`."""
        return state.target_pos, state.target_euler

    def close(self) -> None:
        """Nothing to free."""
