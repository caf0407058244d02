"""Pictures for people."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from dexgrasp_envs.sim.mujoco.backend import MujocoBackend
from tests.helpers import OBJECTS, default_scene, make_sim, start_state

pytestmark = pytest.mark.gl
BESIDE = (0.6, -0.25, 0.31)
"""In sight of the camera, with nothing in front."""


def pixel(point: tuple[float, float, float], shape: tuple[int, ...]) -> tuple[int, int]:
    """Row and column of a world point, by a plain pinhole projection."""
    camera = default_scene().camera
    forward = np.subtract(camera.target, camera.pos)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    ray = np.subtract(point, camera.pos)
    focal = shape[0] / 2 / np.tan(np.radians(camera.fovy) / 2)
    x, y = ray @ right / (ray @ forward), ray @ np.cross(right, forward) / (ray @ forward)
    return round(shape[0] / 2 - focal * y), round(shape[1] / 2 + focal * x)


def with_objects(*names: str) -> MujocoBackend:
    sim = make_sim(len(names))
    sim.reset(torch.arange(len(names)), start_state([OBJECTS.index(name) for name in names], BESIDE))
    return sim


def test_a_red_and_a_blue_object_appear_where_they_are() -> None:
    sim = with_objects("cuboid_large_12cm", "cylinder_large_12cm")
    red, blue = (sim.render(row) for row in (0, 1))
    sim.close()
    assert red.shape == (480, 640, 3)
    assert red.dtype == np.uint8
    place = pixel(BESIDE, red.shape)
    r, g, b = red[place].astype(int)
    assert r > g + 40
    assert r > b + 40
    r, g, b = blue[place].astype(int)
    assert b > r + 40
    assert b > g + 20


def test_each_row_shows_its_own_object_size() -> None:
    sim = with_objects("cuboid_small_5cm", "cuboid_large_12cm")
    small, large = (sim.render(row).astype(int) for row in (0, 1))
    sim.close()
    row, column = pixel(BESIDE, small.shape)
    around = np.s_[row - 50 : row + 50, column - 50 : column + 50]
    area = [(image[around][..., 0] - image[around][..., 1:].max(-1) > 50).sum() for image in (small, large)]
    assert area[0] > 0
    # 4 x 5 cm against 6.5 x 12 cm seen from the side
    assert 2 * area[0] < area[1]


def test_the_same_row_gives_the_same_picture_twice() -> None:
    sim = with_objects("cuboid_small_5cm", "cylinder_large_8cm")
    first = [sim.render(row) for row in (0, 1, 0)]
    sim.close()
    assert np.array_equal(first[0], first[2])
    assert not np.array_equal(first[0], first[1])


def test_rendering_leaves_the_simulation_alone() -> None:
    sim = with_objects("cuboid_small_5cm")
    before = sim.get_state()
    sim.render(0)
    after = sim.get_state()
    sim.close()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_the_goal_is_visible_in_green() -> None:
    scene = default_scene()
    images = []
    for goal in (scene.goal, (0.0, 0.0, -3.0)):
        sim = make_sim(1, scene=dataclasses.replace(scene, goal=goal))
        sim.reset(torch.arange(1), start_state([0], BESIDE))
        images.append(sim.render(0).astype(int))
        sim.close()
    place = pixel((scene.goal[0], scene.goal[1], scene.goal[2] + 0.05), images[0].shape)
    with_goal, without = images[0][place], images[1][place]
    assert with_goal[1] - with_goal[[0, 2]].mean() > without[1] - without[[0, 2]].mean() + 10


def test_a_new_backend_renders_after_another_was_closed() -> None:
    sim = with_objects("cuboid_small_5cm")
    sim.render(0)
    sim.close()
    sim.close()
    again = with_objects("cuboid_small_5cm")
    assert again.render(0).any()
    again.close()


WITHOUT_OPENGL = """
import mujoco
from mujoco.batch import Batch
from dexgrasp_envs.errors import RenderingError
from dexgrasp_envs.scene.scene import ViewCamera
from dexgrasp_envs.sim.mujoco.offscreen import OffscreenRenderer
renderer = OffscreenRenderer(ViewCamera((1.0, 0.0, 1.0), (0.0, 0.0, 0.0), 40.0))
batch = Batch(mujoco.MjModel.from_xml_string("<mujoco/>"), 1)
for _ in range(2):
    try:
        renderer.render(batch, 0)
    except RenderingError as error:
        print("RenderingError", "dexgrasp doctor" in str(error))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="macOS needs no display")
def test_without_opengl_every_attempt_is_an_error_that_helps_and_none_aborts() -> None:
    env = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_OPENGL], env=env | {"MUJOCO_GL": "glfw"}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n")[:2] == ["RenderingError True"] * 2
