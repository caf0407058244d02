"""Where cameras are and which rays their pixels have."""

import numpy as np
import pytest

from dexgrasp_envs.config import CAMERAS, CameraConfig, ObservationConfig
from dexgrasp_envs.vision.camera import Intrinsics, describe, look_at, mounted_poses


def project(camera: CameraConfig, point: tuple[float, float, float], size: tuple[int, int]) -> np.ndarray:
    """Pixel coordinates (u, v) of a point in the frame of the mount."""
    about = describe(ObservationConfig(image_size=size, camera=camera), 0.25)
    x, y, z = np.asarray(about["rotation"]).T @ (np.asarray(point) - about["position"])
    return np.array([about["fx"] * x / z + about["cx"], about["fy"] * y / z + about["cy"]])


@pytest.mark.parametrize("name", CAMERAS)
def test_a_camera_has_an_orthonormal_right_handed_frame_that_looks_at_its_target(name: str) -> None:
    camera = CAMERAS[name]
    rotation = look_at(camera)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    np.testing.assert_allclose(project(camera, camera.target, (48, 64)), (32, 24), atol=1e-9)


def test_up_is_up_and_right_is_right() -> None:
    camera = CameraConfig(position=(1.0, 0.0, 0.5), target=(0.0, 0.0, 0.5))
    center = project(camera, (0.0, 0.0, 0.5), (48, 64))
    assert project(camera, (0.0, 0.0, 0.6), (48, 64))[1] < center[1]
    # Facing the robot, its left is on the right.
    assert project(camera, (0.0, 0.1, 0.5), (48, 64))[0] > center[0]


def test_the_field_of_view_spans_the_height_of_the_image() -> None:
    camera = CameraConfig(position=(1.0, 0.0, 0.0), target=(0.0, 0.0, 0.0), fovy=90.0)
    np.testing.assert_allclose(project(camera, (0.0, 0.0, 1.0), (48, 64)), (32, 0), atol=1e-9)
    np.testing.assert_allclose(project(camera, (0.0, 0.0, -1.0), (48, 64)), (32, 48), atol=1e-9)


def test_rays_go_through_the_centres_of_pixels() -> None:
    lens = Intrinsics(4, 2, 2.0)
    x, y, focal = lens.rays()
    np.testing.assert_allclose(x, [-0.75, -0.25, 0.25, 0.75])
    np.testing.assert_allclose(y, [-0.25, 0.25])
    assert focal == 2.0


def test_jitter_stays_within_its_bounds_and_repeats() -> None:
    camera = CameraConfig(position_jitter=0.03, rotation_jitter=3.0)
    n = 500
    rows, zero = np.arange(n), np.zeros(n, np.int64)
    position, rotation = mounted_poses(camera, zero, rows, zero)
    again = mounted_poses(camera, zero, rows, zero)
    np.testing.assert_array_equal(position, again[0])
    offset = position - np.float32(camera.position)
    assert np.abs(offset).max() <= 0.03 + 1e-6 and offset.std(0) == pytest.approx(0.03 / 3**0.5, rel=0.1)
    turned = np.einsum("ij,nik->njk", look_at(camera), rotation)
    angle = np.degrees(np.arccos(np.clip((np.trace(turned, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    assert angle.max() <= 3 * 3**0.5 + 0.01 and angle.mean() > 1.5
    np.testing.assert_allclose(np.einsum("nij,nik->njk", rotation, rotation), np.tile(np.eye(3), (n, 1, 1)), atol=1e-5)


def test_without_jitter_all_cameras_are_at_the_nominal_pose() -> None:
    rows = np.arange(3)
    position, rotation = mounted_poses(CameraConfig(), rows, rows, rows)
    np.testing.assert_array_equal(position, np.tile(np.float32(CameraConfig().position), (3, 1)))
    np.testing.assert_allclose(rotation, np.tile(look_at(CameraConfig()), (3, 1, 1)), atol=1e-6)


def test_more_jitter_adds_to_that_of_the_camera_row_by_row() -> None:
    rows, zero = np.arange(3), np.zeros(3, np.int64)
    wide, _ = mounted_poses(CameraConfig(position_jitter=0.03, rotation_jitter=3.0), zero, rows, zero)
    share = np.array([0.0, 0.5, 1.0])
    place, rotation = mounted_poses(CameraConfig(), zero, rows, zero, (0.03 * share, 3.0 * share))
    _, turned = mounted_poses(CameraConfig(rotation_jitter=3.0), zero, rows, zero)
    nominal = np.float32(CameraConfig().position)
    np.testing.assert_allclose(place - nominal, (wide - nominal) * share[:, None], atol=1e-6)
    np.testing.assert_array_equal(rotation[2], turned[2])
    np.testing.assert_allclose(rotation[0], look_at(CameraConfig()), atol=1e-6)
