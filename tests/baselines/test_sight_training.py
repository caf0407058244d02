import dataclasses

import numpy as np
import pytest
import torch

from baselines.ppo import PPO
from tests.baselines.fake_env import FAKE_DEPTH_CONFIG, SMALL_DEPTH_PPO, FakeVectorEnv

CONFIG = dataclasses.replace(SMALL_DEPTH_PPO, n_steps=4, sight_new_images=16)


@pytest.fixture
def learner(monkeypatch) -> PPO:
    monkeypatch.setattr("baselines.sight_training.MINIBATCH", 32)
    return PPO(FakeVectorEnv(32, FAKE_DEPTH_CONFIG, id_groups=("depth",)), CONFIG, seed=0)


def test_the_encoder_learns_where_the_object_is(learner):
    told = learner.sight_training.warm_up(learner.vector_env, 8, 150, seed=0)
    errors = [error for _, _, error in told if error is not None]
    assert len(errors) == 3 and errors[-1] < 0.5 * errors[0]


def test_actor_and_critic_stay_as_they_were(learner):
    before = {name: value.clone() for name, value in learner.policy.state_dict().items()}
    for _ in learner.warm_up():
        pass
    for name, value in learner.policy.state_dict().items():
        assert torch.equal(value, before[name]) != name.startswith("encoder."), name


def test_progress_and_steps_are_counted(learner):
    resets, stepped = [], []
    reset, step = learner.vector_env.reset, learner.vector_env.step
    learner.vector_env.reset = lambda **options: resets.append(options["seed"]) or reset(**options)
    learner.vector_env.step = lambda actions: stepped.append(len(actions)) or step(actions)
    told = list(learner.sight_training.warm_up(learner.vector_env, 3, 60, seed=5))
    shares = [share for share, _, _ in told]
    assert len(set(resets)) == 3
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)
    assert told[-1][1] == sum(stepped)
    assert [error is None for _, _, error in told] == [True, True, True, False, False]


def test_a_warmed_up_learner_begins_with_fresh_episodes(learner):
    for _ in learner.warm_up():
        pass
    steps = learner.num_timesteps
    learner.iterate()
    assert learner.num_timesteps == steps + 4 * 32 and steps > 0
    cold = PPO(FakeVectorEnv(32, FAKE_DEPTH_CONFIG, id_groups=("depth",)), CONFIG, seed=0)
    cold.iterate()
    first = [which.rollout_buffer.obs["privileged"][0] for which in (learner, cold)]
    np.testing.assert_array_equal(*first)


def test_each_update_adds_images_of_its_rollout_to_the_memory(learner):
    learner.iterate()
    memory = learner.sight_training.memory
    assert len(memory) == 16
    seen = learner.rollout_buffer.obs["privileged"].flatten(0, 1)
    assert all((row == seen).all(1).any() for row in memory.kept["privileged"])
    learner.iterate()
    assert len(memory) == 32


def test_lessons_between_updates_have_their_own_learning_rate(learner):
    learner.iterate()
    assert learner.sight_training.optimizer.param_groups[0]["lr"] == CONFIG.sight_learning_rate
    rates = [group["lr"] for group in learner.policy.optimizer.param_groups]
    assert rates == [CONFIG.learning_rate, CONFIG.encoder_learning_rate]


def test_a_small_memory_is_not_learned_from(monkeypatch):
    config = dataclasses.replace(CONFIG, sight_fewest_images=1000)
    learner = PPO(FakeVectorEnv(32, FAKE_DEPTH_CONFIG, id_groups=("depth",)), config, seed=0)
    monkeypatch.setattr(learner.sight_training, "train", lambda *_: pytest.fail("it learned"))
    learner.iterate()
    assert len(learner.sight_training.memory) == 16
