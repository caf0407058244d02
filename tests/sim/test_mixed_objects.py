"""Objects of several parts, and meshes, in a running simulation."""

import numpy as np
import pytest
import torch

from dexgrasp_envs import objects
from dexgrasp_envs.config import PhysicsConfig
from dexgrasp_envs.objects import ObjectSet
from dexgrasp_envs.scene.tabletop import TABLE_TOP
from dexgrasp_envs.sim.mujoco.backend import MujocoBackend
from tests.compounds import MIXED
from tests.helpers import OBJECTS, ROBOT, START_POSTURE, default_scene, hold, start_state
from tests.meshes import RING

SAMPLE = ("bottle_00", "mug_05", "bowl_02", "animal_03")


def simulation(chosen: ObjectSet, rows: int) -> MujocoBackend:
    return MujocoBackend(default_scene(), ROBOT, chosen, PhysicsConfig(), rows, threads=1)


def upright(chosen: ObjectSet) -> tuple[MujocoBackend, np.ndarray]:
    """One row of each object, 2 mm above the table, and where their origins belong at rest."""
    n = len(chosen)
    rest = np.stack([np.full(n, 0.6), np.full(n, 0.2), [TABLE_TOP + obj.half_extents[2] for obj in chosen.objects]], 1)
    sim = simulation(chosen, n)
    sim.reset(torch.arange(n), start_state(range(n), rest + [0.0, 0.0, 0.002]))
    return sim, rest


def rests(chosen: ObjectSet, seconds: float) -> None:
    """Asserts that all objects settle upright at their height, and then neither creep nor sink."""
    sim, rest = upright(chosen)
    hold(sim, 1.5)
    settled = sim.state().body_pos[:, -1].numpy().astype(float)
    off = np.abs(settled - rest)
    names = np.array(chosen.names)
    assert off[:, 2].max() < 1e-3, (names[off[:, 2] >= 1e-3], off[off[:, 2] >= 1e-3])
    assert off[:, :2].max() < 3e-3, (names[off[:, :2].max(1) >= 3e-3], off[off[:, :2].max(1) >= 3e-3])
    hold(sim, seconds)
    creep = np.abs(sim.state().body_pos[:, -1].numpy() - settled)
    assert creep.max() < 1e-3, (names[creep.max(1) >= 1e-3], creep[creep.max(1) >= 1e-3])
    force = sim.state().contact_force[:, 5, 2].numpy()
    np.testing.assert_allclose(force, sim.object_weights(), rtol=0.1, err_msg=str(names))


def test_a_sample_of_shapes_and_a_mesh_rest_on_the_table() -> None:
    train = objects.load("train")
    rests(ObjectSet("sample", (*(train.objects[train.index(name)] for name in SAMPLE), RING, OBJECTS.objects[0])), 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train", "test"])
def test_every_shape_rests_on_the_table(name: str) -> None:
    rests(objects.load(name), 3.0)


def test_rows_are_the_same_bits_however_they_are_grouped() -> None:
    chosen = ObjectSet("mixed", (*MIXED.objects, RING))
    order, generator = [5, 2, 0, 3, 1, 4], np.random.default_rng(0)
    place = generator.uniform([0.5, -0.1, 0.35], [0.6, 0.1, 0.45], (6, 3))
    quat = generator.normal(size=(6, 4))
    quat /= np.linalg.norm(quat, axis=1, keepdims=True)
    motion = START_POSTURE + generator.uniform(-0.3, 0.3, (6, 40, len(START_POSTURE)))
    targets = torch.from_numpy(motion.astype(np.float32))

    def end(rows: slice) -> np.ndarray:
        mine = order[rows]
        sim = simulation(chosen, len(mine))
        sim.reset(torch.arange(len(mine)), start_state(mine, place[rows], quat[rows]))
        sim.step(targets[rows])
        return sim.get_state()["sim.state"]

    whole = end(slice(0, 6))
    parts = np.concatenate([end(slice(0, 1)), end(slice(1, 4)), end(slice(4, 6))])
    assert whole.tobytes() == parts.tobytes()


def test_a_row_may_hold_a_mesh_after_a_compound_and_the_reverse() -> None:
    chosen = ObjectSet("two", (RING, MIXED.objects[0]))
    sim = simulation(chosen, 2)
    for order in ([0, 1], [1, 0], [0, 1]):
        rest = [[0.6, 0.2, TABLE_TOP + chosen.objects[i].half_extents[2] + 0.002] for i in order]
        sim.reset(torch.arange(2), start_state(order, rest))
        hold(sim, 0.8)
        height = sim.state().body_pos[:, -1, 2].numpy() - TABLE_TOP
        np.testing.assert_allclose(height[order.index(0)], RING.half_extents[2], atol=1.5e-3)
        np.testing.assert_allclose(sim.state().contact_force[:, 5, 2], sim.object_weights(), rtol=0.15)
