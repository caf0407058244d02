"""Synergies from grasps."""

import ast

import numpy as np

from baselines.synergies import COMPONENTS, MARGIN, comparison, derive, explained, source
from dexgrasp_envs.config import SYNERGIES
from dexgrasp_envs.robots.kuka_allegro import kuka_allegro

GENERATOR = np.random.default_rng(0)
TRUE = np.linalg.qr(GENERATOR.normal(size=(16, COMPONENTS)))[0].T
SCORES = GENERATOR.uniform(-1, 1, (200, COMPONENTS)) * [2.0, 1.0, 0.6, 0.4, 0.3]
OFFSETS = SCORES @ TRUE


def test_offsets_in_five_directions_are_explained_wholly() -> None:
    np.testing.assert_allclose(explained(derive(OFFSETS), OFFSETS), 1.0)
    assert explained(derive(OFFSETS)[:1], OFFSETS) < 0.99


def test_what_lies_across_a_basis_is_not_explained() -> None:
    across = np.linalg.svd(TRUE)[2][COMPONENTS:]
    np.testing.assert_allclose(explained(across, OFFSETS), 0.0, atol=1e-12)


def test_an_activation_of_one_reaches_beyond_nearly_all_grasps() -> None:
    basis = derive(OFFSETS)
    activation = OFFSETS @ np.linalg.pinv(basis)
    np.testing.assert_allclose(np.quantile(np.abs(activation), 0.95, axis=0), 1 / MARGIN)


def test_directions_point_towards_positive_angles() -> None:
    assert (derive(OFFSETS).sum(1) >= 0).all()


def test_the_comparison_is_made_on_grasps_that_were_not_derived_from() -> None:
    offsets = OFFSETS.copy()
    offsets[1::2] = np.linalg.svd(TRUE)[2][COMPONENTS] * GENERATOR.normal(size=(100, 1))
    assert comparison(offsets)[1].startswith("0.0% of the held-out half")


def test_the_source_holds_the_basis() -> None:
    tree = ast.parse(source(derive(OFFSETS), "How."))
    (assigned,) = (node for node in tree.body if isinstance(node, ast.Assign))
    np.testing.assert_allclose(ast.literal_eval(assigned.value), derive(OFFSETS), atol=6e-3)


def test_the_shipped_bases_have_five_rows_of_sixteen_joints_and_differ() -> None:
    bases = [np.array(kuka_allegro(name).synergies) for name in SYNERGIES]
    assert [basis.shape for basis in bases] == [(5, 16), (5, 16)]
    assert [np.linalg.matrix_rank(basis) for basis in bases] == [5, 5]
    assert not np.array_equal(*bases)
    assert kuka_allegro("hand") == kuka_allegro()
