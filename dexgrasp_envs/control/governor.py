"""A batched second-order governor: smooth joint commands that obey velocity and acceleration limits."""

import torch
from torch import Tensor


class Governor:
    """Critically damped per joint: qdd = w^2 (goal - q) - 2 w qd, limited, integrated semi-implicitly."""

    def __init__(self, bandwidth: Tensor, max_velocity: Tensor, max_acceleration: Tensor, timestep: float):
        """All tensors [J]: rad/s, rad/s and rad/s^2; timestep in s."""
        self._stiffness = bandwidth * bandwidth
        self._damping = 2.0 * bandwidth
        self._min_velocity, self._max_velocity = -max_velocity, max_velocity
        self._min_acceleration, self._max_acceleration = -max_acceleration, max_acceleration
        self._timestep = timestep

    def integrate(self, pos: Tensor, vel: Tensor, goal: Tensor, substeps: int) -> tuple[Tensor, Tensor]:
        """Commands after each substep: pos, vel, goal [N, J] to positions and velocities [N, substeps, J]."""
        positions, velocities = [], []
        for _ in range(substeps):
            acceleration = torch.addcmul(self._stiffness * (goal - pos), self._damping, vel, value=-1.0)
            acceleration = torch.clamp(acceleration, self._min_acceleration, self._max_acceleration)
            vel = torch.add(vel, acceleration, alpha=self._timestep)
            vel = torch.clamp(vel, self._min_velocity, self._max_velocity)
            pos = torch.add(pos, vel, alpha=self._timestep)
            positions.append(pos)
            velocities.append(vel)
        return torch.stack(positions, 1), torch.stack(velocities, 1)
