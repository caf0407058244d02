"""Limits of one joint's commands."""

import numpy as np
import pytest

from dexgrasp_envs.control.fabric.limit_kernels import limited, stopping_distance
from dexgrasp_envs.control.fabric.model import Limits

STEP = 1 / 120
LIMITS = Limits(*(np.array([value]) for value in (-0.5, 0.7, 1.5, 12.0, 400.0)))


def drive(wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions, velocities and accelerations of a joint that is asked for accelerations."""
    pos = vel = acc = 0.0
    rows = []
    for value in wanted:
        acc = limited(LIMITS, 0, value, pos, vel, acc, STEP)
        vel += STEP * acc
        pos += STEP * vel
        rows.append((pos, vel, acc))
    pos_, vel_, acc_ = np.array(rows).T
    return pos_, vel_, acc_


@pytest.mark.parametrize("hold", [1, 7, 40])
def test_no_demand_breaks_a_limit(hold: int) -> None:
    generator = np.random.default_rng(hold)
    pos, vel, acc = drive(np.repeat(generator.uniform(-60, 60, 3000 // hold), hold))
    assert pos.max() <= 0.7
    assert pos.min() >= -0.5
    assert np.abs(vel).max() <= 1.5 + 1e-9
    assert np.abs(acc).max() <= 12.0 + 1e-9
    assert np.abs(np.diff(acc)).max() <= 400.0 * STEP + 1e-9


def test_a_joint_that_is_pushed_against_its_limit_comes_to_rest_there() -> None:
    pos, vel, _ = drive(np.full(400, 30.0))
    assert 0.68 < pos[-1] <= 0.7
    assert abs(vel[-1]) < 0.02


def test_a_demand_within_the_limits_is_met() -> None:
    wanted = 3 * np.sin(np.arange(60) / 10)
    np.testing.assert_allclose(drive(wanted)[2], wanted, atol=1e-12)


def test_the_stopping_distance_is_that_of_the_hardest_braking() -> None:
    for speed, acceleration in ((1.0, 5.0), (0.1, 0.0), (-0.2, 10.0), (1.2, -12.0)):
        pos, vel, acc, step, farthest = 0.0, speed, acceleration, 1e-5, 0.0
        while vel > 0 or acc > 0:
            acc = max(acc - step * 400.0, -12.0)
            vel += step * acc
            pos += step * vel
            farthest = max(farthest, pos)
        np.testing.assert_allclose(stopping_distance(speed, acceleration, 12.0, 400.0), farthest, atol=1e-4)


def test_a_joint_that_moves_away_needs_no_room() -> None:
    assert stopping_distance(-1.0, 0.0, 12.0, 400.0) == 0.0
