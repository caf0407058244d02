import re

import pytest
import torch
from matplotlib import pyplot as plt

from docs.draw_figures import CONFIG, FIGURES, IMAGES, REST, TABLE_TOP, terms


def test_every_figure_of_the_pages_is_there() -> None:
    named = {
        name for page in IMAGES.parent.glob("*.md") for name in re.findall(r"\(images/(\S+)\.png\)", page.read_text())
    }
    assert named == set(FIGURES) and all((IMAGES / f"{name}.png").is_file() for name in named)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn(name: str) -> None:
    figure = FIGURES[name]()
    assert all(axis.has_data() for axis in figure.axes)
    plt.close(figure)


def test_the_reward_that_is_drawn_is_that_of_an_object_at_rest_and_at_the_goal() -> None:
    rest, goal = torch.tensor([[0.56, 0.0, TABLE_TOP + REST]]), torch.tensor([CONFIG.episode.goal])
    at_rest, at_goal = terms(rest, rest), terms(goal, goal)
    assert at_rest["goal"].item() == at_rest["lift"].item() == at_rest["success"].item() == 0
    weights = CONFIG.reward
    assert at_goal["lift"].item() == pytest.approx(weights.scale * weights.lift)
    assert at_goal["success"].item() == pytest.approx(weights.scale * weights.success)
    assert at_goal["reach"].item() == pytest.approx(weights.scale * weights.reach)
