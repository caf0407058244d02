"""The governor against a plain loop in float64, and its limits."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dexgrasp_envs.control.governor import Governor

STEP = 1 / 120
BANDWIDTH, MAX_VELOCITY, MAX_ACCELERATION = [10.0, 10.0, 20.0], [1.5, 2.4, 6.0], [12.0, 16.0, 150.0]
GOVERNOR = Governor(torch.tensor(BANDWIDTH), torch.tensor(MAX_VELOCITY), torch.tensor(MAX_ACCELERATION), STEP)
joints = st.lists(st.floats(-3, 3, width=32), min_size=3, max_size=3)


def reference(pos: list[float], vel: list[float], goal: list[float], substeps: int) -> tuple[np.ndarray, np.ndarray]:
    positions, velocities = np.zeros((2, substeps, 3))
    for j in range(3):
        q, v = pos[j], vel[j]
        for s in range(substeps):
            a = BANDWIDTH[j] ** 2 * (goal[j] - q) - 2 * BANDWIDTH[j] * v
            a = min(max(a, -MAX_ACCELERATION[j]), MAX_ACCELERATION[j])
            v = min(max(v + STEP * a, -MAX_VELOCITY[j]), MAX_VELOCITY[j])
            q = q + STEP * v
            positions[s, j], velocities[s, j] = q, v
    return positions, velocities


@settings(max_examples=50, deadline=None)
@given(pos=joints, vel=joints, goal=joints)
def test_it_equals_a_plain_loop(pos: list[float], vel: list[float], goal: list[float]) -> None:
    positions, velocities = GOVERNOR.integrate(torch.tensor([pos]), torch.tensor([vel]), torch.tensor([goal]), 8)
    expected = reference(pos, vel, goal, 8)
    np.testing.assert_allclose(positions[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(velocities[0], expected[1], atol=1e-4)


@settings(max_examples=50, deadline=None)
@given(start=joints, goals=st.lists(joints, min_size=1, max_size=6))
def test_limits_are_never_exceeded_under_changing_goals(start: list[float], goals: list[list[float]]) -> None:
    pos, vel = torch.tensor([start]), torch.zeros(1, 3)
    max_velocity, max_acceleration = torch.tensor(MAX_VELOCITY), torch.tensor(MAX_ACCELERATION)
    for goal in goals:
        positions, velocities = GOVERNOR.integrate(pos, vel, torch.tensor([goal]), 8)
        path = torch.cat([pos[:, None], positions], 1)
        assert (velocities.abs() <= max_velocity).all()
        assert (path.diff(dim=1).abs() <= STEP * max_velocity + 1e-6).all()
        change = torch.cat([vel[:, None], velocities], 1).diff(dim=1)
        assert (change.abs() <= STEP * max_acceleration + 1e-5).all()
        pos, vel = positions[:, -1], velocities[:, -1]


@settings(max_examples=50, deadline=None)
@given(start=joints, goal=joints)
def test_from_rest_it_reaches_the_goal_without_overshoot(start: list[float], goal: list[float]) -> None:
    pos, target = torch.tensor([start]), torch.tensor([goal])
    positions, velocities = GOVERNOR.integrate(pos, torch.zeros(1, 3), target, 720)
    direction = torch.sign(target - pos)
    assert ((positions - target[:, None]) * direction[:, None]).max() < 1e-4
    assert (positions[:, -1] - target).abs().max() < 1e-4
    assert velocities[:, -1].abs().max() < 1e-3


def test_at_rest_at_the_goal_it_stays() -> None:
    pos = torch.tensor([[0.3, -0.2, 1.0]])
    positions, velocities = GOVERNOR.integrate(pos, torch.zeros(1, 3), pos, 5)
    assert torch.equal(positions, pos[:, None].expand(1, 5, 3))
    assert not velocities.any()
