"""How well the robot's primitive shapes stand in for the real meshes, as the default camera sees them.

Both are drawn by MuJoCo's OpenGL renderer in the same postures: silhouettes are compared by intersection over union,
depth where both are seen. The meshes are not part of this project; name a folder that holds a KUKA iiwa 7 + Allegro
URDF with the link and joint names of `dexgrasp_envs.robots.kuka_allegro_links` and its collision meshes.
"""

import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt
import trimesh

from dexgrasp_envs.config import CameraConfig
from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.robots.kuka_allegro import kuka_allegro
from dexgrasp_envs.scene.bodies import Body
from dexgrasp_envs.scene.scene import ViewCamera
from dexgrasp_envs.sim.mujoco.compile import GEOM_TYPES
from dexgrasp_envs.sim.mujoco.offscreen import free_camera

SIZE = (240, 320)
"""(height, width) of the images."""
NOTHING = 5.0
"""Depth beyond which nothing was hit, m."""
_TIPS = {"index": "tip", "middle": "tip", "ring": "tip", "thumb": "thumb_tip"}


def robot_fit(data: Path, postures: int, seed: int) -> dict[str, Any]:
    """Silhouette IoU and depth error over random postures, and the number of primitives.

    Raises:
        ConfigError: `data` holds no such URDF or lacks a mesh that it names.
    """
    camera = CameraConfig()
    with tempfile.TemporaryDirectory() as folder:
        meshes = _model_of_meshes(data, Path(folder))
    shapes = _model_of_shapes()
    chosen = _postures(meshes, postures, seed)
    real, ours = _depths(meshes, chosen, camera), _depths(shapes, chosen, camera)
    seen_real, seen_ours = real < NOTHING, ours < NOTHING
    both = seen_real & seen_ours
    overlap = both.sum((1, 2)) / (seen_real | seen_ours).sum((1, 2))
    error = 1000 * np.abs(real - ours)[both]
    return {
        "postures": postures,
        "seed": seed,
        "primitives": sum(len(body.geoms) for body in kuka_allegro().bodies),
        "silhouette_iou_mean": float(overlap.mean()),
        "silhouette_iou_worst": float(overlap.min()),
        "depth_error_mm_median": float(np.median(error)),
        "depth_error_mm_p90": float(np.percentile(error, 90)),
    }


def _depths(model: mujoco.MjModel, postures: npt.NDArray[np.float64], camera: CameraConfig) -> npt.NDArray[np.float32]:
    """Depth images [n, H, W], m."""
    model.vis.global_.fovy = camera.fovy
    data, eye = mujoco.MjData(model), free_camera(ViewCamera(camera.position, camera.target, camera.fovy))
    images = []
    with mujoco.Renderer(model, *SIZE) as renderer:
        renderer.enable_depth_rendering()
        for posture in postures:
            data.qpos[:] = posture
            mujoco.mj_forward(model, data)
            renderer.update_scene(data, eye)
            images.append(renderer.render().copy())
    return np.stack(images)


def _postures(model: mujoco.MjModel, count: int, seed: int) -> npt.NDArray[np.float64]:
    """Random joint angles [count, J] with the hand where objects are grasped and carried, which the camera looks at."""
    generator = np.random.default_rng(seed)
    low, high = model.jnt_range.T
    data, palm = mujoco.MjData(model), model.body("palm_link").id
    chosen: list[npt.NDArray[np.float64]] = []
    while len(chosen) < count:
        posture = low + (high - low) * generator.uniform(0.1, 0.9, model.nq)
        data.qpos[:] = posture
        mujoco.mj_kinematics(model, data)
        x, y, z = data.xpos[palm]
        if abs(x - 0.5) < 0.25 and abs(y) < 0.25 and 0.3 < z < 0.8:
            chosen.append(posture)
    return np.stack(chosen)


def _model_of_shapes() -> mujoco.MjModel:
    """Our robot, geoms only."""
    spec, bodies = _skeleton(kuka_allegro().bodies)
    for body in kuka_allegro().bodies:
        for geom in body.geoms:
            bodies[body.name].add_geom(
                type=GEOM_TYPES[geom.shape], size=(*geom.size, 0.0, 0.0)[:3], pos=geom.pos, quat=geom.quat
            )
    return spec.compile()


def _model_of_meshes(data: Path, folder: Path) -> mujoco.MjModel:
    """The same bodies and joints with the real meshes, which MuJoCo reads through `folder`."""
    spec, bodies = _skeleton(kuka_allegro().bodies)
    known: set[str] = set()
    for link, path, pos in _meshes(data):
        if path.stem not in known:
            known.add(path.stem)
            trimesh.load(path, force="mesh").export(folder / f"{path.stem}.obj")
            mesh = spec.add_mesh(name=path.stem, file=str(folder / f"{path.stem}.obj"))
            mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
        bodies[link].add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=path.stem, pos=pos)
    return spec.compile()


def _skeleton(robot: tuple[Body, ...]) -> tuple[mujoco.MjSpec, dict[str | None, Any]]:
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.visual.global_.offheight, spec.visual.global_.offwidth = SIZE
    bodies: dict[str | None, Any] = {None: spec.worldbody}
    for body in robot:
        added = bodies[body.parent].add_body(name=body.name, pos=body.pos, quat=body.quat)
        bodies[body.name] = added
        added.explicitinertial, added.mass, added.inertia = True, 1.0, (0.01, 0.01, 0.01)
        if body.joint is not None:
            added.add_joint(
                name=body.joint.name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=body.joint.axis, range=body.joint.limits
            )
    return spec, bodies


def _meshes(data: Path) -> list[tuple[str, Path, list[float]]]:
    """(link, file, offset) of every collision mesh, finger tips included."""
    links = {body.name for body in kuka_allegro().bodies}
    trees = [ElementTree.parse(path).getroot() for path in sorted(data.glob("*.urdf"))]
    whole = [tree for tree in trees if links <= {link.get("name") for link in tree.findall("link")}]
    if not whole:
        raise ConfigError(f"no URDF in {data} has all links of the robot: {', '.join(sorted(links))}")
    result = []
    # With the touch sensors at the finger tips, where there are two.
    for link in whole[-1].findall("link"):
        for collision in link.findall("collision"):
            if link.get("name") in links:
                name = str(collision.find("geometry/mesh").get("filename"))  # type: ignore[union-attr]
                origin = collision.find("origin")
                xyz = None if origin is None else origin.get("xyz")
                offset = [float(x) for x in (xyz or "0 0 0").split()]
                result.append((str(link.get("name")), _mesh_file(data, name), offset))
    for finger, tip in _TIPS.items():
        path = data / "meshes" / "touchsensor" / "collision" / f"touch_sensor_{tip}.obj"
        if path.exists():
            result.append((f"{finger}_link_3", path, [0.0, 0.0, 0.0]))
    return result


def _mesh_file(data: Path, name: str) -> Path:
    stem = (data / "meshes" / name.split("meshes/", 1)[-1]).with_suffix("")
    for suffix in (".stl", ".STL", ".obj", ".dae"):
        if stem.with_suffix(suffix).exists():
            return stem.with_suffix(suffix)
    raise ConfigError(f"the URDF names the mesh {name}, which is not in {data / 'meshes'}; complete the folder")
