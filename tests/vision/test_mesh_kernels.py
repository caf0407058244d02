"""Meshes against MuJoCo's rays, which meet the same triangles."""

import dataclasses

import mujoco
import numpy as np
import trimesh

from dexgrasp_envs.config import CAMERAS, LightConfig, ObservationConfig
from dexgrasp_envs.objects import GraspObject, ObjectSet
from dexgrasp_envs.objects.mesh import ObjectMesh
from dexgrasp_envs.objects.object_set import of_mesh
from dexgrasp_envs.scene.bodies import Geom, Shape
from dexgrasp_envs.vision.camera import Intrinsics, look_at
from dexgrasp_envs.vision.looks import draw_light
from dexgrasp_envs.vision.ray_caster import RayCaster, Shot
from tests.helpers import ROBOT, default_scene, random_rotations
from tests.meshes import RING

CAMERA, SIZE, N = dataclasses.replace(CAMERAS["front"], fovy=14.0), (48, 64), 4
LENS = Intrinsics.of(ObservationConfig(image_size=SIZE, camera=CAMERA))


def shot(position: np.ndarray, rotation: np.ndarray) -> Shot:
    """Objects alone above the table; the robot is far away."""
    n = len(position)
    body_pos = np.full((n, len(ROBOT.bodies) + 1, 3), -50.0, np.float32)
    body_rot = np.tile(np.eye(3, dtype=np.float32), (n, len(ROBOT.bodies) + 1, 1, 1))
    body_pos[:, -1], body_rot[:, -1] = position, rotation
    return Shot(
        np.arange(n), np.zeros(n, np.int64), body_pos, body_rot, np.tile(np.float32(CAMERA.position), (n, 1)),
        np.tile(look_at(CAMERA).astype(np.float32), (n, 1, 1)), LENS, CAMERA.near, CAMERA.far, 1.0,
    )  # fmt: skip


def caster(obj: GraspObject) -> RayCaster:
    return RayCaster(default_scene(), ObjectSet("one", (obj,)), 1)


def mujoco_depth(mesh: ObjectMesh, position: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Depth [H, W] of the mesh alone, 0 where nothing is hit."""
    spec = mujoco.MjSpec()
    spec.add_mesh(name="m", uservert=mesh.vertices.ravel().astype(np.float32), userface=mesh.faces.ravel())
    quat = np.empty(4)
    mujoco.mju_mat2Quat(quat, rotation.astype(np.float64).ravel())
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="m", pos=position.astype(np.float64), quat=quat)
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    x, y, _ = LENS.rays()
    out = np.zeros(SIZE)
    turn, eye, hit = look_at(CAMERA), np.asarray(CAMERA.position), np.zeros(1, np.int32)
    for v, u in np.ndindex(*SIZE):
        ray = turn @ [float(x[u]), float(y[v]), 1.0]
        out[v, u] = mujoco.mj_ray(model, data, eye, ray, None, 1, -1, hit)
    return np.maximum(out, 0.0)


def test_a_mesh_is_seen_as_mujocos_rays_see_it_from_any_side() -> None:
    generator = np.random.default_rng(0)
    position = generator.uniform([0.51, -0.02, 0.4], [0.55, 0.02, 0.44], (N, 3)).astype(np.float32)
    rotation = random_rotations(N, generator).astype(np.float32)
    ours, ids = np.empty((N, *SIZE), np.float32), np.empty((N, *SIZE), np.int16)
    caster(RING).cast(shot(position, rotation), ours, ids)
    theirs = np.stack([mujoco_depth(RING.mesh, p, r) for p, r in zip(position, rotation, strict=True)])
    seen = ids == len(ROBOT.bodies)
    assert seen.sum() > 600
    agree = (seen == (theirs > 0)) & (~seen | (np.abs(ours - theirs) < 1e-4))
    assert agree.mean() >= 0.999


def box_mesh(half: tuple[float, float, float]) -> GraspObject:
    box = trimesh.creation.box(2 * np.asarray(half))
    vertices = np.asarray(box.vertices)
    mesh = ObjectMesh(vertices, np.asarray(box.faces, np.int32), (vertices,), RING.mesh.inertial, "box")
    return of_mesh("box", mesh)


def test_a_box_of_triangles_is_drawn_and_shaded_like_a_box() -> None:
    generator = np.random.default_rng(1)
    position = np.tile(np.float32([0.53, 0.0, 0.42]), (N, 1))
    taken = shot(position, random_rotations(N, generator).astype(np.float32))
    zeros = np.zeros(N, np.int64)
    lights, tints = draw_light(LightConfig(), len(ROBOT.bodies) + 3, zeros, np.arange(N), zeros)
    half = (0.03, 0.04, 0.05)
    drawn = []
    for obj in (GraspObject("box", (Geom(Shape.BOX, half),)), box_mesh(half)):
        images, depth = np.empty((N, 3, *SIZE), np.uint8), np.empty((N, *SIZE), np.float32)
        caster(obj).shade(taken, lights, tints, images, depth)
        drawn.append((images.astype(int), depth))
    (images, depth), (mesh_images, mesh_depth) = drawn
    assert (np.abs(depth - mesh_depth) < 1e-5).mean() > 0.999
    # Where two faces meet either may be seen.
    assert (np.abs(images - mesh_images) <= 1).mean() > 0.997
    assert len(np.unique(images)) > 50
