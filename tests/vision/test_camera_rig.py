"""Depth images and pairs as an environment gives them."""

import dataclasses

import numpy as np
import pytest
import torch

from dexgrasp_envs.config import CAMERAS, LIGHTS, CameraConfig, ObservationConfig, StereoConfig
from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.objects import GraspObject, ObjectSet
from dexgrasp_envs.scene.bodies import Geom, Shape
from dexgrasp_envs.sensor_config import COLOURS, DEPTH_NOISES, ColourConfig
from dexgrasp_envs.types import SimState
from dexgrasp_envs.vision.camera import Intrinsics
from dexgrasp_envs.vision.camera_rig import CameraRig
from tests.helpers import OBJECTS, ROBOT, default_scene, make_sim, random_sim_state, start_state

N = 4
ROWS = torch.arange(N)
ZERO = torch.zeros(N, dtype=torch.int64)
OBJECT_INDEX = torch.arange(N)


PAIR = ("left", "right")
BOTH = pytest.mark.parametrize("groups", [("depth",), PAIR], ids=["depth", "pair"])


def sensor(threads: int = 1, objects: ObjectSet = OBJECTS, **changes: object) -> CameraRig:
    config = dataclasses.replace(ObservationConfig(("depth",), image_size=(48, 64)), **changes)  # type: ignore[arg-type]
    made = CameraRig(default_scene(), ROBOT, objects, config, N, threads)
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


def images_of(
    eye: CameraRig,
    state: SimState,
    rows: torch.Tensor = ROWS,
    index: torch.Tensor = OBJECT_INDEX,
    steps: torch.Tensor = ZERO,
) -> np.ndarray:
    """All images of each row, one after the other in their channels."""
    return np.concatenate([images.numpy() for images in eye.look(rows, state, index, steps).values()], 1)


def look(eye: CameraRig, state: SimState, step: int = 0) -> np.ndarray:
    return images_of(eye, state, steps=torch.full((N,), step))


@BOTH
def test_moving_one_object_changes_exactly_its_frame(state: SimState, groups: tuple[str, ...]) -> None:
    eye = sensor(groups=groups)
    before, after = look(eye, state), look(eye, moved(state, 2))
    assert [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [False, False, True, False]


@pytest.mark.parametrize("depth_format", ["uint16", "uint8", "float32"])
def test_formats_agree_within_half_a_unit(state: SimState, depth_format: str) -> None:
    exact = look(sensor(depth_format="float32"), state)
    eye = sensor(depth_format=depth_format)
    images = look(eye, state)
    scale = {"uint16": 1e-4, "uint8": CameraConfig().far / 255, "float32": 1.0}[depth_format]
    assert images.dtype == depth_format and eye.spaces["depth"].contains(images[0])
    assert np.abs(images * scale - exact).max() <= scale / 2 + 1e-6
    np.testing.assert_array_equal(images == 0, exact == 0)


@BOTH
def test_an_image_is_kept_until_the_period_is_over(state: SimState, groups: tuple[str, ...]) -> None:
    eye = sensor(groups=groups, image_period=3)
    first = look(eye, state, step=0)
    for step in (1, 2):
        np.testing.assert_array_equal(look(eye, moved(state, 1), step), first)
    assert not np.array_equal(look(eye, moved(state, 1), step=3), first)


@BOTH
def test_a_new_episode_is_seen_at_once_in_spite_of_the_period(state: SimState, groups: tuple[str, ...]) -> None:
    eye = sensor(groups=groups, image_period=3)
    first = look(eye, state)
    steps = torch.tensor([1, 0, 1, 1])
    images = images_of(eye, moved(moved(state, 1), 2), steps=steps)
    changed = [not np.array_equal(a, b) for a, b in zip(first, images, strict=True)]
    assert changed == [False, True, False, False]


@BOTH
def test_images_that_are_shown_again_are_part_of_the_state(state: SimState, groups: tuple[str, ...]) -> None:
    eye, other = sensor(groups=groups, image_period=3), sensor(groups=groups, image_period=3)
    first = look(eye, state)
    other.set_state(eye.get_state())
    np.testing.assert_array_equal(look(other, moved(state, 0), step=1), first)
    assert sensor(groups=groups).get_state() == {}


@BOTH
def test_some_rows_are_the_same_rows_of_all(state: SimState, groups: tuple[str, ...]) -> None:
    eye = sensor(groups=groups)
    rows = torch.tensor([1, 3])
    np.testing.assert_array_equal(images_of(eye, state, rows), look(eye, state)[[1, 3]])


@BOTH
def test_the_number_of_threads_does_not_change_a_bit(state: SimState, groups: tuple[str, ...]) -> None:
    jitter = CameraConfig(position_jitter=0.03, rotation_jitter=3.0)
    one, three = (
        look(sensor(threads, groups=groups, camera=jitter, depth_format="float32"), state) for threads in (1, 3)
    )
    assert one.tobytes() == three.tobytes()


@BOTH
@pytest.mark.parametrize("period", [1, 3])
@pytest.mark.parametrize("diverged", [[], [1], [0, 1, 2, 3]])
def test_images_are_written_where_they_are_wanted(
    state: SimState, groups: tuple[str, ...], period: int, diverged: list[int]
) -> None:
    now = state.rows(ROWS)
    now.diverged[diverged] = True
    one, other = (sensor(groups=groups, image_period=period) for _ in range(2))
    places = {name: np.full((N, *box.shape), 77, box.dtype) for name, box in one.spaces.items()}
    into = one.fitting({**places, "proprio": np.zeros(3)})
    for step in (0, 1, 3):
        steps = torch.full((N,), step)
        fresh = other.look(ROWS, now, OBJECT_INDEX, steps)
        for name, images in one.look(ROWS, now, OBJECT_INDEX, steps, into).items():
            assert images.data_ptr() == places[name].ctypes.data
            assert torch.equal(images, fresh[name]), name


@pytest.mark.parametrize("wrong", ["shape", "dtype", "order", "read-only"])
def test_images_are_not_written_where_they_do_not_fit(wrong: str) -> None:
    shape, dtype, order = (N, 1, 48, 64), np.uint16, "C"
    if wrong == "shape":
        shape = (N - 1, 1, 48, 64)
    elif wrong == "dtype":
        dtype = np.int16
    elif wrong == "order":
        order = "F"
    array = np.zeros(shape, dtype, order)  # type: ignore[call-overload]
    array.flags.writeable = wrong != "read-only"
    with pytest.raises(ConfigError, match=r"depth is written into a contiguous array of uint16 \[4, 1, 48, 64\]"):
        sensor().fitting({"depth": array})


@BOTH
def test_a_diverged_row_sees_nothing(state: SimState, groups: tuple[str, ...]) -> None:
    broken = state.rows(ROWS)
    broken.diverged[1] = True
    broken.body_rot[1] = 0.0
    images = look(sensor(groups=groups), broken)
    assert not images[1].any() and images[[0, 2, 3]].any()


@BOTH
def test_jitter_moves_the_camera_of_each_environment_and_episode(state: SimState, groups: tuple[str, ...]) -> None:
    same_scene = state.rows(torch.zeros(N, dtype=torch.int64))
    index = torch.zeros(N, dtype=torch.int64)
    eye = sensor(groups=groups, camera=CameraConfig(position_jitter=0.03, rotation_jitter=3.0))
    images = images_of(eye, same_scene, index=index)
    assert len({image.tobytes() for image in images}) == N
    eye.start(torch.tensor([1]), torch.tensor([0]), torch.tensor([1]), torch.tensor([1]))
    again = images_of(eye, same_scene, index=index)
    assert [not np.array_equal(a, b) for a, b in zip(images, again, strict=True)] == [False, True, False, False]
    still = images_of(sensor(groups=groups), same_scene, index=index)
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


def alone(state: SimState, position: tuple[float, float, float]) -> SimState:
    """The state with the robot out of sight and all objects upright at one place."""
    copy = state.rows(ROWS)
    copy.body_pos[:, :-1] = -50.0
    copy.body_pos[:, -1] = torch.tensor(position)
    copy.body_rot[:] = torch.eye(3)
    return copy


def test_a_point_lies_on_one_row_of_both_images_and_its_disparity_is_focal_times_baseline_over_depth() -> None:
    """A textured face across the optical axis, at a depth where that is 8 pixels: a tenth of one would be seen."""
    camera = CameraConfig(position=(0.0, 0.0, 5.0), target=(1.0, 0.0, 5.0), fovy=20.0)
    face = 0.9
    size = (96, 128)
    focal = Intrinsics.of(ObservationConfig(image_size=size, camera=camera)).focal
    box = GraspObject("box", (Geom(Shape.BOX, (0.1, 0.1, 0.1), rgba=(0.9, 0.6, 0.5, 1.0)),))
    stereo = StereoConfig(baseline=8 * face / focal)
    eye = sensor(1, ObjectSet("one", (box,)), groups=("depth", *PAIR), image_size=size, camera=camera, stereo=stereo)
    state = alone(random_sim_state(N, 0), (1.0, 0.0, 5.0))
    images = {name: values[0].numpy().astype(int) for name, values in eye.look(ROWS, state, ZERO, ZERO).items()}
    seen = np.abs(images["depth"][0] * 1e-4 - face) < 1e-3
    v, u = np.nonzero(seen)
    assert len(v) > 2000
    left, right = images["left"][:, v, u], images["right"][:, v, u - 8]
    assert (np.abs(left - right) <= 1).mean() > 0.99
    # So it is for no other disparity, nor for another row.
    for row, column in ((0, -7), (0, -9), (1, -8), (-1, -8)):
        assert (np.abs(left - images["right"][:, v + row, u + column]) <= 1).mean() < 0.6


def test_the_depth_beside_a_pair_is_the_depth_alone(state: SimState) -> None:
    beside = sensor(groups=("depth", *PAIR)).look(ROWS, state, OBJECT_INDEX, ZERO)
    assert beside["depth"].numpy().tobytes() == look(sensor(), state).tobytes()
    assert beside["left"].numpy().tobytes() != beside["right"].numpy().tobytes()


@pytest.mark.parametrize("group", PAIR)
def test_one_image_of_a_pair_is_that_of_the_pair(state: SimState, group: str) -> None:
    pair = sensor(groups=PAIR).look(ROWS, state, OBJECT_INDEX, ZERO)
    np.testing.assert_array_equal(look(sensor(groups=(group,)), state), pair[group].numpy())


def test_a_random_light_differs_by_environment_and_episode_and_leaves_depth_alone(state: SimState) -> None:
    same_scene, index = state.rows(torch.zeros(N, dtype=torch.int64)), torch.zeros(N, dtype=torch.int64)
    eye = sensor(groups=("depth", *PAIR), stereo=StereoConfig(light=LIGHTS["random"]))
    images = eye.look(ROWS, same_scene, index, ZERO)
    assert len({image.numpy().tobytes() for image in images["left"]}) == N
    assert len({image.numpy().tobytes() for image in images["depth"]}) == 1
    eye.start(torch.tensor([1]), torch.tensor([0]), torch.tensor([1]), torch.tensor([1]))
    again = eye.look(ROWS, same_scene, index, ZERO)
    changed = [not torch.equal(a, b) for a, b in zip(images["right"], again["right"], strict=True)]
    assert changed == [False, True, False, False]


EVERYTHING = {
    "groups": ("depth", *PAIR),
    "depth_noise": DEPTH_NOISES["paper"],
    "stereo": StereoConfig(light=LIGHTS["random"], colour=dataclasses.replace(COLOURS["random"], blur=0.5)),
}
"""All that is random in images."""


def seen(eye: CameraRig, state: SimState, rows: torch.Tensor = ROWS, step: int = 5) -> dict[str, np.ndarray]:
    return {name: image.numpy() for name, image in eye.look(rows, state, OBJECT_INDEX, ZERO + step).items()}


def test_noise_and_colours_are_the_same_bits_however_rows_and_threads_share_them(state: SimState) -> None:
    whole, threaded = (seen(sensor(threads, **EVERYTHING), state) for threads in (1, 3))
    parts = [seen(sensor(**EVERYTHING), state, torch.tensor(rows)) for rows in ([1, 3], [0], [2])]
    for name, images in whole.items():
        np.testing.assert_array_equal(threaded[name], images)
        for part, rows in zip(parts, ([1, 3], [0], [2]), strict=True):
            np.testing.assert_array_equal(part[name], images[rows])


def test_noise_and_colours_follow_the_counters_alone(state: SimState) -> None:
    eye, other = sensor(**EVERYTHING), sensor(**EVERYTHING)
    first = seen(eye, state)
    seen(other, state, step=9)
    other.start(ROWS, ZERO, ROWS, ZERO + 1)
    other.start(ROWS, ZERO, ROWS, ZERO)
    for name, images in seen(other, state).items():
        np.testing.assert_array_equal(images, first[name])
        assert (seen(eye, state, step=6)[name] != images).any((1, 2, 3)).all()


@pytest.mark.parametrize("depth_format", ["uint16", "uint8"])
def test_noisy_depth_is_that_of_metres_rounded_to_the_format(state: SimState, depth_format: str) -> None:
    exact, images = (
        seen(sensor(depth_noise=DEPTH_NOISES["paper"], depth_format=name), state)["depth"]
        for name in ("float32", depth_format)
    )
    scale = {"uint16": 1e-4, "uint8": CameraConfig().far / 255}[depth_format]
    assert np.abs(images * scale - exact).max() <= scale / 2 + 1e-6
    np.testing.assert_array_equal(images == 0, exact == 0)
    assert exact[exact > 0].min() >= CameraConfig().near and exact.max() <= CameraConfig().far


def test_noise_leaves_the_pair_alone_and_colours_leave_depth_alone(state: SimState) -> None:
    plain = seen(sensor(groups=("depth", *PAIR)), state)
    noisy = seen(sensor(groups=("depth", *PAIR), depth_noise=DEPTH_NOISES["paper"]), state)
    coloured = seen(sensor(groups=("depth", *PAIR), stereo=EVERYTHING["stereo"]), state)  # type: ignore[arg-type]
    for other, same in ((noisy, PAIR), (coloured, ("depth",))):
        for name, images in plain.items():
            assert np.array_equal(images, other[name]) is (name in same)


def test_a_pair_with_random_textures_and_colours_is_still_rectified() -> None:
    """As above, for a face of each environment's own texture; both eyes have the same, or they would not match."""
    camera = CameraConfig(position=(0.0, 0.0, 5.0), target=(1.0, 0.0, 5.0), fovy=20.0)
    face, size = 0.9, (96, 128)
    focal = Intrinsics.of(ObservationConfig(image_size=size, camera=camera)).focal
    box = GraspObject("box", (Geom(Shape.BOX, (0.1, 0.1, 0.1)),))
    colour = ColourConfig(1.0, (0.7, 1.4), (0.5, 1.5), 0.15, (0.8, 1.2), (0.7, 1.2))
    stereo = StereoConfig(8 * face / focal, LIGHTS["random"], colour)
    eye = sensor(1, ObjectSet("one", (box,)), groups=("depth", *PAIR), image_size=size, camera=camera, stereo=stereo)
    state = alone(random_sim_state(N, 0), (1.0, 0.0, 5.0))
    images = {name: values.numpy().astype(int) for name, values in eye.look(ROWS, state, ZERO, ZERO).items()}
    v, u = np.nonzero(np.abs(images["depth"][0, 0] * 1e-4 - face) < 1e-3)
    left = images["left"][:, :, v, u]
    apart = {shift: np.abs(left - images["right"][:, :, v, u - shift]).mean((1, 2)) for shift in (7, 8, 9)}
    assert (apart[8] < 1).all()
    assert sum(apart[shift].mean() for shift in (7, 9)) / 2 > 3 * apart[8].mean()
    assert len({tuple(row) for row in left.mean(2)}) == N
