import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from gymnasium import spaces

from baselines.encoder import EncoderConfig
from baselines.sight import Sight
from baselines.stereo_student import StereoStudent, StereoStudentConfig
from tests.baselines.fake_env import CAMERA

CONFIG = StereoStudentConfig((16,), 24, EncoderConfig((8, 8), (4, 3), (4, 2), 16, 16))
SPACE = spaces.Dict(
    {
        "proprio": spaces.Box(-100, 100, (7,), np.float32),
        "left": spaces.Box(0, 255, (3, 24, 32), np.uint8),
        "right": spaces.Box(0, 255, (3, 24, 32), np.uint8),
    }
)
ACTIONS = spaces.Box(-1, 1, (2,), np.float32)


@pytest.fixture
def student() -> StereoStudent:
    torch.manual_seed(0)
    return StereoStudent(SPACE, ACTIONS, Sight(CAMERA, (0.5, 0.0, 0.6), (4, 7), (3, 6)), CONFIG)


def observe(*shape: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = {eye: torch.randint(0, 256, (*shape, 3, 24, 32), generator=generator) for eye in ("left", "right")}
    return {"proprio": torch.randn(*shape, 7, generator=generator)} | {
        eye: values.to(torch.uint8) for eye, values in images.items()
    }


def test_a_stretch_equals_its_steps_one_by_one(student):
    obs, starts = observe(5, 3), torch.zeros(5, 3, dtype=torch.bool)
    starts[2, 1] = True
    begin = torch.randn(3, student.state_size)
    mean, position, last = student.unroll(obs, begin, starts)
    state = begin
    for step in range(5):
        now = {group: values[step : step + 1] for group, values in obs.items()}
        one, where, state = student.unroll(now, state, starts[step : step + 1])
        torch.testing.assert_close(one[0], mean[step])
        torch.testing.assert_close(where[0], position[step])
    torch.testing.assert_close(state, last)


def test_nothing_is_remembered_of_the_episode_before(student):
    obs, starts = observe(1, 2), torch.tensor([[True, False]])
    first, second = (student.unroll(obs, state, starts)[2] for state in (torch.ones(2, 24), torch.zeros(2, 24)))
    torch.testing.assert_close(first[0], second[0])
    assert not torch.allclose(first[1], second[1])


def test_a_prediction_remembers(student):
    torch.nn.init.normal_(student.actor[-1].weight)
    obs = {group: values[0].numpy() for group, values in observe(1, 4).items()}
    fresh, state = student.predict(obs, deterministic=True)
    later, _ = student.predict(obs, state, deterministic=True)
    again, _ = student.predict(obs, state, np.ones(4, bool), deterministic=True)
    assert fresh.shape == (4, 2) and np.abs(fresh).max() <= 1
    assert not np.allclose(later, fresh)
    np.testing.assert_allclose(again, fresh, atol=1e-6)


def test_exploration_has_the_standard_deviation_given(student):
    student.log_std.data.fill_(-2.0)
    obs = {group: values[0].numpy() for group, values in observe(1, 1).items()}
    batch = {group: np.repeat(values, 2000, axis=0) for group, values in obs.items()}
    actions, _ = student.predict(batch)
    np.testing.assert_allclose(actions.std(axis=0), np.exp(-2.0), rtol=0.1)


def test_actions_do_not_bend_the_position(student):
    mean, position, _ = student.unroll(observe(2, 3), torch.zeros(3, 24), torch.zeros(2, 3, dtype=torch.bool))
    mean.sum().backward(retain_graph=True)
    assert student.correct.weight.grad is None and not student.encoder.locate[-1].weight.grad
    position.sum().backward()
    assert student.correct.weight.grad.any() and student.encoder.locate[-1].weight.grad.any()


def test_it_learns_to_remember_what_is_hidden_later(student):
    generator = torch.Generator().manual_seed(0)
    columns = torch.randint(4, 28, (64,), generator=generator)
    obs = observe(4, 64)
    obs["proprio"].zero_()
    for eye in ("left", "right"):
        obs[eye].zero_()
        for row, column in enumerate(columns):
            obs[eye][0, row, :, 10:14, column - 2 : column + 2] = 255  # seen in the first step alone
    target = student.encoder.table_center + torch.stack([columns * 0, (columns - 16) / 100, columns * 0], 1)
    starts = torch.zeros(4, 64, dtype=torch.bool)
    optimizer = torch.optim.Adam(student.parameters(), lr=1e-2)
    for _ in range(150):
        _, position, _ = student.unroll(obs, torch.zeros(64, 24), starts)
        error = (position - target).norm(dim=-1)
        optimizer.zero_grad()
        error.mean().backward()
        optimizer.step()
    guess = (target - target.mean(0)).norm(dim=-1).mean()
    assert error[3].mean() < 0.4 * guess


def test_an_architecture_passes_through_json():
    assert StereoStudentConfig.from_plain(json.loads(json.dumps(asdict(CONFIG)))) == CONFIG
