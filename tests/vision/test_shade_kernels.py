"""Colour against analytic cases: Lambert's law, shadows, and textures that go with their bodies."""

import numpy as np
import pytest

from dexgrasp_envs.config import CameraConfig, ObservationConfig
from dexgrasp_envs.objects import GraspObject, ObjectSet
from dexgrasp_envs.robots.rotations import rotation_from_quat
from dexgrasp_envs.scene.bodies import Geom, Quat, Shape
from dexgrasp_envs.scene.tabletop import TABLE_TOP
from dexgrasp_envs.vision.camera import Intrinsics, look_at
from dexgrasp_envs.vision.geom_table import part_names
from dexgrasp_envs.vision.ray_caster import RayCaster, Shot
from tests.helpers import ROBOT, default_scene

SIZE = (90, 100)
CAMERA = CameraConfig(position=(0.0, 0.0, 5.0), target=(1.0, 0.0, 5.0), fovy=20.0)
ABOVE_TABLE = CameraConfig(position=(0.6, -0.9, 0.9), target=(0.6, 0.0, 0.3), fovy=40.0)
COLOUR = (0.9, 0.5, 0.25, 1.0)
AMBIENT, INTENSITY = 0.2, 0.7
NAMES = part_names(default_scene())
OBJECT = NAMES.index("object")


class Picture:
    """One frame of a single object, the robot out of sight, with all that the caster tells of it."""

    def __init__(
        self,
        geom: Geom,
        position: tuple[float, float, float] = (1.0, 0.0, 5.0),
        quat: Quat = (1.0, 0.0, 0.0, 0.0),
        camera: CameraConfig = CAMERA,
        light: tuple[float, float, float] = (-0.6, -0.48, 0.64),
        ambient: float = AMBIENT,
        intensity: float = INTENSITY,
        tint: float = 1.0,
    ):
        bodies = len(ROBOT.bodies) + 1
        body_pos = np.full((1, bodies, 3), -50.0, np.float32)
        body_rot = np.tile(np.eye(3, dtype=np.float32), (1, bodies, 1, 1))
        body_pos[0, -1], body_rot[0, -1] = position, rotation_from_quat(quat).numpy()
        self.position, self.camera = np.array(position), camera
        self.lens = Intrinsics.of(ObservationConfig(image_size=SIZE, camera=camera))
        lights = np.array([[*light, ambient, intensity]], np.float32)
        tints = np.ones((1, len(NAMES) + 1, 3), np.float32)
        tints[0, OBJECT] = tint
        row, pose = np.zeros(1, np.int64), np.float32(camera.position)[None]
        rotation = look_at(camera).astype(np.float32)[None]
        shot = Shot(row, row, body_pos, body_rot, pose, rotation, self.lens, 0.02, 6.0, 1.0)
        image = np.empty((1, 3, *SIZE), np.uint8)
        depth, ids = np.empty((1, *SIZE), np.float32), np.empty((1, *SIZE), np.int16)
        caster = RayCaster(default_scene(), ObjectSet("one", (GraspObject("thing", (geom,)),)), 1)
        caster.shade(shot, lights, tints, image, depth, ids)
        self.image, self.depth, self.ids = image[0], depth[0], ids[0]
        self.cast_depth, self.cast_ids = np.empty_like(depth), np.empty_like(ids)
        caster.cast(shot, self.cast_depth, self.cast_ids)

    @property
    def linear(self) -> np.ndarray:
        """Light [3, H, W]."""
        return np.square(self.image / 255.0)

    @property
    def points(self) -> np.ndarray:
        """World points [H, W, 3]."""
        x, y, _ = self.lens.rays()
        rays = np.stack([*np.meshgrid(x, y), np.ones(SIZE)], -1).astype(np.float64)
        return rays * self.depth[..., None] @ look_at(self.camera).T + self.camera.position


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No textures."""
    monkeypatch.setattr("dexgrasp_envs.vision.looks._TEXTURES", {})


def assert_lit(picture: Picture, mask: np.ndarray, colour: tuple[float, ...], cosine: np.ndarray) -> None:
    """Lambert's law within one and a half of 255 steps."""
    expected = np.square(colour[:3])[:, None] * (AMBIENT + INTENSITY * np.maximum(cosine, 0.0))
    assert np.abs(picture.image[:, mask] - 255 * np.sqrt(np.minimum(expected, 1.0))).max() < 1.5


LIGHT = np.array([-0.6, -0.48, 0.64])


@pytest.mark.usefixtures("plain")
def test_a_sphere_is_lit_by_the_cosine_of_its_normal() -> None:
    picture = Picture(Geom(Shape.SPHERE, (0.12,), rgba=COLOUR))
    mask = picture.ids == OBJECT
    normal = (picture.points[mask] - picture.position) / 0.12
    assert mask.sum() > 1000 and (normal @ LIGHT < 0).any()
    assert_lit(picture, mask, COLOUR, normal @ LIGHT)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    ("shape", "size"),
    [(Shape.BOX, (0.09, 0.06, 0.1)), (Shape.CYLINDER, (0.07, 0.1)), (Shape.CAPSULE, (0.06, 0.07))],
)
@pytest.mark.parametrize("quat", [(0.8, 0.4, 0.2, 0.4), (0.2, 0.4, -0.8, 0.4)])
def test_other_shapes_are_lit_by_the_normals_that_their_depth_has(
    shape: Shape, size: tuple[float, ...], quat: Quat
) -> None:
    picture = Picture(Geom(shape, size, rgba=COLOUR), quat=quat)
    p = picture.points
    normal = np.cross(p[1:-1, 2:] - p[1:-1, :-2], p[2:, 1:-1] - p[:-2, 1:-1])
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    normal *= -np.sign(normal[..., :1]) / np.maximum(length, 1e-12)
    mask = picture.ids == OBJECT
    inside = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    expected = AMBIENT + INTENSITY * np.maximum(normal @ LIGHT, 0.0)
    error = np.abs(picture.linear[0, 1:-1, 1:-1] / COLOUR[0] ** 2 - expected)[inside]
    # Differences across an edge are no normals.
    assert inside.sum() > 1000 and (error < 0.03).mean() > 0.85


@pytest.mark.usefixtures("plain")
def test_a_sphere_casts_its_shadow_on_the_table() -> None:
    center, radius = np.array([0.6, 0.0, 0.45]), 0.06
    picture = Picture(Geom(Shape.SPHERE, (radius,)), tuple(center), camera=ABOVE_TABLE)
    table = (picture.ids == NAMES.index("table")) & (np.abs(picture.points[..., 2] - TABLE_TOP) < 1e-4)
    from_center = picture.points[table] - center
    distance = np.linalg.norm(np.cross(from_center, LIGHT), axis=1)
    clear = np.abs(distance - radius) > 5e-4
    shadowed = (distance < radius)[clear]
    assert 50 < shadowed.sum() < 0.3 * len(shadowed)
    mask = np.zeros(SIZE, bool)
    mask[table] = clear
    assert_lit(picture, mask, default_scene().fixtures[0].geoms[0].rgba, np.where(shadowed, 0.0, LIGHT[2]))


def test_a_texture_goes_with_its_body() -> None:
    """Half a turn of the body about the optical axis is half a turn of the image."""
    geom = Geom(Shape.BOX, (0.1, 0.11, 0.12), rgba=COLOUR)
    before = Picture(geom, ambient=1.0, intensity=0.0)
    after = Picture(geom, quat=(0.0, 1.0, 0.0, 0.0), ambient=1.0, intensity=0.0)
    face = before.image[:, before.ids == OBJECT]
    assert face.std() > 5
    differences = np.abs(after.image[:, ::-1, ::-1].astype(int) - before.image)
    assert (differences <= 1).mean() > 0.999
    assert not np.array_equal(before.image, after.image)


def test_depth_and_ids_are_those_of_the_pass_without_colour() -> None:
    picture = Picture(Geom(Shape.BOX, (0.05, 0.06, 0.07)), (0.6, 0.0, 0.4), (0.8, 0.4, 0.2, 0.4), ABOVE_TABLE)
    assert {OBJECT, NAMES.index("table"), NAMES.index("floor")} <= set(picture.ids.ravel().tolist())
    assert picture.depth.tobytes() == picture.cast_depth.tobytes()
    assert picture.ids.tobytes() == picture.cast_ids.tobytes()


@pytest.mark.usefixtures("plain")
def test_a_tint_multiplies_the_light_of_its_part_and_no_other() -> None:
    geom = Geom(Shape.BOX, (0.05, 0.06, 0.07), rgba=COLOUR)
    full, half = (Picture(geom, (0.6, 0.0, 0.4), camera=ABOVE_TABLE, tint=tint) for tint in (1.0, 0.5))
    mask = full.ids == OBJECT
    np.testing.assert_allclose(half.linear[:, mask], 0.5 * full.linear[:, mask], atol=0.006)
    np.testing.assert_array_equal(half.image[:, ~mask], full.image[:, ~mask])
