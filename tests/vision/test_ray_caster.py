"""Segmentation, and depth beside MuJoCo's OpenGL renderer."""

import mujoco
import numpy as np
import pytest

from dexgrasp_envs.config import ObservationConfig
from dexgrasp_envs.scene.scene import ViewCamera
from dexgrasp_envs.sim.mujoco.backend import MujocoBackend
from dexgrasp_envs.sim.mujoco.offscreen import free_camera
from dexgrasp_envs.vision.camera import Intrinsics, look_at
from dexgrasp_envs.vision.geom_table import part_names
from dexgrasp_envs.vision.ray_caster import RayCaster, Shot
from tests.helpers import OBJECTS, default_scene
from tests.vision.test_ray_kernels import scattered

CONFIG = ObservationConfig()
N = 12


def depth_and_ids(sim: MujocoBackend, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
    state = sim.state()
    n, lens, camera = len(state.body_pos), Intrinsics.of(CONFIG), CONFIG.camera
    depth, ids = np.empty((n, *CONFIG.image_size), np.float32), np.empty((n, *CONFIG.image_size), np.int16)
    caster = RayCaster(default_scene(), OBJECTS, threads)
    shot = Shot(
        np.arange(n), np.arange(n) % len(OBJECTS), state.body_pos.numpy(), state.body_rot.numpy(),
        np.tile(np.float32(camera.position), (n, 1)), np.tile(look_at(camera).astype(np.float32), (n, 1, 1)), lens,
        camera.near, camera.far, 1.0,
    )  # fmt: skip
    caster.cast(shot, depth, ids)
    caster.close()
    return depth, ids


def opengl_depth(sim: MujocoBackend) -> np.ndarray:
    """Depth by MuJoCo's renderer, with finely divided round shapes and without the goal's marker."""
    camera = CONFIG.camera
    sim.model.vis.quality.numslices, sim.model.vis.quality.numstacks = 128, 64
    view = free_camera(ViewCamera(camera.position, camera.target, camera.fovy))
    option = mujoco.MjvOption()
    option.sitegroup[:] = 0
    images = []
    with mujoco.Renderer(sim.model, *CONFIG.image_size) as renderer:
        renderer.enable_depth_rendering()
        for row in range(N):
            model, data = sim.batch.get_model(row), sim.batch.get_data(row)
            mujoco.mj_forward(model, data)
            mujoco.mjv_updateScene(model, data, option, None, view, mujoco.mjtCatBit.mjCAT_ALL, renderer.scene)
            for eye in renderer.scene.camera:
                eye.frustum_top = eye.frustum_near * np.tan(np.radians(camera.fovy / 2))
                eye.frustum_bottom = -eye.frustum_top
            images.append(renderer.render().copy())
    return np.stack(images)


@pytest.mark.gl
def test_robot_and_object_are_where_opengl_draws_them() -> None:
    sim = scattered(N, seed=3)
    depth, ids = depth_and_ids(sim)
    robot_or_object = (ids >= 0) & (ids <= part_names(default_scene()).index("object"))
    assert robot_or_object.mean() > 0.05
    error = np.abs(depth - opengl_depth(sim))[robot_or_object]
    assert (error < 1e-3).mean() >= 0.98


def test_ids_tell_the_parts_apart() -> None:
    sim = scattered(N, seed=4)
    depth, ids = depth_and_ids(sim)
    names = part_names(default_scene())
    seen = {names[i] for i in np.unique(ids) if i >= 0}
    assert {"object", "table", "floor", "palm_link", "index_link_3"} <= seen
    np.testing.assert_array_equal(ids == -1, depth == 0)
    # The object is where its id is: the mean of its pixels lies near its centre.
    lens, camera = Intrinsics.of(CONFIG), CONFIG.camera
    x, y, _ = lens.rays()
    for row in range(N):
        v, u = np.nonzero(ids[row] == names.index("object"))
        if len(v) < 20:
            continue
        points = np.stack([x[u], y[v], np.ones(len(u))], 1) * depth[row, v, u][:, None]
        world = points @ look_at(camera).T + camera.position
        assert np.linalg.norm(world.mean(0) - sim.state().body_pos[row, -1].numpy()) < 0.09


def test_threads_share_frames_without_changing_them() -> None:
    sim = scattered(N, seed=5)
    for one, many in zip(depth_and_ids(sim, 1), depth_and_ids(sim, 3), strict=True):
        assert one.tobytes() == many.tobytes()
