"""Actions that move every joint: targets relative to the measured joints, through the governor."""

import functools

import torch
from torch import Tensor

from ..config import ControlConfig, JointDeltaConfig, PhysicsConfig
from ..robots.robot import Robot
from ..types import Field
from .controller import ControlState
from .servos import Servos, joint_governor, per_joint


class JointController:
    """Actions: one entry for each joint, whose goal is its measured position plus a step times the entry.

    The convention of Isaac Lab's dexsuite tasks (`RelativeJointPositionAction`, 0.1 rad for all joints at 60 Hz).
    """

    fields: tuple[Field, ...] = ()
    """Nothing of the state is shown besides the lead of the commanded joints."""

    def __init__(
        self,
        robot: Robot,
        config: ControlConfig,
        deltas: JointDeltaConfig,
        physics: PhysicsConfig,
        device: torch.device | str,
    ):
        self.action_size = len(robot.joints)
        """Length of an action."""
        self._substeps = physics.substeps
        self._step = per_joint(robot, deltas.arm_step, deltas.hand_step, device)
        self._governor = joint_governor(robot, config, physics.timestep, device)
        self._servos = Servos(robot, config, device)
        constant = functools.partial(torch.tensor, dtype=torch.float32, device=device)
        limits = constant([joint.limits for joint in robot.joints])
        self._low = limits[:, 0] + config.joint_margin
        self._high = limits[:, 1] - config.joint_margin

    def initial(self, joint_pos: Tensor) -> ControlState:
        """The state at the start of an episode with joints [n, J] at rest."""
        return ControlState(joint_pos.clone(), torch.zeros_like(joint_pos))

    def step(self, state: ControlState, action: Tensor, joint_pos: Tensor) -> tuple[ControlState, Tensor]:
        """The next state and set-points [N, S, J], rad, given action [N, J] in -1..1 and measured joints [N, J]."""
        goal = torch.clamp(joint_pos + self._step * action, self._low, self._high)
        command = self._servos.led(state.joint_pos, joint_pos)
        positions, velocities = self._governor.integrate(command, state.joint_vel, goal, self._substeps)
        setpoints = self._servos.setpoints(positions, velocities)
        return ControlState(positions[:, -1], velocities[:, -1]), setpoints

    def shown(self, state: ControlState) -> tuple[Tensor, ...]:
        """The values of `fields`: none."""
        return ()

    def close(self) -> None:
        """Nothing to free."""
