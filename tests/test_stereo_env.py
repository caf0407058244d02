"""The pairs of the environments: what is not the same as for depth images, for which see `test_depth_env`."""

import dataclasses
import json
import warnings

import gymnasium
import numpy as np
import pytest
import stable_baselines3.common.env_checker as sb3_checker
from gymnasium.utils.env_checker import check_env

from dexgrasp_envs.config import CAMERAS
from dexgrasp_envs.registration import STEREO_ID
from tests.vector_envs import Make, actions

SMALL = (24, 32)


@pytest.mark.parametrize("size", [(48, 64), (120, 160), (240, 320)], ids=str)
def test_images_have_three_channels_of_8_bits_in_the_size_that_was_asked_for(make: Make, size: tuple[int, int]) -> None:
    envs = make(STEREO_ID, num_envs=1, image_size=size)
    for obs in (envs.reset(seed=0)[0], envs.step(actions(0, 1))[0]):
        assert obs in envs.observation_space
        for name in ("left", "right"):
            assert envs.single_observation_space[name] == gymnasium.spaces.Box(0, 255, (3, *size), np.uint8)
            assert obs[name].std() > 20


@pytest.mark.parametrize("checker", ["gymnasium", "stable_baselines3"])
def test_a_checker_has_nothing_to_say(checker: str) -> None:
    env = gymnasium.make(STEREO_ID, image_size=(48, 64)).unwrapped
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if checker == "gymnasium":
            check_env(env, skip_render_check=True)
        else:
            sb3_checker.check_env(env)
    env.close()
    assert [str(warning.message) for warning in caught] == []


@pytest.mark.parametrize("name", CAMERAS)
def test_the_right_image_is_the_left_one_of_a_camera_where_the_metadata_say_that_it_is(make: Make, name: str) -> None:
    camera = CAMERAS[name]
    envs = make(STEREO_ID, num_envs=1, image_size=(48, 64), camera=camera)
    about = envs.metadata["camera"]
    assert json.loads(json.dumps(about)) == about and about["baseline"] == 0.055
    offset = np.subtract(about["right_position"], about["position"])
    np.testing.assert_allclose(offset @ about["rotation"], (0.055, 0, 0), atol=1e-12)
    beside = dataclasses.replace(
        camera, position=tuple(about["right_position"]), target=tuple(np.add(camera.target, offset).tolist())
    )
    there = make(STEREO_ID, num_envs=1, image_size=(48, 64), camera=beside)
    right, left = envs.reset(seed=0)[0]["right"].astype(int), there.reset(seed=0)[0]["left"].astype(int)
    assert (np.abs(right - left) <= 1).mean() > 0.99


def test_a_random_light_changes_the_pair_and_nothing_else(make: Make) -> None:
    groups = ("depth", "state")
    fixed, drawn = (make(STEREO_ID, image_size=SMALL, groups=groups, light=light) for light in ("fixed", "random"))
    first, second = fixed.reset(seed=0)[0], drawn.reset(seed=0)[0]
    for name in first:
        assert np.array_equal(first[name], second[name]) is (name not in ("left", "right")), name


def test_a_light_stays_for_an_episode(make: Make) -> None:
    """Seen in the sky, at the upper right corner."""
    envs = make(STEREO_ID, image_size=SMALL, light="random")
    before = envs.reset(seed=0)[0]["left"][..., 0, -1]
    np.testing.assert_array_equal(envs.step(actions(0))[0]["left"][..., 0, -1], before)
    assert (envs.reset()[0]["left"][..., 0, -1] != before).any(1).all()
