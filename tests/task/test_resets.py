"""How an episode starts."""

import itertools

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial.transform import Rotation

from dexgrasp_envs.config import ControlConfig, SpawnConfig
from dexgrasp_envs.objects import Support
from dexgrasp_envs.scene.tabletop import TABLE_TOP
from dexgrasp_envs.task.resets import StartSampler
from dexgrasp_envs.types import StartState
from tests.compounds import MIXED
from tests.helpers import OBJECTS, ROBOT, START_POSTURE

N = 6000
SPAWN = SpawnConfig()


def draw(seed: int = 0, first: int = 0, n: int = N, episode: int = 0, spawn: SpawnConfig = SPAWN) -> StartState:
    sampler = StartSampler(ROBOT, OBJECTS, spawn, ControlConfig().joint_margin)
    env_index = first + torch.arange(n)
    return sampler(torch.full((n,), seed), env_index, torch.full((n,), episode), env_index % 12)


START = draw()
ROTATIONS = Rotation.from_quat(START.object_quat.numpy(), scalar_first=True).as_matrix()
UPRIGHT = ROTATIONS[:, 2, 2] > 1 - 1e-6


def p_uniform(values: np.ndarray, low: float, high: float) -> float:
    return float(stats.kstest(values, "uniform", args=(low, high - low)).pvalue)


def test_positions_are_uniform_over_the_spawn_rectangle() -> None:
    for axis in (0, 1):
        center, half = SPAWN.center[axis], SPAWN.half_extent[axis]
        values = START.object_pos[:, axis].numpy()
        assert values.min() >= center - half - 1e-6
        assert values.max() <= center + half + 1e-6
        assert p_uniform(values, center - half, center + half) > 1e-3
    counts, _, _ = np.histogram2d(*START.object_pos[:, :2].numpy().T, bins=5)
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_the_upright_share_is_upright_with_uniform_yaw() -> None:
    assert UPRIGHT.mean() == pytest.approx(SPAWN.upright_share, abs=4 * 0.5 / np.sqrt(N))
    yaw = np.arctan2(ROTATIONS[UPRIGHT, 1, 0], ROTATIONS[UPRIGHT, 0, 0])
    assert p_uniform(yaw, -np.pi, np.pi) > 1e-3


def test_the_others_are_turned_uniformly() -> None:
    for row, column in itertools.product(range(3), repeat=2):
        # Every entry of a uniform random rotation is uniform in -1..1 (Archimedes).
        assert p_uniform(ROTATIONS[~UPRIGHT, row, column], -1, 1) > 1e-4


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_an_upright_share_of_none_or_all_is_exact(share: float) -> None:
    quat = draw(spawn=SpawnConfig(upright_share=share), n=500).object_quat
    level = (quat[:, 1:3].abs().amax(1) < 1e-6).float().mean().item()
    assert level == share


def test_quaternions_are_unit() -> None:
    np.testing.assert_allclose(START.object_quat.norm(dim=1), 1.0, atol=1e-6)


def test_joints_are_uniform_about_the_start_posture_within_noise_and_limits() -> None:
    offset = START.joint_pos.numpy() - np.array(START_POSTURE)
    noise = np.array([SPAWN.arm_noise] * 7 + [SPAWN.finger_noise] * 16)
    assert (np.abs(offset) <= noise + 1e-6).all()
    limits = np.array([joint.limits for joint in ROBOT.joints])
    assert (START.joint_pos.numpy() > limits[:, 0]).all()
    assert (START.joint_pos.numpy() < limits[:, 1]).all()
    assert min(p_uniform(offset[:, j], -noise[j], noise[j]) for j in range(23)) > 1e-4
    assert np.abs(np.corrcoef(offset.T) - np.eye(23)).max() < 5 / np.sqrt(N)


def lowest_point(obj_index: int, rotation: np.ndarray) -> float:
    """Height of the lowest point of the turned object relative to its centre, by sampling its rims or corners."""
    obj = OBJECTS.objects[obj_index]
    hx, hy, hz = obj.half_extents
    if obj.is_round:
        angle = np.linspace(0, 2 * np.pi, 4001)
        rim = np.stack([hx * np.cos(angle), hx * np.sin(angle)], 1)
        points = np.concatenate([np.c_[rim, np.full(len(rim), z)] for z in (-hz, hz)])
    else:
        points = np.array(list(itertools.product((-hx, hx), (-hy, hy), (-hz, hz))))
    return float((points @ rotation.T)[:, 2].min())


def test_every_object_starts_2_mm_above_the_table() -> None:
    for row in range(240):
        lowest = START.object_pos[row, 2].item() + lowest_point(row % 12, ROTATIONS[row])
        assert lowest == pytest.approx(TABLE_TOP + 0.002, abs=1e-5)


def test_compounds_start_2_mm_above_the_table_too() -> None:
    sampler = StartSampler(ROBOT, MIXED, SPAWN, ControlConfig().joint_margin)
    rows = torch.arange(200)
    start = sampler(torch.zeros_like(rows), rows, torch.zeros_like(rows), rows % len(MIXED))
    rotations = Rotation.from_quat(start.object_quat.numpy(), scalar_first=True).as_matrix()
    lowest = start.object_pos[:, 2].numpy() - Support(MIXED.objects)(rows.numpy() % len(MIXED), -rotations[:, 2])
    np.testing.assert_allclose(lowest, TABLE_TOP + 0.002, atol=1e-6)


def assert_equal(a: StartState, b: StartState) -> None:
    for name, values in vars(a).items():
        assert torch.equal(values, vars(b)[name]), name


def test_a_start_depends_only_on_seed_environment_and_episode() -> None:
    whole = draw(seed=5, n=36, episode=2)
    assert_equal(draw(seed=5, first=12, n=3, episode=2), whole.rows(torch.arange(12, 15)))
    assert_equal(draw(seed=5, n=36, episode=2), whole)


@pytest.mark.parametrize("change", [{"seed": 6}, {"episode": 3}, {"first": 12}])
def test_another_seed_environment_or_episode_starts_elsewhere(change: dict[str, int]) -> None:
    base = {"seed": 5, "episode": 2, "first": 0}
    one, other = draw(**base, n=12), draw(**{**base, **change}, n=12)
    for name in ("joint_pos", "object_pos"):
        assert (getattr(one, name) != getattr(other, name)).any(1).all(), name
