import numpy as np

from dexgrasp_envs.objects import ObjectSet
from dexgrasp_envs.viewing.contact_sheet import contact_sheet, pictures
from tests.helpers import OBJECTS

SMALL, LARGE = (OBJECTS.objects[OBJECTS.index(name)] for name in ("cuboid_small_5cm", "cuboid_large_12cm"))


def red(picture: np.ndarray) -> np.ndarray:
    """Where a picture shows a red cuboid."""
    return picture[..., 0] > picture[..., 2] * 1.5


def test_all_objects_are_drawn_at_one_scale_and_whole() -> None:
    small, large = (red(picture) for picture in pictures(ObjectSet("two", (SMALL, LARGE)), 48))
    assert 30 < small.sum() < 0.4 * large.sum()
    assert not any(edge.any() for edge in (large[0], large[-1], large[:, 0], large[:, -1]))


def test_a_sheet_names_every_object() -> None:
    figure = contact_sheet(ObjectSet("two", (SMALL, LARGE)), 48)
    assert [text.get_text() for text in figure.texts] == [SMALL.name, LARGE.name]
