from dataclasses import replace

import gymnasium
import numpy as np
import pytest
import torch

from baselines.dagger import MEAN_LIMIT, REPORT_STEPS, Dagger, DaggerConfig
from baselines.encoder import EncoderConfig
from baselines.evaluation import evaluate
from baselines.ppo_config import DEPTH_PPO
from baselines.student import make_depth_student
from dexgrasp_envs.errors import ConfigError
from tests.baselines.fake_env import FAKE_DEPTH_CONFIG, FAKE_DEPTH_ID
from tests.baselines.teachers import HIDDEN, make_teacher

EYES = EncoderConfig((8, 16), (4, 3), (2, 2), 32)
SMALL = DaggerConfig(minibatch=64, encoder=EYES)


def make_dagger(num_envs: int = 32, config: DaggerConfig = SMALL) -> Dagger:
    torch.manual_seed(0)
    env = gymnasium.make_vec(FAKE_DEPTH_ID, num_envs=num_envs, config=FAKE_DEPTH_CONFIG.observing("state"))
    teacher = make_teacher()
    dagger = Dagger(
        env,
        teacher,
        make_depth_student(teacher, env, replace(DEPTH_PPO, hidden=HIDDEN, encoder=config.encoder)),
        config,
    )
    dagger.start(seed=0)
    return dagger


def success(dagger: Dagger) -> float:
    env = gymnasium.make_vec(FAKE_DEPTH_ID, num_envs=64, config=FAKE_DEPTH_CONFIG)
    return evaluate(dagger.student, env, 1, seed=9).rate("success_at_end").estimate


def test_the_student_learns_to_act_like_the_teacher_from_images():
    dagger = make_dagger()
    before = success(dagger)
    records = [dagger.iterate(max(0.0, 1 - i / 4), 3e-3) for i in range(8)]
    assert before < 0.2 and success(dagger) > 0.8
    for name in ("action_error", "position_error_cm", "action_loss"):
        assert records[-1][name] < 0.7 * records[0][name]


def test_the_critic_and_the_statistics_stay_the_teachers():
    dagger = make_dagger(4)
    before = {name: value.clone() for name, value in dagger.student.state_dict().items()}
    dagger.iterate(0.5, 1e-3)
    for name, value in dagger.student.state_dict().items():
        assert torch.equal(value, before[name]) != name.startswith(("actor", "encoder")), name


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_who_drives_follows_the_share(share):
    dagger = make_dagger()
    obs = {name: torch.as_tensor(values) for name, values in dagger.obs.items()}
    driver = dagger.teacher if share else dagger.student
    expected = driver(obs).detach().clamp(-1, 1).numpy()
    actions, _ = dagger._act(share)
    np.testing.assert_allclose(actions[::2], expected[::2], atol=1e-6)


def test_half_the_drivers_are_teachers_at_a_share_of_a_half():
    dagger = make_dagger(400)
    obs = {name: torch.as_tensor(values) for name, values in dagger.obs.items()}
    actions, _ = dagger._act(0.5)
    by_teacher = np.isclose(actions, dagger.teacher(obs).detach().clamp(-1, 1), atol=1e-6).all(axis=1)[::2]
    assert 0.35 < by_teacher.mean() < 0.65


def test_every_second_row_explores_with_the_teachers_noise():
    dagger = make_dagger(2000)
    dagger.teacher.actor[-1].weight.data.zero_()
    dagger.teacher.actor[-1].bias.data.zero_()
    actions, _ = dagger._act(1.0)
    assert not actions[::2].any()
    np.testing.assert_allclose(actions[1::2].std(axis=0), np.exp(-1.5), rtol=0.1)


def test_means_far_beyond_the_action_space_are_imitated_at_its_edge():
    dagger = make_dagger()
    dagger.teacher.actor[-1].bias.data += 100
    dagger._act(1.0)
    assert (dagger.recent.means[0] == MEAN_LIMIT).all()


def test_nothing_is_stored_twice_or_out_of_order():
    dagger = make_dagger(4, replace(SMALL, recent_steps=REPORT_STEPS))
    seen = []
    step = dagger.env.step
    dagger.env.step = lambda actions: seen.append(dagger.obs["depth"].copy()) or step(actions)
    dagger.iterate(1.0, 1e-3)
    np.testing.assert_array_equal(dagger.recent.obs["depth"].numpy(), np.stack(seen))


def test_the_first_episodes_are_cut_short_at_different_times():
    dagger = make_dagger(64)
    dagger._learn = dict
    for _ in range(2):
        dagger.iterate(1.0, 1e-3)
    assert dagger.env.unwrapped.resets_by_mask > 50
    assert len(np.unique(dagger.env.unwrapped.clock)) > 15


def test_outcomes_are_those_of_the_rows_without_noise():
    dagger = make_dagger(16)
    dagger._learn = dict
    env = dagger.env.unwrapped
    for _ in range(6):
        env.goal[1::2] = 50.0  # out of reach, for the rows with noise alone
        record = dagger.iterate(1.0, 1e-3)
    assert record["success_at_end"] == 1.0 and record["length"] <= 30


def test_a_learning_rate_holds_for_an_iteration():
    dagger = make_dagger(4)
    dagger.iterate(1.0, 7e-4)
    assert {group["lr"] for group in dagger.optimizer.param_groups} == {7e-4}


@pytest.mark.parametrize(
    "name", ["recent_steps", "gradient_steps", "minibatch", "final_learning_rate", "warm_up_steps"]
)
def test_settings_must_be_positive(name):
    with pytest.raises(ConfigError, match=name):
        DaggerConfig(**{name: 0})
