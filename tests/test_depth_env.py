"""The depth images of the environments: what they show, when they are taken, and what the metadata say of them."""

import dataclasses
import json
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import stable_baselines3.common.env_checker as sb3_checker
import torch
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from dexgrasp_envs import objects
from dexgrasp_envs.config import CAMERAS, CameraConfig, EnvConfig, ObservationConfig
from dexgrasp_envs.registration import DEPTH_ID, STATE_ID, STEREO_ID
from dexgrasp_envs.vector_env import DexGraspVectorEnv
from tests.vector_envs import EYES, LIMIT, OBJECT_POSE, ROWS, Make, actions, place, same, set_steps

SMALL = (24, 32)
ALL, SECOND = np.ones(ROWS, bool), np.arange(ROWS) == 1
FAR_AWAY = (0.0, 5.0, 5.0)
"""Out of sight of all cameras."""


ANY = pytest.mark.parametrize(("env_id", "group"), [(DEPTH_ID, "depth"), (STEREO_ID, "left"), (STEREO_ID, "right")])
PAIR = pytest.mark.parametrize("env_id", [DEPTH_ID, STEREO_ID])


def every_third() -> EnvConfig:
    """Images at every third step, by a camera that jitters."""
    return EYES.replace(observation=dataclasses.replace(EYES.observation, image_period=3))


def move_object(envs: DexGraspVectorEnv, row: int, position: tuple[float, float, float]) -> None:
    """Put the object of a row there, upright."""
    state = envs.get_state()
    state["sim.state"][row, OBJECT_POSE] = (*position, 1.0, 0.0, 0.0, 0.0)
    envs.set_state(state)


def look_again(envs: DexGraspVectorEnv) -> np.ndarray:
    """Images of all rows as they are now, by a reset of the last row only."""
    obs, _ = envs.reset(options={"reset_mask": np.arange(envs.num_envs) == envs.num_envs - 1, "episode": 7})
    return obs["depth"]


def changed(first: Any, second: Any) -> list[bool]:
    """Which rows differ."""
    return [not np.array_equal(a, b) for a, b in zip(first, second, strict=True)]


@pytest.mark.parametrize("size", [(48, 64), (60, 80), (120, 160), (240, 320)], ids=str)
@pytest.mark.parametrize(
    ("depth_format", "high"), [("uint16", 20_000), ("uint8", 255), ("float32", 2.0)], ids=["uint16", "uint8", "float32"]
)
def test_images_have_the_format_and_size_that_were_asked_for(
    make: Make, size: tuple[int, int], depth_format: str, high: float
) -> None:
    envs = make(DEPTH_ID, num_envs=1, image_size=size, depth_format=depth_format)
    assert envs.single_observation_space["depth"] == gymnasium.spaces.Box(0, high, (1, *size), np.dtype(depth_format))
    for obs in (envs.reset(seed=0)[0], envs.step(actions(0, 1))[0]):
        assert obs in envs.observation_space
        assert (obs["depth"].shape, obs["depth"].dtype) == ((1, 1, *size), np.dtype(depth_format))
        # From the table's near edge to its far one.
        seen = obs["depth"][obs["depth"] > 0] * envs.metadata["camera"]["depth_scale"]
        assert 0.2 < seen.min() < 0.8 < seen.max() <= 2.0


def test_the_default_is_16_bits_in_120_rows_of_160_pixels(make: Make) -> None:
    box = make(DEPTH_ID).single_observation_space["depth"]
    assert (box.dtype, box.shape) == (np.uint16, (1, 120, 160))


@pytest.mark.parametrize(
    ("env_id", "options", "groups"),
    [
        (DEPTH_ID, {}, {"proprio", "depth"}),
        (DEPTH_ID, {"groups": ("state",)}, {"proprio", "depth", "state"}),
        (DEPTH_ID, {"groups": ["depth", "state"], "privileged": True}, {"proprio", "depth", "state", "privileged"}),
        (STATE_ID, {}, {"proprio", "state"}),
        (STATE_ID, {"groups": ("depth",)}, {"proprio", "depth", "state"}),
        (STEREO_ID, {}, {"proprio", "left", "right"}),
        (STEREO_ID, {"groups": ("state", "depth")}, {"proprio", "state", "depth", "left", "right"}),
    ],
)
def test_groups_are_those_of_the_id_and_those_asked_for(
    make: Make, env_id: str, options: dict[str, Any], groups: set[str]
) -> None:
    envs = make(env_id, image_size=SMALL, **options)
    obs, _ = envs.reset(seed=0)
    assert set(obs) == set(envs.single_observation_space.spaces) == groups
    assert ("camera" in envs.metadata) is bool({"depth", "left"} & groups)
    assert ("baseline" in envs.metadata.get("camera", {})) is ("left" in groups)


def test_other_groups_do_not_change_the_images(make: Make) -> None:
    alone, more = make(DEPTH_ID, config=EYES), make(DEPTH_ID, config=EYES, groups=("state",), privileged=True)
    first, second = alone.reset(seed=2)[0], more.reset(seed=2)[0]
    for step in range(3):
        assert all(first[name].tobytes() == second[name].tobytes() for name in ("proprio", "depth"))
        first, second = alone.step(actions(step))[0], more.step(actions(step))[0]


def test_torch_output_holds_the_same_images(make: Make) -> None:
    ours, twin = make(DEPTH_ID, image_size=SMALL, output="torch"), make(DEPTH_ID, image_size=SMALL)
    depth = ours.reset(seed=0)[0]["depth"]
    assert isinstance(depth, torch.Tensor) and depth.dtype == torch.uint16
    np.testing.assert_array_equal(depth.numpy(), twin.reset(seed=0)[0]["depth"])


def warnings_of(checker: Callable[[Any], None], depth_format: str) -> list[str]:
    env = gymnasium.make(DEPTH_ID, image_size=(48, 64), depth_format=depth_format)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        checker(env.unwrapped)
    env.close()
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("depth_format", ["uint16", "uint8", "float32"])
def test_gymnasiums_checker_has_nothing_to_say(depth_format: str) -> None:
    assert warnings_of(lambda env: check_env(env, skip_render_check=True), depth_format) == []


def test_stable_baselines3_checker_has_nothing_to_say_about_8_bits() -> None:
    assert warnings_of(sb3_checker.check_env, "uint8") == []


@pytest.mark.parametrize("depth_format", ["uint16", "float32"])
def test_stable_baselines3_checker_only_says_that_images_have_more_than_8_bits(depth_format: str) -> None:
    assert warnings_of(sb3_checker.check_env, depth_format) == [
        f"It seems that your observation depth is an image but its `dtype` is ({depth_format}) whereas it has to be "
        "`np.uint8`. If your observation is not an image, we recommend you to flatten the observation to have only a "
        "1D vector",
        "It seems that your observation space depth is an image but the upper and lower bounds are not in [0, 255]. "
        "Because the CNN policy normalize automatically the observation you may encounter issue if the values are not "
        "in that range.",
    ]


@pytest.mark.filterwarnings("error")
def test_gymnasiums_passive_checker_has_nothing_to_say() -> None:
    env = gymnasium.make(DEPTH_ID, image_size=SMALL)
    env.reset(seed=0)
    for _ in range(3):
        env.step(env.action_space.sample())
    env.close()


@PAIR
def test_make_gives_row_0_of_make_vec(make: Make, env_id: str) -> None:
    env, envs = gymnasium.make(env_id, config=EYES), make(env_id, config=EYES)
    one, many = env.reset(seed=11)[0], envs.reset(seed=11)[0]
    for step in range(5):
        assert one.keys() == many.keys()
        assert all(one[name].tobytes() == many[name][0].tobytes() for name in one)
        one, many = env.step(actions(step)[0])[0], envs.step(actions(step))[0]
    assert env.unwrapped.metadata["camera"] == envs.metadata["camera"]
    env.close()


@pytest.mark.parametrize("name", CAMERAS)
def test_the_description_of_the_camera_is_plain_data(make: Make, name: str) -> None:
    envs = make(DEPTH_ID, num_envs=1, image_size=(48, 64), camera=name)
    about = envs.metadata["camera"]
    assert json.loads(json.dumps(about)) == about
    expected = {"width": 64, "height": 48, "mount": CAMERAS[name].mount, "near": CAMERAS[name].near}
    assert {key: about[key] for key in expected} == expected


def test_each_environment_has_a_description_of_its_own(make: Make) -> None:
    first, second = make(DEPTH_ID, image_size=(48, 64)), make(DEPTH_ID, image_size=(60, 80))
    assert first.metadata["camera"]["height"] == 48 and second.metadata["camera"]["height"] == 60
    assert "camera" not in make().metadata and "camera" not in DexGraspVectorEnv.metadata


def point_cloud(about: dict[str, Any], image: np.ndarray) -> np.ndarray:
    """World points [H, W, 3] of an image [H, W], from nothing but the metadata."""
    v, u = np.mgrid[: about["height"], : about["width"]]
    z = image * about["depth_scale"]
    x, y = (u + 0.5 - about["cx"]) / about["fx"] * z, (v + 0.5 - about["cy"]) / about["fy"] * z
    return np.stack([x, y, z], -1) @ np.asarray(about["rotation"]).T + about["position"]


@pytest.mark.parametrize("camera", ["right", "front", "paper"])
def test_objects_are_seen_where_they_are(make: Make, camera: str) -> None:
    """By the intrinsics and the pose in the metadata, at the object's position as the group `state` gives it."""
    envs = make(DEPTH_ID, groups=("state",), camera=camera, num_envs=2)
    for name in ("cuboid_small_5cm", "cuboid_large_12cm", "cylinder_large_8cm"):
        assert_seen_where_it_is(envs, name)


def assert_seen_where_it_is(envs: DexGraspVectorEnv, name: str) -> None:
    """Put the object on the table, apart from the hand, and compare its image with its pose and size."""
    half = np.array(objects.load("primitives12").objects[envs.object_names.index(name)].half_extents)
    envs.reset(seed=0, options={"object": name})
    move_object(envs, 0, FAR_AWAY)
    without = look_again(envs)[0, 0]
    move_object(envs, 0, (0.62, -0.16, 0.25 + half[2]))
    obs, _ = envs.reset(options={"reset_mask": np.array([False, True])})
    image, about = obs["depth"][0, 0], envs.metadata["camera"]

    start, stop = envs.metadata["fields"]["state"]["object_from_goal"]
    center = obs["state"][0, start:stop] + envs.config.episode.goal
    x, y, z = np.asarray(about["rotation"]).T @ (center - about["position"])
    u, v = int(about["fx"] * x / z + about["cx"]), int(about["fy"] * y / z + about["cy"])
    visible = image != without
    assert visible[v, u]
    depth = image[v, u] * about["depth_scale"]
    assert half.min() < z - depth < np.linalg.norm(half)

    points = point_cloud(about, image)[visible] - center
    assert len(points) > 20
    outside = np.abs(points) - half
    assert outside.max() < 5e-4
    if name.startswith("cuboid"):
        assert np.abs(outside.max(1)).max() < 5e-4


def test_the_table_is_seen_where_it_is(make: Make) -> None:
    envs = make(DEPTH_ID, num_envs=1)
    about = envs.metadata["camera"]
    heights = point_cloud(about, envs.reset(seed=0)[0]["depth"][0, 0])[..., 2]
    assert (np.abs(heights - about["table_height"]) < 5e-4).mean() > 0.3


def test_named_cameras_see_different_images(make: Make) -> None:
    images = [make(DEPTH_ID, image_size=SMALL, camera=name).reset(seed=0)[0]["depth"].tobytes() for name in CAMERAS]
    assert len(set(images)) == len(CAMERAS)


def test_fields_name_what_the_groups_hold(make: Make) -> None:
    envs = make(DEPTH_ID, image_size=SMALL, groups=("state",), privileged=True)
    fields = envs.metadata["fields"]
    assert json.loads(json.dumps(fields)) == fields
    assert set(fields) == {"proprio", "state", "privileged"}
    for group, slices in fields.items():
        ends = [0, *(stop for _, stop in slices.values())]
        assert [start for start, _ in slices.values()] == ends[:-1]
        assert ends[-1] == envs.single_observation_space[group].shape[0]


def test_fields_hold_what_their_names_say(make: Make) -> None:
    envs = make(DEPTH_ID, image_size=SMALL, groups=("state",), privileged=True)
    envs.reset(seed=0, options={"object": [0, 5, 9]})
    obs, *_ = envs.step(2 * actions(0))

    def field(group: str, name: str) -> np.ndarray:
        return obs[group][:, slice(*envs.metadata["fields"][group][name])]

    np.testing.assert_array_equal(field("proprio", "last_action"), np.clip(2 * actions(0), -1, 1))
    goal = field("proprio", "palm_pos") + field("proprio", "goal_from_palm")
    np.testing.assert_allclose(goal, np.tile(envs.config.episode.goal, (ROWS, 1)), atol=1e-6)
    shapes = objects.load("primitives12").objects
    for group in ("state", "privileged"):
        np.testing.assert_allclose(field(group, "object_half_extents"), [shapes[i].half_extents for i in (0, 5, 9)])
    np.testing.assert_allclose(field("privileged", "episode_progress"), 1 / LIMIT)


@ANY
def test_moving_one_object_changes_its_image_and_no_other(make: Make, env_id: str, group: str) -> None:
    envs, twin = make(env_id, image_size=SMALL), make(env_id, image_size=SMALL)
    for env in (envs, twin):
        env.reset(seed=0)
    move_object(envs, 1, FAR_AWAY)
    seen = [env.step(actions(0))[0][group] for env in (envs, twin)]
    assert changed(*seen) == [False, True, False]


def test_a_reset_shows_all_rows_as_they_are_now(make: Make) -> None:
    envs = make(DEPTH_ID, image_size=SMALL)
    before = envs.reset(seed=0)[0]["depth"]
    move_object(envs, 0, FAR_AWAY)
    assert changed(before, look_again(envs)) == [True, False, True]


@pytest.mark.parametrize("jitter", [False, True])
def test_a_camera_stays_for_an_episode_and_jitters_between_them(make: Make, jitter: bool) -> None:
    """Seen in what does not move, at the right edge of the image: the table and the floor behind it."""
    camera = EYES.observation.camera if jitter else CameraConfig()
    observation = ObservationConfig(image_size=SMALL, camera=camera)
    envs = make(DEPTH_ID, config=EnvConfig(observation=observation))

    def background(obs: Any) -> np.ndarray:
        return obs["depth"][:, 0, :, -2:]

    first = background(envs.reset(seed=0)[0])
    for step in range(2):
        obs, *_ = envs.step(0 * actions(step))
    assert changed(first, background(obs)) == [False] * ROWS
    assert changed(first, background(envs.reset()[0])) == [jitter] * ROWS
    assert changed(first[:1].repeat(ROWS, 0), first) == [False, jitter, jitter]


@ANY
def test_the_last_image_of_an_episode_is_in_final_obs_and_the_first_of_the_next_in_obs(
    make: Make, env_id: str, group: str
) -> None:
    ours = make(env_id, config=EYES)
    twin = make(env_id, config=EYES, autoreset_mode=AutoresetMode.DISABLED)
    for envs in (ours, twin):
        envs.reset(seed=0)
        # An even number of steps, at which an image is due.
        set_steps(envs, [0, LIMIT - 1, 0])
    obs, _, _, truncated, infos = ours.step(actions(0))
    np.testing.assert_array_equal(truncated, SECOND)
    last = twin.step(actions(0))[0][group]
    following = twin.reset(options={"reset_mask": truncated})[0][group]
    np.testing.assert_array_equal(infos["final_obs"][1][group], last[1])
    np.testing.assert_array_equal(ours.final_rows.obs[group], last[1:2])
    np.testing.assert_array_equal(obs[group], following)
    assert changed(last, following) == SECOND.tolist()


@ANY
def test_between_the_images_of_a_period_the_last_is_shown_again(make: Make, env_id: str, group: str) -> None:
    envs, always = (
        make(env_id, config=every_third()),
        make(env_id, config=EYES.replace(observation=dataclasses.replace(EYES.observation, image_period=1))),
    )
    shown, now = envs.reset(seed=0)[0][group], always.reset(seed=0)[0][group]
    np.testing.assert_array_equal(shown, now)
    for step in range(1, 8):
        before = shown
        shown, now = envs.step(actions(step))[0][group], always.step(actions(step))[0][group]
        assert changed(before, now) == [True] * ROWS
        np.testing.assert_array_equal(shown, now if step % 3 == 0 else before)


@ANY
def test_a_reset_takes_an_image_at_once_in_spite_of_the_period(make: Make, env_id: str, group: str) -> None:
    envs, twin = make(env_id, config=every_third()), make(env_id, config=every_third())
    kept = envs.reset(seed=0)[0][group]
    envs.step(actions(0))
    shown = envs.reset(options={"reset_mask": SECOND})[0][group]
    fresh = twin.reset(seed=0, options={"episode": 1})[0][group]
    np.testing.assert_array_equal(shown, np.where(SECOND[:, None, None, None], fresh, kept))
    # From here the row counts by itself: its next image is taken in three steps, that of the others in two.
    steps = [envs.step(actions(step))[0][group] for step in (1, 2, 3)]
    assert changed(shown, steps[0]) == [False, False, False]
    assert changed(steps[0], steps[1]) == [True, False, True]
    assert changed(steps[1], steps[2]) == [False, True, False]


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP], ids=lambda mode: mode.name)
def test_an_autoreset_takes_an_image_at_once_in_spite_of_the_period(make: Make, mode: AutoresetMode) -> None:
    envs, twin = make(DEPTH_ID, config=every_third(), autoreset_mode=mode), make(DEPTH_ID, config=every_third())
    kept = envs.reset(seed=0)[0]["depth"]
    set_steps(envs, [0, LIMIT - 1, 0])
    shown = envs.step(actions(0))[0]["depth"]
    if mode is AutoresetMode.NEXT_STEP:
        shown = envs.step(actions(1))[0]["depth"]
    fresh = twin.reset(seed=0, options={"episode": 1})[0]["depth"]
    np.testing.assert_array_equal(shown, np.where(SECOND[:, None, None, None], fresh, kept))


@pytest.mark.parametrize("before", [1, 3, 5])
def test_a_rollout_goes_on_from_a_state_with_the_same_images(make: Make, before: int) -> None:
    envs, other = make(DEPTH_ID, config=every_third()), make(DEPTH_ID, config=every_third())
    envs.reset(seed=0)
    set_steps(envs, [0, LIMIT - 6, 1])
    other.reset(seed=1)
    other.step(actions(9))
    for step in range(before):
        envs.step(actions(step))
    other.set_state(envs.get_state())
    for step in range(before, before + 5):
        assert same(envs.step(actions(step))[:-1], other.step(actions(step))[:-1])
    assert same(envs.reset(), other.reset())


@pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.name)
def test_a_row_that_diverged_sees_nothing(make: Make, mode: AutoresetMode) -> None:
    envs = make(DEPTH_ID, image_size=SMALL, autoreset_mode=mode)
    envs.reset(seed=0)
    place(envs, 1, 1e11)
    obs, *_, infos = envs.step(actions(0))
    if mode is AutoresetMode.SAME_STEP:
        assert not infos["final_obs"][1]["depth"].any()
        assert obs["depth"].any((1, 2, 3)).all()
    else:
        np.testing.assert_array_equal(obs["depth"].any((1, 2, 3)), ~SECOND)
