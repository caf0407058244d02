"""The MuJoCo back end: objects, gravity, divergence, saved state, sensors."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from dexgrasp_envs.config import PhysicsConfig
from dexgrasp_envs.errors import StateError
from dexgrasp_envs.scene.tabletop import TABLE_TOP
from dexgrasp_envs.sim.mujoco import backend as backend_module
from dexgrasp_envs.sim.mujoco.backend import MujocoBackend
from dexgrasp_envs.types import SimState
from tests.helpers import OBJECTS, ROBOT, START_POSTURE, hold, make_sim, start_state

UPRIGHT, LYING = (1.0, 0.0, 0.0, 0.0), (np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0)
WEIGHTS = np.array([9.81 * obj.inertial.mass for obj in OBJECTS.objects])
JOINTS = len(ROBOT.joints)


def object_pos(state: SimState) -> np.ndarray:
    return state.body_pos[:, -1].numpy().astype(float)


def fields(state: SimState) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in vars(state).items()}


def assert_same(a: SimState, b: SimState, rows: list[int]) -> None:
    for name, values in fields(a).items():
        assert values[rows].tobytes() == fields(b)[name][rows].tobytes(), name


def on_table(sim: MujocoBackend, index: list[int], lying: bool = False) -> np.ndarray:
    """Reset all rows to objects 2 mm over the table; returns their half heights."""
    objects = [OBJECTS.objects[i] for i in index]
    half = np.array([obj.half_extents[1 if lying else 2] for obj in objects])
    pos = np.stack([np.full(len(index), 0.6), np.full(len(index), 0.2), TABLE_TOP + 0.002 + half], 1)
    sim.reset(torch.arange(len(index)), start_state(index, pos, LYING if lying else UPRIGHT))
    return half


@pytest.mark.parametrize("lying", [False, True], ids=["upright", "lying"])
def test_every_object_settles_at_its_half_height_and_neither_creeps_nor_sinks(lying: bool) -> None:
    sim = make_sim(12)
    half = on_table(sim, list(range(12)), lying)
    start = object_pos(sim.state())
    hold(sim, 2.0)
    settled = object_pos(sim.state())
    assert np.abs(settled[:, 2] - TABLE_TOP - half).max() < 1e-3
    assert np.abs(settled - start)[:, :2].max() < 2e-3
    # A lying cylinder may tip once from between two of its contacts onto one, 2 mm at most; then it rests.
    hold(sim, 6.0)
    later = object_pos(sim.state())
    assert np.abs(later[:, 2] - settled[:, 2]).max() < 1e-4
    assert np.abs(later - start)[:, :2].max() < 3e-3
    assert sim.state().object_vel[:, :3].norm(dim=1).max() < 1e-3


def test_a_row_takes_every_object_in_turn_without_recompiling(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = make_sim(2)
    monkeypatch.delattr(backend_module, "compile_model")
    for i in range(12):
        half = on_table(sim, [i, 11 - i])
        hold(sim, 0.6)
        state = sim.state()
        assert np.abs(object_pos(state)[:, 2] - TABLE_TOP - half).max() < 1e-3
        np.testing.assert_allclose(state.contact_force[:, 5, 2], WEIGHTS[[i, 11 - i]], rtol=0.05)


def test_the_table_carries_exactly_the_weight_of_every_object() -> None:
    sim = make_sim(12)
    on_table(sim, list(range(12)))
    hold(sim, 2.0)
    state = sim.state()
    force = state.contact_force.numpy()
    np.testing.assert_allclose(force[:, 5, 2], WEIGHTS, rtol=0.02)
    assert (np.abs(force[:, 5, :2]).max(1) < 0.02 * WEIGHTS).all()
    assert (state.contact_count[:, 5] > 0).all()
    assert not state.contact_count[:, :5].any()
    assert not force[:, :5].any()


def test_a_released_object_falls_with_the_acceleration_of_gravity() -> None:
    sim = make_sim(12)
    sim.reset(torch.arange(12), start_state(range(12), (0.6, 0.35, 0.9)))
    hold(sim, 0.2)
    time = 3 * PhysicsConfig().substeps * PhysicsConfig().timestep
    np.testing.assert_allclose(sim.state().object_vel[:, 2], -9.81 * time, rtol=5e-3)


def test_the_robot_does_not_sag() -> None:
    sim = make_sim(1)
    on_table(sim, [0])
    hold(sim, 2.0)
    np.testing.assert_allclose(sim.state().joint_pos[0], START_POSTURE, atol=1e-3)


def test_servos_reach_their_set_points() -> None:
    sim = make_sim(1)
    on_table(sim, [0])
    goal = torch.tensor(START_POSTURE) + torch.tensor([0.1] * 7 + [0.2] * 16)
    for _ in range(30):
        sim.step(goal.expand(1, 8, -1))
    np.testing.assert_allclose(sim.state().joint_pos[0], goal, atol=0.01)


def test_object_velocity_is_the_world_frame_derivative_of_its_pose() -> None:
    physics = PhysicsConfig(timestep=1e-4, substeps=1)
    sim = make_sim(3, physics)
    quat = Rotation.random(3, rng=0).as_quat(scalar_first=True)
    sim.reset(torch.arange(3), start_state([0, 5, 11], (0.6, 0.3, 0.9), quat))
    sim.batch.qvel[:, JOINTS:] = np.random.default_rng(1).uniform(-3, 3, (3, 6))
    states = []
    for _ in range(2):
        hold(sim, 1e-4, physics)
        states.append(sim.state())
    before, after = states
    speed = (object_pos(after) - object_pos(before)) / 1e-4
    np.testing.assert_allclose(after.object_vel[:, :3], speed, atol=0.01)
    rotations = [state.body_rot[:, -1].numpy().astype(float) for state in states]
    spin = Rotation.from_matrix(rotations[1] @ rotations[0].swapaxes(1, 2)).as_rotvec() / 1e-4
    np.testing.assert_allclose(after.object_vel[:, 3:], spin, atol=0.02)


def test_poses_are_those_after_the_last_substep() -> None:
    sim = make_sim(1)
    sim.reset(torch.arange(1), start_state([0], (0.6, 0.3, 0.9)))
    hold(sim, 0.1)
    assert np.array_equal(
        object_pos(sim.state())[0].astype(np.float32), sim.batch.qpos[0, JOINTS : JOINTS + 3].astype("f")
    )


def test_state_of_some_rows_is_those_rows_of_the_whole_in_fresh_tensors() -> None:
    sim = make_sim(4)
    on_table(sim, [0, 3, 6, 9])
    hold(sim, 0.1)
    whole, some = fields(sim.state()), sim.state(torch.tensor([1, 3]))
    for name, values in fields(some).items():
        assert np.array_equal(values, whole[name][[1, 3]]), name
    some.body_pos.zero_()
    assert sim.state().body_pos[1].any()


def make_diverge(sim: MujocoBackend, row: int, how: str) -> None:
    if how == "NaN in qpos":
        sim.batch.qpos[row, 3] = np.nan
    elif how == "absurd qvel":
        sim.batch.qvel[row, JOINTS] = 1e14
    else:  # the engine raises an error
        sim.batch.expand("opt.integrator")[row] = 99


WAYS = pytest.mark.parametrize("how", ["NaN in qpos", "absurd qvel", "engine error"])


@WAYS
def test_a_diverged_row_is_reported_with_zero_fields(how: str) -> None:
    sim = make_sim(4)
    on_table(sim, [0, 3, 6, 9])
    hold(sim, 0.1)
    make_diverge(sim, 1, how)
    hold(sim, 0.1)
    state = sim.state()
    assert state.diverged.tolist() == [False, True, False, False]
    for name, values in fields(state).items():
        if name != "diverged":
            assert not values[1].any(), name
            assert np.isfinite(values).all(), name
    assert sim.state(torch.tensor([1])).diverged.tolist() == [True]


@WAYS
def test_a_diverged_row_does_not_change_a_bit_of_its_neighbours(how: str) -> None:
    sims = [make_sim(4), make_sim(4)]
    for sim in sims:
        on_table(sim, [0, 3, 6, 9])
    make_diverge(sims[0], 1, how)
    for _ in range(4):
        for sim in sims:
            hold(sim, 0.1)
        assert_same(sims[0].state(), sims[1].state(), [0, 2, 3])


@pytest.mark.parametrize("how", ["NaN in qpos", "absurd qvel"])
def test_a_reset_clears_divergence(how: str) -> None:
    sim, twin = make_sim(2), make_sim(2)
    on_table(sim, [0, 3])
    make_diverge(sim, 1, how)
    hold(sim, 0.1)
    assert sim.state().diverged[1]
    for each in (sim, twin):
        on_table(each, [0, 3])
        hold(each, 0.5)
    assert not sim.state().diverged.any()
    assert_same(sim.state(), twin.state(), [0, 1])


def test_a_restored_simulation_continues_with_the_same_bits() -> None:
    sim, other = make_sim(3), make_sim(3)
    on_table(sim, [0, 3, 8])
    on_table(other, [5, 5, 5], lying=True)
    generator = torch.Generator().manual_seed(0)
    steps = torch.tensor(START_POSTURE) + 0.1 * torch.randn(6, 3, 8, JOINTS, generator=generator)
    for targets in steps[:3]:
        sim.step(targets)
    saved = sim.get_state()
    kept = {name: values.copy() for name, values in saved.items()}
    now = sim.state()
    for targets in steps[3:]:
        sim.step(targets)
    assert all(np.array_equal(saved[name], kept[name]) for name in saved), "the saved arrays are live"
    for restored in (sim, other):
        end = sim.state()
        restored.set_state(saved)
        assert_same(restored.state(), now, [0, 1, 2])
        for targets in steps[3:]:
            restored.step(targets)
        assert_same(restored.state(), end, [0, 1, 2])


def test_a_diverged_row_stays_diverged_when_restored() -> None:
    sim, other = make_sim(2), make_sim(2)
    on_table(sim, [0, 3])
    on_table(other, [0, 3])
    make_diverge(sim, 1, "NaN in qpos")
    hold(sim, 0.1)
    other.set_state(sim.get_state())
    hold(other, 0.1)
    assert other.state().diverged.tolist() == [False, True]


@pytest.mark.parametrize("wrong", ["missing", "extra", "shape", "dtype"])
def test_wrong_arrays_are_a_state_error_and_change_nothing(wrong: str) -> None:
    sim = make_sim(2)
    on_table(sim, [0, 3])
    before = sim.get_state()
    arrays = {name: values + 1 if values.dtype != bool else ~values for name, values in before.items()}
    if wrong == "missing":
        del arrays["sim.contact"]
    elif wrong == "extra":
        arrays["sim.more"] = np.zeros(2)
    elif wrong == "shape":
        arrays["sim.state"] = arrays["sim.state"][:1]
    else:
        arrays["sim.object_index"] = arrays["sim.object_index"].astype(float)
    with pytest.raises(StateError, match=r"sim\."):
        sim.set_state(arrays)
    after = sim.get_state()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_reset_of_some_rows_leaves_the_others_alone() -> None:
    sims = [make_sim(3), make_sim(3)]
    for sim in sims:
        on_table(sim, [0, 3, 6])
        hold(sim, 0.1)
    sims[0].reset(torch.tensor([1]), start_state([9], (0.5, 0.1, 0.5)))
    assert_same(sims[0].state(), sims[1].state(), [0, 2])
    for sim in sims:
        hold(sim, 0.3)
    assert_same(sims[0].state(), sims[1].state(), [0, 2])
    assert not torch.equal(sims[0].state().body_pos[1], sims[1].state().body_pos[1])


def test_a_reset_row_starts_as_told_at_rest_and_without_contacts() -> None:
    sim = make_sim(2)
    on_table(sim, [0, 3])
    hold(sim, 0.5)
    quat = Rotation.random(rng=3).as_quat(scalar_first=True)
    joints = np.add(START_POSTURE, 0.05)
    sim.reset(torch.tensor([1]), start_state([7], (0.5, 0.1, 0.6), quat, joints))
    state = sim.state(torch.tensor([1]))
    np.testing.assert_allclose(state.joint_pos[0], joints, atol=1e-6)
    np.testing.assert_allclose(object_pos(state)[0], (0.5, 0.1, 0.6), atol=1e-6)
    matrix = Rotation.from_quat(quat, scalar_first=True).as_matrix()
    np.testing.assert_allclose(state.body_rot[0, -1], matrix, atol=1e-6)
    for still in (state.joint_vel, state.object_vel, state.contact_count, state.contact_force):
        assert not still.any()


def test_close_twice_is_harmless() -> None:
    sim = make_sim(1)
    sim.close()
    sim.close()
    assert not hasattr(sim, "batch")


def test_close_ends_the_threads_even_while_the_environment_is_referenced() -> None:
    """A child process, since other tests' thread pools come and go in this one.

    A thread that was joined is listed a moment longer, so their going is waited for.
    """
    script = """
import os, time
from dexgrasp_envs.vector_env import DexGraspVectorEnv as Env
def count():
    return len(os.listdir("/proc/self/task"))
Env(2, threads=1).close()
before = count()
env = Env(2, threads=4)
during = count()
env.close()
deadline = time.monotonic() + 10
while count() > before and time.monotonic() < deadline:
    time.sleep(0.01)
print(during - before, count() - before)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    started, left = map(int, result.stdout.split())
    assert started >= 1 and left <= 0
