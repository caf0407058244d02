"""The 12 primitives."""

import pytest

from dexgrasp_envs.scene.bodies import CollisionGroup, Shape
from tests.helpers import OBJECTS


def test_there_are_12_objects_with_different_names() -> None:
    assert len(OBJECTS) == len(set(OBJECTS.names)) == 12


@pytest.mark.parametrize(
    ("name", "shape", "half_extents"),
    [
        ("cuboid_small_5cm", Shape.BOX, (0.02, 0.02, 0.025)),
        ("cuboid_large_12cm", Shape.BOX, (0.0325, 0.0325, 0.06)),
        ("cylinder_small_8cm", Shape.CYLINDER, (0.02, 0.02, 0.04)),
        ("cylinder_large_5cm", Shape.CYLINDER, (0.0325, 0.0325, 0.025)),
    ],
)
def test_names_say_shape_and_size(name: str, shape: Shape, half_extents: tuple[float, float, float]) -> None:
    obj = OBJECTS.objects[OBJECTS.index(name)]
    assert obj.geoms[0].shape is shape
    assert obj.half_extents == pytest.approx(half_extents, rel=1e-12)


def test_half_are_cuboids_and_all_lengths_and_widths_occur() -> None:
    assert sum(obj.is_round for obj in OBJECTS.objects) == 6
    sizes = {(obj.is_round, *obj.half_extents) for obj in OBJECTS.objects}
    assert len(sizes) == 12
    assert {round(2 * hz, 6) for *_, hz in sizes} == {0.05, 0.08, 0.12}
    assert {round(2 * hx, 6) for _, hx, _, _ in sizes} == {0.04, 0.065}


def test_every_object_collides_as_an_object() -> None:
    assert {obj.geoms[0].collision for obj in OBJECTS.objects} == {CollisionGroup.OBJECT}
