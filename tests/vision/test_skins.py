import numpy as np

from dexgrasp_envs.vision.geom_table import part_names
from dexgrasp_envs.vision.skins import draw_skins, own_looks, surfaces
from tests.helpers import default_scene

N = 400
ROWS, ZERO = np.arange(N), np.zeros(N, np.int64)
NAMES = part_names(default_scene())
SURFACES = surfaces(default_scene())


def skins(share: float, episode: np.ndarray = ZERO) -> np.ndarray:
    return draw_skins(share, SURFACES, ZERO, ROWS, episode)


def test_there_are_four_surfaces_and_the_robot_is_one_of_them() -> None:
    named = {name: SURFACES[NAMES.index(name)] for name in ("palm_link", "index_link_3", "object", "table", "floor")}
    assert named == {"palm_link": 0, "index_link_3": 0, "object": 1, "table": 2, "floor": 3}


def test_parts_of_a_surface_look_alike_and_surfaces_differ() -> None:
    drawn = skins(1.0)
    assert drawn.shape == (N, len(NAMES), 8) == own_looks(N, len(NAMES)).shape
    robot = drawn[:, SURFACES == 0]
    assert (robot == robot[:, :1]).all()
    assert len({drawn[0, NAMES.index(name)].tobytes() for name in ("palm_link", "object", "table", "floor")}) == 4


def test_the_share_of_surfaces_has_a_texture_and_all_kinds_occur() -> None:
    kinds = skins(0.3)[:, [NAMES.index(name) for name in ("palm_link", "object", "table", "floor")], 0]
    assert np.abs((kinds >= 0).mean(0) - 0.3).max() < 0.1
    assert set(np.unique(kinds)) == {-1.0, 0.0, 1.0, 2.0}
    assert (skins(0.0)[..., 0] == -1).all() and (skins(1.0)[..., 0] >= 0).all()


def test_scale_and_colours_are_within_their_bounds() -> None:
    cells, colours = skins(1.0)[:, NAMES.index("object"), 1], skins(1.0)[..., 2:]
    assert 20 <= cells.min() < 22 and 160 < cells.max() <= 180
    assert 0 <= colours.min() < 0.01 and 0.98 < colours.max() <= 1


def test_episodes_differ() -> None:
    assert (skins(1.0) != skins(1.0, ZERO + 1)).any((1, 2)).all()
