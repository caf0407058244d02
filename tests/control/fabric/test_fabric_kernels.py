"""What the theory of geometric fabrics promises: conserved energy, paths without speed, decay under damping."""

import dataclasses

import numpy as np

from dexgrasp_envs.config import ControlConfig, FabricConfig
from dexgrasp_envs.control.fabric.fabric_kernels import energies, integrate
from dexgrasp_envs.control.fabric.model import Limits, make_chain, make_terms
from dexgrasp_envs.control.palm_target import nominal_palm_rotation
from tests.helpers import ROBOT, START_POSTURE

DEFAULT = FabricConfig()
GEOMETRY = dataclasses.replace(
    DEFAULT,
    **dict.fromkeys(("palm_bandwidth", "synergy_bandwidth", "posture_bandwidth", "arm_damping"), 0.0),
    **dict.fromkeys(("limit_gain", "body_gain", "body_damping"), 0.0),
)
"""The energies and the homing geometry alone: nothing pulls and nothing brakes."""
CHAIN = make_chain(ROBOT, DEFAULT.palm_points)
UNLIMITED = Limits(*(np.full(23, value) for value in (-1e9, 1e9, 1e9, 1e9, 1e15)))
HAND = np.array(ROBOT.hand_nominal)
AXES = np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
TURN = np.array(nominal_palm_rotation(ControlConfig().palm_tilt))
TARGET = np.array([0.6, 0.1, 0.42]) + DEFAULT.palm_points * AXES @ TURN.T
START = np.array(START_POSTURE)
# Low over the table and sinking, a finger spreading towards its limit: barriers are at work.
START[1] += 0.25
START[7] = 0.42
VELOCITY = 0.4 * np.random.default_rng(0).normal(size=23)
VELOCITY[1], VELOCITY[7] = 0.4, 0.3


def run(config: FabricConfig, vel: np.ndarray, dt: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Joints after every step, and the energy after every tenth."""
    terms = make_terms(ROBOT, config)
    pos, vel = START[None].copy(), vel[None].copy()
    positions, velocities = np.empty((2, 1, steps, 23))
    integrate(
        *(CHAIN, terms, UNLIMITED, TARGET[None], HAND[None], dt, pos, vel, np.zeros((1, 23))), positions, velocities
    )
    energy = [sum(energies(CHAIN, terms, TARGET, HAND, positions[0, i], velocities[0, i])) for i in range(0, steps, 10)]
    return positions[0], np.array(energy)


def test_without_forces_and_damping_the_energy_is_conserved() -> None:
    path, energy = run(GEOMETRY, VELOCITY, dt=2.5e-4, steps=1200)
    assert np.abs(path[-1] - START).max() > 0.1, "nothing moved"
    np.testing.assert_allclose(energy, energy[0], rtol=0.01)


def test_without_forces_the_path_does_not_depend_on_the_speed() -> None:
    slow = run(GEOMETRY, VELOCITY, dt=2.5e-4, steps=1200)[0]
    fast = run(GEOMETRY, 3 * VELOCITY, dt=2.5e-4, steps=400)[0]
    assert np.abs(slow[-1] - START).max() > 0.1, "nothing moved"
    np.testing.assert_allclose(fast, slow[2::3], atol=3e-3)


def test_under_forces_it_does() -> None:
    slow = run(DEFAULT, VELOCITY, dt=2.5e-4, steps=1200)[0]
    fast = run(DEFAULT, 3 * VELOCITY, dt=2.5e-4, steps=400)[0]
    assert np.abs(fast - slow[2::3]).max() > 0.03


def test_homing_bends_the_path_and_does_no_work() -> None:
    paths = []
    for homing in (0.0, 400.0):
        path, energy = run(dataclasses.replace(GEOMETRY, homing=homing), VELOCITY, dt=2.5e-4, steps=600)
        np.testing.assert_allclose(energy, energy[0], rtol=0.01)
        paths.append(path)
    assert np.abs(paths[1] - paths[0]).max() > 1e-3


def test_with_damping_and_still_targets_the_energy_only_falls() -> None:
    energy = run(DEFAULT, VELOCITY, dt=1 / 120, steps=360)[1]
    assert (np.diff(energy) <= 1e-6 * energy[0]).all()
    assert energy[-1] < 0.05 * energy[0]
