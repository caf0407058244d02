"""Success, lifted and lost at their boundaries."""

import dataclasses

import numpy as np
import pytest
import torch

from dexgrasp_envs.config import EpisodeConfig
from dexgrasp_envs.task.geometry import HandObject, HandObjectGeometry
from dexgrasp_envs.task.outcome import Outcome, outcome
from tests.helpers import ROBOT, random_sim_state

EPISODE = EpisodeConfig()
GOAL = np.array(EPISODE.goal)


def with_object_at(position: np.ndarray, rest_height: float = 0.3) -> Outcome:
    scene: HandObject = HandObjectGeometry(ROBOT, "cpu")(random_sim_state(1, seed=0))
    scene = dataclasses.replace(scene, object_pos=torch.tensor(position, dtype=torch.float32)[None])
    return outcome(scene, torch.tensor([rest_height]), EPISODE)


@pytest.mark.parametrize("direction", [(1, 0, 0), (0, -1, 0), (0, 0, 1), (1, 1, -1), (-2, 1, 3)])
def test_success_ends_at_the_success_radius_in_every_direction(direction: tuple[int, int, int]) -> None:
    unit = np.array(direction) / np.linalg.norm(direction)
    inside, beyond = (with_object_at(GOAL + r * unit) for r in (0.0999, 0.1001))
    assert inside.success.item()
    assert not beyond.success.item()
    assert inside.goal_distance.item() == pytest.approx(0.0999, abs=1e-6)


def test_lifted_begins_at_the_lift_height_above_rest() -> None:
    assert with_object_at(np.array([0.5, 0.0, 0.4001]), 0.3).lifted.item()
    assert not with_object_at(np.array([0.5, 0.0, 0.3999]), 0.3).lifted.item()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("bound", ["lost_low", "lost_high"])
def test_lost_begins_at_each_face_of_the_box(axis: int, bound: str) -> None:
    edge = getattr(EPISODE, bound)[axis]
    outward = -1e-4 if bound == "lost_low" else 1e-4
    position = np.array([0.5, 0.0, 0.5])
    position[axis] = edge - outward
    assert not with_object_at(position).lost.item()
    position[axis] = edge + outward
    assert with_object_at(position).lost.item()


def test_rows_are_judged_one_by_one() -> None:
    scene = HandObjectGeometry(ROBOT, "cpu")(random_sim_state(3, seed=0))
    places = torch.tensor([EPISODE.goal, (0.5, 0.0, 0.3), (0.5, 0.0, 0.1)])
    now = outcome(dataclasses.replace(scene, object_pos=places), torch.full((3,), 0.3), EPISODE)
    assert now.success.tolist() == [True, False, False]
    assert now.lifted.tolist() == [True, False, False]
    assert now.lost.tolist() == [False, False, True]
