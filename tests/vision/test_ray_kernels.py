"""Ray-casting against MuJoCo's own rays, and against analytic cases."""

import numpy as np
import pytest
import torch

from dexgrasp_envs.config import CAMERAS, CameraConfig, ObservationConfig
from dexgrasp_envs.objects import GraspObject, ObjectSet
from dexgrasp_envs.scene.bodies import Body, Geom, Shape
from dexgrasp_envs.scene.scene import Scene
from dexgrasp_envs.scene.tabletop import tabletop
from dexgrasp_envs.sim.mujoco.backend import MujocoBackend
from dexgrasp_envs.sim.mujoco.compile import GEOM_TYPES
from dexgrasp_envs.vision.camera import Intrinsics, look_at
from dexgrasp_envs.vision.ray_caster import RayCaster, Shot
from tests.helpers import EPISODE, OBJECTS, ROBOT, default_scene, make_sim, random_rotations, start_state

SIZE = (60, 80)


def cast(
    scene: Scene, objects: ObjectSet, body_pos: np.ndarray, body_rot: np.ndarray, camera: CameraConfig, size=SIZE
) -> np.ndarray:
    """Depth [N, H, W] in m of the first object of the set, from a camera in the world."""
    n = len(body_pos)
    lens = Intrinsics.of(ObservationConfig(image_size=size, camera=camera))
    out = np.empty((n, *size), np.float32)
    position = np.tile(np.float32(camera.position), (n, 1))
    rotation = np.tile(look_at(camera).astype(np.float32), (n, 1, 1))
    shot = Shot(
        np.arange(n), np.arange(n) % len(objects), body_pos, body_rot, position, rotation, lens,
        camera.near, camera.far, 1.0,
    )  # fmt: skip
    RayCaster(scene, objects, 1).cast(shot, out)
    return out


def mujoco_rays(sim: MujocoBackend, camera: CameraConfig, size=SIZE) -> np.ndarray:
    """The same by `Batch.ray`: its distances are in units of the direction, whose forward part is 1."""
    x, y, _ = Intrinsics.of(ObservationConfig(image_size=size, camera=camera)).rays()
    grid = np.stack([*np.meshgrid(x.astype(np.float64), y.astype(np.float64)), np.ones((len(y), len(x)))], -1)
    direction = (look_at(camera)[None, None] * grid[:, :, None]).sum(-1).reshape(-1, 3)
    distance, _ = sim.batch.ray(np.asarray(camera.position), direction)
    depth = distance
    depth = np.where((depth > camera.far) | (depth < 0), 0.0, depth)
    return depth.reshape(-1, *size)


def scattered(n: int, seed: int) -> MujocoBackend:
    """The default scene with random postures and objects of any pose, also beneath the hand."""
    generator = np.random.default_rng(seed)
    sim = make_sim(n)
    low, high = np.array([joint.limits for joint in ROBOT.joints]).T
    posture = low + (high - low) * generator.uniform(0.2, 0.8, (n, len(low)))
    posture[: n // 2] = [*ROBOT.home, *ROBOT.hand_nominal] + generator.uniform(-0.3, 0.3, (n // 2, len(low)))
    quat = generator.normal(size=(n, 4))
    position = generator.uniform([0.45, -0.15, 0.3], [0.65, 0.15, 0.6], (n, 3))
    index = [i % len(OBJECTS) for i in range(n)]
    quat /= np.linalg.norm(quat, axis=1, keepdims=True)
    sim.reset(torch.arange(n), start_state(index, position, quat, posture))
    return sim


@pytest.mark.parametrize("camera", ["front", "paper"])
def test_the_scene_is_seen_as_mujocos_rays_see_it(camera: str) -> None:
    sim = scattered(24, seed=0)
    state = sim.state()
    ours = cast(default_scene(), OBJECTS, state.body_pos.numpy(), state.body_rot.numpy(), CAMERAS[camera])
    theirs = mujoco_rays(sim, CAMERAS[camera])
    assert (theirs > 0).mean() > 0.3
    assert (np.abs(ours - theirs) < 1e-4).mean() >= 0.999


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        (Shape.BOX, (0.05, 0.03, 0.08)),
        (Shape.CYLINDER, (0.04, 0.06)),
        (Shape.CAPSULE, (0.03, 0.05)),
        (Shape.SPHERE, (0.05,)),
    ],
)
def test_each_shape_is_seen_as_mujocos_rays_see_it_from_any_side(shape: Shape, size: tuple[float, ...]) -> None:
    n, generator = 32, np.random.default_rng(1)
    body = Body("thing", None, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0))
    objects = ObjectSet("one", (GraspObject("thing", (Geom(shape, size),)),))
    scene = tabletop(ROBOT.bodies, EPISODE.goal, EPISODE.success_radius)
    position = generator.uniform([0.5, -0.1, 0.5], [0.6, 0.1, 0.6], (n, 3)).astype(np.float32)
    rotation = random_rotations(n, generator).astype(np.float32)
    body_pos = np.full((n, len(ROBOT.bodies) + 1, 3), -5.0, np.float32)
    body_rot = np.tile(np.eye(3, dtype=np.float32), (n, len(ROBOT.bodies) + 1, 1, 1))
    body_pos[:, -1], body_rot[:, -1] = position, rotation
    ours = cast(scene, objects, body_pos, body_rot, CAMERAS["front"])
    theirs = shape_alone(body.name, shape, size, position, rotation)
    hit = theirs > 0
    assert hit.sum() > 1000
    assert (np.abs(ours - theirs)[hit] < 1e-4).mean() >= 0.999


def shape_alone(
    name: str, shape: Shape, size: tuple[float, ...], position: np.ndarray, rotation: np.ndarray
) -> np.ndarray:
    """Depth of one shape by `mj_rayGeom`'s batch sibling, 0 where nothing is hit."""
    import mujoco

    camera = CAMERAS["front"]
    x, y, _ = Intrinsics.of(ObservationConfig(image_size=SIZE, camera=camera)).rays()
    grid = np.stack([*np.meshgrid(x.astype(np.float64), y.astype(np.float64)), np.ones((len(y), len(x)))], -1)
    direction = (look_at(camera)[None, None] * grid[:, :, None]).sum(-1).reshape(-1, 3)
    kind = GEOM_TYPES[shape]
    images = []
    for p, r in zip(position, rotation, strict=True):
        spec = mujoco.MjSpec()
        geom = spec.worldbody.add_geom(type=kind, size=(*size, 0.0, 0.0)[:3], pos=p.astype(np.float64))
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, r.astype(np.float64).ravel())
        geom.quat = quat
        model = spec.compile()
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        found = np.zeros(len(direction))
        for i, d in enumerate(direction):
            found[i] = mujoco.mj_ray(model, data, np.asarray(camera.position), d, None, 1, -1, np.zeros(1, np.int32))
        images.append(np.where(found < 0, 0.0, found).reshape(SIZE))
    return np.stack(images)


def test_a_sphere_on_the_axis_is_as_far_as_its_surface() -> None:
    camera = CameraConfig(position=(0.0, 0.0, 5.0), target=(1.0, 0.0, 5.0), fovy=20.0, far=6.0)
    objects = ObjectSet("one", (GraspObject("ball", (Geom(Shape.SPHERE, (0.1,)),)),))
    body_pos = np.full((1, len(ROBOT.bodies) + 1, 3), -50.0, np.float32)
    body_pos[:, -1] = (1.0, 0.0, 5.0)
    body_rot = np.tile(np.eye(3, dtype=np.float32), (1, len(ROBOT.bodies) + 1, 1, 1))
    depth = cast(default_scene(), objects, body_pos, body_rot, camera, (9, 9))
    assert depth[0, 4, 4] == pytest.approx(0.9, abs=1e-6)
    assert depth[0, 0, 0] == 0.0


def test_what_is_behind_the_camera_or_beyond_the_far_distance_is_not_seen() -> None:
    objects = ObjectSet("one", (GraspObject("ball", (Geom(Shape.SPHERE, (0.1,)),)),))
    body_rot = np.tile(np.eye(3, dtype=np.float32), (2, len(ROBOT.bodies) + 1, 1, 1))
    body_pos = np.full((2, len(ROBOT.bodies) + 1, 3), -50.0, np.float32)
    body_pos[:, -1] = ((-1.0, 0.0, 5.0), (1.5, 0.0, 5.0))
    camera = CameraConfig(position=(0.0, 0.0, 5.0), target=(1.0, 0.0, 5.0), fovy=20.0, far=1.3)
    assert not cast(default_scene(), objects, body_pos, body_rot, camera, (9, 9)).any()
