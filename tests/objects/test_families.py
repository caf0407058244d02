"""The procedural sets: counts, sizes, and that they are the same everywhere."""

import hashlib

import numpy as np
import pytest

from dexgrasp_envs import objects
from dexgrasp_envs.objects import GraspObject, held_out, households
from dexgrasp_envs.objects.families import Draws, build
from dexgrasp_envs.objects.solids import bounds, union_bounds
from dexgrasp_envs.scene.bodies import CollisionGroup
from tests.helpers import OBJECTS

TRAIN, TEST = objects.load("train"), objects.load("test")
EVERY = {obj.name: obj for obj in (*TRAIN.objects, *TEST.objects)}


def test_the_training_set_holds_the_12_primitives_and_140_shapes_of_ten_families() -> None:
    assert len(TRAIN) == len(set(TRAIN.names)) == 152
    assert TRAIN.objects[:12] == OBJECTS.objects
    families = {name.rsplit("_", 1)[0] for name in TRAIN.names[12:]}
    assert families == set(households.FAMILIES) and len(families) == 10


def test_the_held_out_set_holds_40_shapes_of_families_that_are_not_trained_on() -> None:
    assert len(TEST) == len(set(TEST.names)) == 40
    assert not {name.rsplit("_", 1)[0] for name in TEST.names} & set(households.FAMILIES)


def test_objects_are_3_to_20_cm_long_and_can_be_spanned_by_a_hand() -> None:
    for name, obj in EVERY.items():
        size = 2 * np.array(obj.half_extents)
        assert 0.03 <= size.max() <= 0.20, name
        assert size.min() <= 0.10, name
        assert 0.01 < obj.inertial.mass < 0.8, name
        assert {geom.collision for geom in obj.geoms} == {CollisionGroup.OBJECT}, name
        assert all(min(geom.size) >= 0.002 for geom in obj.geoms), name


def test_the_centre_of_mass_of_upright_objects_is_above_their_base() -> None:
    for obj in EVERY.values():
        above_base(obj)


def above_base(obj: GraspObject) -> None:
    support = objects.Support((obj,))
    x, y, z = obj.inertial.pos
    assert abs(z) < obj.half_extents[2]
    # Of what touches the table: the geoms that reach down to it.
    bottom = -obj.half_extents[2]
    feet = [geom for geom in obj.geoms if abs(bounds(geom)[0][2] - bottom) < 1e-6]
    assert feet and support(np.array([0]), np.array([[0.0, 0.0, -1.0]]))[0] == pytest.approx(-bottom)
    low, high = union_bounds(feet)
    assert low[0] < x < high[0] and low[1] < y < high[1]


def test_shapes_of_a_family_differ() -> None:
    for chosen in (TRAIN, TEST):
        assert len({(obj.half_extents, obj.inertial.mass) for obj in chosen.objects}) == len(chosen)


@pytest.mark.parametrize(
    ("name", "digest"),
    [("train", "e5b4c1ac881f15f4"), ("test", "6dd342f45005f62b")],
)
def test_a_set_is_what_it_was(name: str, digest: str) -> None:
    """Results name a set; if it must change, say so in the change log and bring this up to date."""
    assert hashlib.sha256(repr(objects.load(name)).encode()).hexdigest()[:16] == digest


def test_objects_do_not_depend_on_how_many_there_are() -> None:
    few = list(build(held_out.FAMILIES, 2, held_out.SEED))
    assert {obj.name: obj for obj in few} == {obj.name: EVERY[obj.name] for obj in few}


def test_draws_are_within_their_bounds_and_differ_between_families_and_objects() -> None:
    draws = [Draws(1, family, index)(0.02, 0.05) for family in range(5) for index in range(5)]
    assert len(set(draws)) > 20 and 0.02 <= min(draws) <= max(draws) <= 0.05
