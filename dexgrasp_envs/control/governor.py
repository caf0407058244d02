"""A batched second-order governor: smooth joint commands that obey velocity and acceleration limits."""

import torch
from torch import Tensor

from .governor_kernels import govern


class Governor:
    """Critically damped per joint: qdd = w^2 (goal - q) - 2 w qd, limited, integrated semi-implicitly on the CPU."""

    def __init__(self, bandwidth: Tensor, max_velocity: Tensor, max_acceleration: Tensor, timestep: float):
        """All tensors [J]: rad/s, rad/s and rad/s^2; timestep in s."""
        self._limits = tuple(value.double().cpu().numpy() for value in (bandwidth, max_velocity, max_acceleration))
        self._timestep = timestep

    def integrate(self, pos: Tensor, vel: Tensor, goal: Tensor, substeps: int) -> tuple[Tensor, Tensor]:
        """Commands after each substep: pos, vel, goal [N, J] to positions and velocities [N, substeps, J]."""
        positions, velocities = torch.empty(2, len(pos), substeps, pos.shape[1]).numpy()
        start, speed, end = (values.cpu().numpy() for values in (pos, vel, goal))
        govern(self._limits, self._timestep, start, speed, end, positions, velocities)
        return torch.from_numpy(positions).to(pos), torch.from_numpy(velocities).to(pos)
