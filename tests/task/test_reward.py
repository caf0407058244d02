"""The reward terms against a plain per-row reference, and what an untouched object earns."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dexgrasp_envs.config import EpisodeConfig, RewardConfig
from dexgrasp_envs.task.geometry import HandObjectGeometry
from dexgrasp_envs.task.outcome import outcome
from dexgrasp_envs.task.reward import REWARD_TERMS, reward_terms
from tests.helpers import ROBOT, random_sim_state

EPISODE, REWARD = EpisodeConfig(), RewardConfig()
NOMINAL = torch.tensor(ROBOT.hand_nominal)


def terms_for(
    object_pos: torch.Tensor, rest_height: torch.Tensor, contacts: torch.Tensor | None = None, seed: int = 0
) -> dict[str, torch.Tensor]:
    n = len(object_pos)
    sim = random_sim_state(n, seed)
    scene = dataclasses.replace(HandObjectGeometry(ROBOT, "cpu")(sim), object_pos=object_pos)
    contacts = torch.zeros(n, 4) if contacts is None else contacts
    now = outcome(scene, rest_height, EPISODE)
    return reward_terms(scene, now, rest_height, contacts, sim.joint_pos[:, 7:], NOMINAL, REWARD, EPISODE)


def reference(points: list, pos: list, rest: float, contacts: list, hand: list) -> dict[str, float]:
    goal = EPISODE.goal
    far = max(math.dist(point, pos) for point in points)
    thumb, finger = contacts[3] > 0, any(count > 0 for count in contacts[:3])
    distance, rest_distance = math.dist(pos, goal), math.dist((pos[0], pos[1], rest), goal)
    way = max(rest_distance, EPISODE.success_radius)
    return {
        "reach": 0.1 * math.exp(-6 * far),
        "contact": 0.1 * (0.5 * (thumb and finger) + 0.25 * thumb + 0.25 * finger),
        "goal": 0.1 * 5 * (math.exp(-6 * distance) - math.exp(-6 * rest_distance)),
        "lift": 0.1 * 4 * min(max(1 - distance / way, 0), 1),
        "success": 0.1 * 2 * (distance < 0.1),
        "curl": -0.1 * 0.01 * sum((q - n) ** 2 for q, n in zip(hand, ROBOT.hand_nominal, strict=True)),
    }


def test_every_term_equals_a_plain_reference_row_by_row() -> None:
    n = 300
    generator = np.random.default_rng(1)
    pos = torch.tensor(generator.uniform([0.4, -0.15, 0.26], [0.7, 0.15, 0.9], (n, 3)), dtype=torch.float32)
    rest = torch.tensor(generator.uniform(0.26, 0.32, n), dtype=torch.float32)
    contacts = torch.tensor(generator.integers(0, 2, (n, 4)), dtype=torch.float32)
    terms = terms_for(pos, rest, contacts, seed=3)
    assert tuple(terms) == REWARD_TERMS
    sim = random_sim_state(n, 3)
    points = HandObjectGeometry(ROBOT, "cpu")(sim).points
    assert (terms["success"] > 0).any()
    for row in range(n):
        expected = reference(
            points[row].tolist(),
            pos[row].tolist(),
            rest[row].item(),
            contacts[row].tolist(),
            sim.joint_pos[row, 7:].tolist(),
        )
        assert {name: term[row].item() for name, term in terms.items()} == pytest.approx(expected, rel=2e-5, abs=2e-6)


@settings(max_examples=60, deadline=None)
@given(
    places=st.lists(
        st.tuples(st.floats(0.2, 0.95), st.floats(-0.55, 0.55), st.floats(0.25, 0.5)),
        min_size=1,
        max_size=40,
    )
)
def test_an_untouched_object_earns_exactly_nothing_from_goal_and_lift_wherever_it_stands(places: list) -> None:
    pos = torch.tensor(places, dtype=torch.float32)
    terms = terms_for(pos, pos[:, 2].clone())
    assert not terms["goal"].any()
    assert not terms["lift"].any()


def test_large_batches_earn_exactly_nothing_too() -> None:
    generator = torch.Generator().manual_seed(0)
    for n in (7, 256, 4099):
        pos = torch.tensor([0.2, -0.5, 0.26]) + torch.rand(n, 3, generator=generator) * torch.tensor([0.7, 1.0, 0.1])
        terms = terms_for(pos, pos[:, 2].clone())
        assert not terms["goal"].any()
        assert not terms["lift"].any()


def heights(*values: float) -> dict[str, torch.Tensor]:
    pos = torch.tensor([[EPISODE.goal[0], EPISODE.goal[1], z] for z in values])
    return terms_for(pos, torch.full((len(values),), 0.29))


def test_lift_and_goal_rise_on_the_way_up() -> None:
    terms = heights(0.29, 0.35, 0.45, 0.55, 0.65)
    assert (terms["lift"].diff() > 0).all()
    assert (terms["goal"].diff() > 0).all()
    assert terms["lift"][-1].item() == pytest.approx(REWARD.scale * REWARD.lift)


def test_overshooting_above_the_goal_lowers_lift_and_goal() -> None:
    terms = heights(0.65, 0.72, 0.80, 0.95)
    assert (terms["lift"].diff() < 0).all()
    assert (terms["goal"].diff() < 0).all()


def test_lift_is_never_negative() -> None:
    assert (heights(0.1, 0.2, 1.2, 1.5)["lift"] == 0).all()


@pytest.mark.parametrize(
    ("contacts", "grade"),
    [((0, 0, 0, 0), 0.0), ((0, 2, 0, 0), 0.25), ((0, 0, 0, 1), 0.25), ((1, 0, 0, 1), 1.0), ((1, 1, 3, 0), 0.25)],
)
def test_contact_is_graded(contacts: tuple[int, ...], grade: float) -> None:
    terms = terms_for(torch.tensor([[0.5, 0.0, 0.3]]), torch.tensor([0.3]), torch.tensor([contacts]).float())
    assert terms["contact"].item() == pytest.approx(0.1 * grade)
