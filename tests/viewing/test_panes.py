import numpy as np

from dexgrasp_envs.viewing.panes import beside_panes, colour_depth, enlarged, panes, tiled

PICTURE = np.full((48, 60, 3), 7, np.uint8)
DEPTH = np.full((1, 6, 8), 500, np.uint16)
DEPTH[0, :, :4] = 0
DEPTH[0, 0, 7] = 900
LEFT, RIGHT = (np.full((3, 12, 16), value, np.uint8) for value in (50, 200))


def test_without_images_the_picture_stays_as_it_is():
    np.testing.assert_array_equal(beside_panes(PICTURE, {"proprio": np.zeros(3)}), PICTURE)


def test_depth_stands_at_the_right_in_colours_and_what_is_invalid_is_black():
    image = beside_panes(PICTURE, {"depth": DEPTH})
    assert image.shape == (48, 60 + 64, 3) and image.dtype == np.uint8
    np.testing.assert_array_equal(image[:, :60], PICTURE)
    assert not image[:, 60:92].any() and image[:, 92:].any(axis=2).all()
    assert (image[0, -1] != image[-1, -1]).any()


def test_an_image_without_any_valid_pixel_is_black():
    assert not colour_depth(np.zeros((6, 8), np.uint16)).any()


def test_metres_and_units_have_the_same_colours():
    np.testing.assert_array_equal(colour_depth(DEPTH[0]), colour_depth(DEPTH[0].astype(np.float32) * 1e-4))


def test_stereo_images_stand_above_each_other():
    image = beside_panes(PICTURE, {"left": LEFT, "right": RIGHT})
    assert image.shape == (48, 60 + 32, 3)
    assert (image[:24, 60:] == 50).all() and (image[24:, 60:] == 200).all()


def test_depth_beside_stereo_takes_a_column_of_its_own():
    image = beside_panes(PICTURE, {"left": LEFT, "right": RIGHT, "depth": DEPTH})
    assert image.shape == (48, 60 + 32 + 32, 3)
    np.testing.assert_array_equal(image[:24, 92:], enlarged(colour_depth(DEPTH[0]), 24))
    assert not image[24:, 92:].any()


def test_colours_of_stereo_images_are_not_mixed_up():
    left = np.zeros((3, 4, 4), np.uint8)
    left[0] = 255
    assert panes({"left": left})["left"][0, 0].tolist() == [255, 0, 0]


def test_tiles_fill_a_square_row_by_row_and_the_rest_is_black():
    image = tiled([np.full((2, 3, 3), value, np.uint8) for value in (1, 2, 3)])
    assert image.shape == (4, 6, 3)
    assert (image[:2, :3] == 1).all() and (image[:2, 3:] == 2).all() and (image[2:, :3] == 3).all()
    assert not image[2:, 3:].any()
