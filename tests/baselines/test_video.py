import numpy as np

from baselines.video import beside_depth

PICTURE = np.full((48, 60, 3), 7, np.uint8)


def test_without_depth_the_picture_stays_as_it_is():
    np.testing.assert_array_equal(beside_depth(PICTURE, {"proprio": np.zeros(3)}), PICTURE)


def test_depth_stands_at_the_right_in_colours_and_what_is_invalid_is_black():
    depth = np.full((1, 6, 8), 500, np.uint16)
    depth[0, :, :4] = 0
    depth[0, 0, 7] = 900
    image = beside_depth(PICTURE, {"depth": depth})
    assert image.shape == (48, 60 + 64, 3) and image.dtype == np.uint8
    np.testing.assert_array_equal(image[:, :60], PICTURE)
    assert not image[:, 60:92].any() and image[:, 92:].any(axis=2).all()
    assert (image[0, -1] != image[-1, -1]).any()


def test_an_image_without_any_valid_pixel_is_black():
    assert not beside_depth(PICTURE, {"depth": np.zeros((1, 6, 8), np.uint16)})[:, 60:].any()
