"""Depth images as an environment gives them."""

import dataclasses

import numpy as np
import pytest
import torch

from dexgrasp_envs.config import CAMERAS, CameraConfig, ObservationConfig
from dexgrasp_envs.types import SimState
from dexgrasp_envs.vision.depth_sensor import DepthSensor
from tests.helpers import OBJECTS, ROBOT, default_scene, make_sim, start_state

N = 4
ROWS = torch.arange(N)
ZERO = torch.zeros(N, dtype=torch.int64)
OBJECT_INDEX = torch.arange(N)


def sensor(threads: int = 1, **changes: object) -> DepthSensor:
    config = dataclasses.replace(ObservationConfig(image_size=(48, 64)), **changes)  # type: ignore[arg-type]
    made = DepthSensor(default_scene(), ROBOT, OBJECTS, config, N, threads)
    made.start(ROWS, ZERO, ROWS, ZERO)
    return made


@pytest.fixture(scope="module")
def state() -> SimState:
    sim = make_sim(N)
    x = np.linspace(0.5, 0.62, N)
    sim.reset(ROWS, start_state(OBJECT_INDEX.tolist(), np.stack([x, 0 * x, 0 * x + 0.32], 1)))
    return sim.state()


def moved(state: SimState, row: int) -> SimState:
    """The state with the object of one row elsewhere."""
    copy = state.rows(ROWS)
    copy.body_pos[row, -1] += torch.tensor([0.0, 0.1, 0.0])
    return copy


def look(eye: DepthSensor, state: SimState, step: int = 0) -> np.ndarray:
    return eye.look(ROWS, state, OBJECT_INDEX, torch.full((N,), step)).numpy()


def test_moving_one_object_changes_exactly_its_frame(state: SimState) -> None:
    eye = sensor()
    before, after = look(eye, state), look(eye, moved(state, 2))
    assert [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [False, False, True, False]


@pytest.mark.parametrize("depth_format", ["uint16", "uint8", "float32"])
def test_formats_agree_within_half_a_unit(state: SimState, depth_format: str) -> None:
    exact = look(sensor(depth_format="float32"), state)
    eye = sensor(depth_format=depth_format)
    images = look(eye, state)
    scale = {"uint16": 1e-4, "uint8": CameraConfig().far / 255, "float32": 1.0}[depth_format]
    assert images.dtype == depth_format and eye.space.contains(images[0])
    assert np.abs(images * scale - exact).max() <= scale / 2 + 1e-6
    np.testing.assert_array_equal(images == 0, exact == 0)


def test_an_image_is_kept_until_the_period_is_over(state: SimState) -> None:
    eye = sensor(image_period=3)
    first = look(eye, state, step=0)
    for step in (1, 2):
        np.testing.assert_array_equal(look(eye, moved(state, 1), step), first)
    assert not np.array_equal(look(eye, moved(state, 1), step=3), first)


def test_a_new_episode_is_seen_at_once_in_spite_of_the_period(state: SimState) -> None:
    eye = sensor(image_period=3)
    first = look(eye, state)
    steps = torch.tensor([1, 0, 1, 1])
    images = eye.look(ROWS, moved(moved(state, 1), 2), OBJECT_INDEX, steps).numpy()
    changed = [not np.array_equal(a, b) for a, b in zip(first, images, strict=True)]
    assert changed == [False, True, False, False]


def test_images_that_are_shown_again_are_part_of_the_state(state: SimState) -> None:
    eye, other = sensor(image_period=3), sensor(image_period=3)
    first = look(eye, state)
    other.set_state(eye.get_state())
    np.testing.assert_array_equal(look(other, moved(state, 0), step=1), first)
    assert sensor().get_state() == {}


def test_some_rows_are_the_same_rows_of_all(state: SimState) -> None:
    eye = sensor()
    rows = torch.tensor([1, 3])
    np.testing.assert_array_equal(eye.look(rows, state, OBJECT_INDEX, ZERO).numpy(), look(eye, state)[[1, 3]])


def test_the_number_of_threads_does_not_change_a_bit(state: SimState) -> None:
    jitter = CameraConfig(position_jitter=0.03, rotation_jitter=3.0)
    one, three = (look(sensor(threads, camera=jitter, depth_format="float32"), state) for threads in (1, 3))
    assert one.tobytes() == three.tobytes()


def test_a_diverged_row_sees_nothing(state: SimState) -> None:
    broken = state.rows(ROWS)
    broken.diverged[1] = True
    broken.body_rot[1] = 0.0
    images = look(sensor(), broken)
    assert not images[1].any() and images[[0, 2, 3]].any()


def test_jitter_moves_the_camera_of_each_environment_and_episode(state: SimState) -> None:
    same_scene = state.rows(torch.zeros(N, dtype=torch.int64))
    index = torch.zeros(N, dtype=torch.int64)
    eye = sensor(camera=CameraConfig(position_jitter=0.03, rotation_jitter=3.0))
    images = eye.look(ROWS, same_scene, index, ZERO).numpy()
    assert len({image.tobytes() for image in images}) == N
    eye.start(torch.tensor([1]), torch.tensor([0]), torch.tensor([1]), torch.tensor([1]))
    again = eye.look(ROWS, same_scene, index, ZERO).numpy()
    assert [not np.array_equal(a, b) for a, b in zip(images, again, strict=True)] == [False, True, False, False]
    still = sensor().look(ROWS, same_scene, index, ZERO).numpy()
    assert len({image.tobytes() for image in still}) == 1


def test_a_camera_on_the_palm_moves_with_it(state: SimState) -> None:
    eye = sensor(camera=CAMERAS["wrist"], depth_format="float32")
    far = state.rows(ROWS)
    # Everything but the table and the floor moves up by 5 cm: the hand looks the same from itself, the table does not.
    far.body_pos[..., 2] += 0.05
    before, after = look(eye, state), look(eye, far)
    nearby = (before > 0) & (before < 0.12)
    assert nearby.mean() > 0.05
    np.testing.assert_allclose(after[nearby], before[nearby], atol=1e-5)
    assert not np.allclose(after, before, atol=1e-3)
