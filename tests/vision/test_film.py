"""Colours against Python's `colorsys`, and what episodes draw."""

import colorsys
from dataclasses import replace

import numpy as np
import pytest

from dexgrasp_envs.sensor_config import COLOURS, ColourConfig
from dexgrasp_envs.vision.film import Film, colour_maps
from dexgrasp_envs.vision.film_kernels import develop_frames

N = 200
ROWS = np.arange(N)
ZERO = np.zeros(N, np.int64)


def film(config: ColourConfig, episode: np.ndarray = ZERO) -> Film:
    made = Film.of(config, N)
    made.start(ROWS, ZERO, ROWS, episode)
    return made


def developed(config: ColourConfig, images: np.ndarray, eye: int = 0, step: int = 0) -> np.ndarray:
    out = images.copy()
    develop_frames(np.arange(len(out)), *film(config).at(ZERO + step).arrays(eye), out)
    return out


def reference(colour: np.ndarray, saturation: float, hue: float, contrast: float, brightness: float) -> np.ndarray:
    """The steps one by one; colours whose values leave 0..1 in between are cut off here only."""
    y, i, q = colorsys.rgb_to_yiq(*colour)
    turned = complex(i, q) * saturation * np.exp(2j * np.pi * hue)
    between = np.array(colorsys.yiq_to_rgb(y, turned.real, turned.imag))
    return ((between - 0.5) * contrast + 0.5) * brightness


def test_colours_are_those_of_the_steps_one_by_one() -> None:
    generator = np.random.default_rng(0)
    for _ in range(50):
        colour = generator.uniform(0.4, 0.6, 3)
        steps = generator.uniform([0.5, -0.15, 0.5, 0.5], [1.5, 0.15, 1.5, 1.5])
        (mapped,) = colour_maps(*steps[:, None])
        found = mapped @ [*(255.0 * colour), 1.0]
        np.testing.assert_allclose(found, 255.0 * reference(colour, *steps), atol=0.01)


def test_grey_has_no_hue_and_no_saturation() -> None:
    (mapped,) = colour_maps(np.array([1.5]), np.array([0.15]), np.ones(1), np.ones(1))
    np.testing.assert_allclose(mapped @ [90.0, 90.0, 90.0, 1.0], 90.0, atol=1e-3)


def test_images_are_mapped_rounded_and_cut_off() -> None:
    config = ColourConfig(saturation=(0.5, 1.5), hue=0.15, contrast=(0.5, 1.5), brightness=(0.5, 1.5))
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 16, 24), np.uint8)
    maps = film(config).maps[:4].astype(float)
    exact = np.einsum("nij,njvu->nivu", maps[:, :, :3], images) + maps[:, :, 3, None, None]
    assert np.abs(developed(config, images) - np.clip(exact, 0, 255)).max() <= 0.51


def test_episodes_draw_within_the_ranges_and_reach_their_ends() -> None:
    config = ColourConfig(exposure=(0.7, 1.4), brightness=(0.5, 1.5))
    drawn = film(config)
    for values, (low, high) in ((drawn.exposure, config.exposure), (drawn.maps[:, :, :3].sum(2), config.brightness)):
        assert low <= values.min() + 1e-6 < low + 0.05 and high - 0.05 < values.max() <= high + 1e-6


def test_episodes_differ_and_repeat() -> None:
    config = COLOURS["random"]
    first, second = film(config), film(config, ZERO + 1)
    assert (first.maps != second.maps).any((1, 2)).all() and (first.keys != second.keys).any(1).all()
    np.testing.assert_array_equal(film(config).maps, first.maps)


@pytest.mark.parametrize(
    ("config", "develops"),
    [
        (ColourConfig(), False),
        (ColourConfig(textures=1.0, exposure=(0.5, 2.0), blur_length=9), False),
        (ColourConfig(hue=0.1), True),
        (ColourConfig(blur=0.1), True),
        (ColourConfig(noise_sigma=1.0), True),
    ],
)
def test_nothing_is_developed_where_nothing_would_change(config: ColourConfig, develops: bool) -> None:
    assert film(config).develops is develops


def test_grain_has_its_sigma_and_is_another_one_in_each_image_colour_and_step() -> None:
    config = ColourConfig(noise_sigma=5.0)
    images = np.full((4, 3, 60, 80), 128, np.uint8)
    seen = [developed(config, images, eye, step) for eye, step in ((0, 0), (1, 0), (0, 1))]
    grains = [image[0, c].astype(float) - 128 for image in seen for c in range(3)] + [seen[0][1, 0] - 128.0]
    for grain in grains:
        assert grain.std() == pytest.approx(np.sqrt(25 + 1 / 12), rel=0.05) and abs(grain.mean()) < 0.4
    correlation = np.corrcoef([grain.ravel() for grain in grains])
    assert np.abs(correlation - np.eye(len(grains))).max() < 0.06


def test_blur_is_the_mean_of_a_short_line_and_the_same_in_both_images() -> None:
    config = ColourConfig(blur=1.0, blur_length=7)
    points = np.zeros((40, 3, 21, 21), np.uint8)
    points[:, :, 10, 10] = 210
    left, right = (developed(config, points, eye) for eye in (0, 1))
    np.testing.assert_array_equal(left, right)
    lengths = (left[:, 0] > 0).sum((1, 2))
    assert set(lengths) == set(range(2, 8))
    for image, length in zip(left[:, 0], lengths, strict=True):
        lit = np.argwhere(image > 0)
        assert (image[image > 0] == int(210 / length + 0.5)).all() and np.abs(lit - 10).max() <= 3
    assert len({image.tobytes() for image in left}) > 20


def test_blur_repeats_the_border_outside() -> None:
    flat = np.full((10, 3, 12, 16), 77, np.uint8)
    np.testing.assert_array_equal(developed(ColourConfig(blur=1.0), flat), flat)


def test_the_share_of_blurred_images_is_drawn_for_each_step() -> None:
    config = replace(ColourConfig(), blur=0.1)
    points = np.zeros((N, 3, 11, 11), np.uint8)
    points[:, :, 5, 5] = 200
    blurred = np.stack([(developed(config, points, step=step)[:, 0, 5, 5] < 200) for step in range(5)])
    assert 0.06 < blurred.mean() < 0.14 and blurred.any(0).mean() > 0.3
