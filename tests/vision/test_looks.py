"""Light and tints: within their bounds, by episode, whatever the grouping."""

import dataclasses

import numpy as np

from dexgrasp_envs.config import LIGHTS, LightConfig
from dexgrasp_envs.vision.looks import draw_light, object_looks, scene_looks
from dexgrasp_envs.vision.texture_kernels import NOISE, PLAIN
from tests.helpers import OBJECTS, default_scene

RANDOM = LIGHTS["random"]
PARTS, N = 5, 400
ROWS, ZERO = np.arange(N), np.zeros(N, np.int64)


def draw(config: LightConfig, episode: np.ndarray = ZERO) -> tuple[np.ndarray, np.ndarray]:
    return draw_light(config, PARTS, ZERO, ROWS, episode)


def test_the_fixed_light_is_the_same_in_all_episodes_and_leaves_colours_alone() -> None:
    lights, tints = draw(LightConfig(), ROWS)
    assert len(np.unique(lights, axis=0)) == 1
    np.testing.assert_array_equal(tints[:, :-1], 1.0)


def test_a_random_light_stays_within_its_bounds() -> None:
    lights, tints = draw(RANDOM)
    np.testing.assert_allclose(np.linalg.norm(lights[:, :3], axis=1), 1.0, atol=1e-6)
    elevation = np.degrees(np.arcsin(lights[:, 2]))
    for values, (low, high) in (
        (elevation, RANDOM.elevation),
        (lights[:, 3], RANDOM.ambient),
        (lights[:, 4], RANDOM.intensity),
        (tints[:, :-1], (1 - RANDOM.tint, 1 + RANDOM.tint)),
    ):
        span = high - low
        assert low - 1e-3 <= values.min() < low + 0.1 * span and high - 0.1 * span < values.max() <= high + 1e-3


def test_each_episode_draws_anew_and_the_same_again() -> None:
    first, again, second = draw(RANDOM), draw(RANDOM), draw(RANDOM, ZERO + 1)
    for one, other, later in zip(first, again, second, strict=True):
        np.testing.assert_array_equal(one, other)
        assert (one != later).any(tuple(range(1, one.ndim))).all()


def test_grouping_does_not_change_a_bit() -> None:
    whole = draw(RANDOM)
    part = draw_light(RANDOM, PARTS, ZERO[:7], ROWS[5:12], ZERO[:7])
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_array_equal(one[5:12], other)


def test_a_bound_changes_only_what_it_bounds() -> None:
    lights, tints = draw(RANDOM)
    dimmer, same = draw(dataclasses.replace(RANDOM, intensity=(0.1, 0.2)))
    np.testing.assert_array_equal(np.delete(lights, 4, 1), np.delete(dimmer, 4, 1))
    np.testing.assert_array_equal(tints, same)
    assert (dimmer[:, 4] != lights[:, 4]).all()


def test_only_table_floor_and_object_have_textures() -> None:
    scene, objects = scene_looks(default_scene()), object_looks(OBJECTS)
    assert (scene.textures != PLAIN).sum() == 2 and (objects.textures == NOISE).all()
    assert not scene.casts[0] and scene.casts[1:].all()
