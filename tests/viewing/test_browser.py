import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from dexgrasp_envs.viewing.browser import SPACING, BrowserView
from tests.helpers import OBJECTS, default_scene, random_sim_state

pytest.importorskip("viser")


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserView]:
    with BrowserView(default_scene(), OBJECTS, 2, port=0) as view:
        yield view


def _node(browser: BrowserView, name: str) -> Any:
    return browser._server.scene.get_handle_by_name(name)


def test_a_page_is_served_to_this_machine_only(browser: BrowserView) -> None:
    assert browser.url.startswith("http://127.0.0.1:") and browser._server.get_host() == "127.0.0.1"
    with urllib.request.urlopen(browser.url, timeout=30) as page:
        assert page.status == 200 and b"<html" in page.read()


def test_robot_and_object_stand_where_the_simulation_has_them(browser: BrowserView) -> None:
    sim = random_sim_state(2, seed=0)
    browser.show(sim, np.array([0, 1]), {}, "")
    for row in range(2):
        for index, name in ((-1, "object"), (default_scene_index("palm_link"), "palm_link")):
            node = _node(browser, f"/env{row}/{name}")
            np.testing.assert_allclose(node.position, sim.body_pos[row, index])
            w, x, y, z = node.wxyz
            # the third column of the rotation, from the quaternion
            axis = [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)]
            np.testing.assert_allclose(axis, sim.body_rot[row, index, :, 2], atol=1e-5)


def test_environments_stand_apart(browser: BrowserView) -> None:
    first, second = (_node(browser, f"/env{row}").position for row in range(2))
    assert np.linalg.norm(first - second) == pytest.approx(SPACING)


def test_the_object_changes_its_shape_with_the_episode(browser: BrowserView) -> None:
    sim = random_sim_state(2, seed=0)
    sizes = []
    for index in (0, len(OBJECTS) - 1):
        browser.show(sim, np.array([index, 0]), {}, "")
        sizes.append(np.abs(_node(browser, "/env0/object/0").vertices).max(0))
    np.testing.assert_allclose(sizes[0], OBJECTS.objects[0].half_extents, atol=1e-6)
    np.testing.assert_allclose(sizes[1], OBJECTS.objects[-1].half_extents, atol=1e-3)


def test_images_and_words_are_shown_and_renewed(browser: BrowserView) -> None:
    sim = random_sim_state(2, seed=0)
    for shade in (10, 20):
        browser.show(sim, np.array([0, 0]), {"depth": np.full((6, 8, 3), shade, np.uint8)}, f"shade {shade}")
    assert (browser._panes["depth"].image == 20).all() and browser._panes["depth"].image.shape == (240, 320, 3)
    assert browser._words.content == "shade 20"


def default_scene_index(name: str) -> int:
    return [body.name for body in default_scene().robot].index(name)
