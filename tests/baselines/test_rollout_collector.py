import dataclasses
import threading

import numpy as np
import pytest
import torch

from baselines.ppo import PPO
from baselines.ppo_config import DEPTH_PPO, PPOConfig
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.server import SimServer
from tests.baselines.fake_env import FAKE_CONFIG, FAKE_DEPTH_CONFIG, SMALL_EYES, FakeVectorEnv
from tests.baselines.grouped_env import GroupedEnv

SMALL = PPOConfig(n_steps=40, minibatch=32, hidden=(16,))
SMALL_DEPTH = dataclasses.replace(DEPTH_PPO, n_steps=20, minibatch=32, hidden=(16,), encoder=SMALL_EYES)
STORED = ("obs", "actions", "means", "log_probs", "rewards", "dones", "values", "returns", "advantages")


def learner_of(env: FakeVectorEnv, config: PPOConfig = SMALL) -> PPO:
    """One that does not update, so that rollouts stay comparable."""
    learner = PPO(env, config, seed=3)
    learner.train = lambda: None  # type: ignore[method-assign]
    return learner


def assert_same_buffer(mine: PPO, theirs: PPO, tolerance: float) -> None:
    for name in STORED:
        pair = [getattr(one.rollout_buffer, name) for one in (mine, theirs)]
        for values, expected in [pair] if name != "obs" else zip(*(obs.values() for obs in pair), strict=True):
            torch.testing.assert_close(values, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("config", "env_config", "id_groups", "tolerance"),
    [(SMALL, FAKE_CONFIG, ("state",), 1e-5), (SMALL_DEPTH, FAKE_DEPTH_CONFIG, ("depth",), 1e-4)],
)
def test_groups_fill_the_buffer_as_one_environment_does(config, env_config, id_groups, tolerance):
    learners = [learner_of(make(7, env_config, id_groups), config) for make in (FakeVectorEnv, GroupedEnv)]
    for _ in range(2):
        for learner in learners:
            torch.manual_seed(0)
            learner.iterate()
        assert_same_buffer(learners[1], learners[0], tolerance)
        whole, grouped = (learner.collector.statistics() for learner in learners)
        assert grouped == pytest.approx(whole, abs=tolerance)
    assert learners[0].rollout_buffer.dones.any()


class FakeRemote(RemoteVectorEnv):
    """The fake environment, remote, with what the learner asks of an environment of this package."""

    config = FAKE_CONFIG


def test_groups_of_a_server_fill_the_buffer_as_one_environment_does():
    halves = [FakeVectorEnv(4), FakeVectorEnv(3, first=4)]
    with SimServer(halves, [{"env_id": "Fake", "seeding": "index"}] * 2, "tcp://127.0.0.1:*") as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        remote = FakeRemote([server.endpoint])
        learners = [learner_of(env) for env in (FakeVectorEnv(7), remote)]
        for learner in learners:
            torch.manual_seed(0)
            learner.iterate()
        remote.close()
        server.stop()
        thread.join(10)
    assert_same_buffer(learners[1], learners[0], 1e-5)
    assert len(learners[1].collector.groups) == 2


def test_a_policy_that_does_not_look_fills_the_buffer_with_the_same_bits():
    learners = [learner_of(make(8)) for make in (FakeVectorEnv, GroupedEnv)]
    for learner in learners:
        torch.nn.init.zeros_(learner.policy.actor[-1].weight)
        torch.manual_seed(0)
        learner.iterate()
    pair = [learner.rollout_buffer for learner in learners]
    for name in ("actions", "means", "log_probs", "dones"):
        assert torch.equal(getattr(pair[0], name), getattr(pair[1], name)), name
    for name, values in pair[0].obs.items():
        assert torch.equal(values, pair[1].obs[name]), name


def test_one_group_is_stepped_while_the_policy_acts_for_the_other():
    env = GroupedEnv(8)
    learner_of(env, dataclasses.replace(SMALL, n_steps=2)).iterate()
    assert env.events == [
        *[("send", 0), ("send", 1), ("recv", 0), ("send", 0)],
        *[("recv", 1), ("send", 1), ("recv", 0), ("recv", 1)],
    ]


@pytest.mark.parametrize(("lost", "share"), [(0, 4 / 7), (10, 3 / 7)])
def test_success_at_any_moment_is_that_of_all_rows_whose_server_is_there(lost, share):
    env = GroupedEnv(7)
    for group, distance in zip(env.groups, (0.0, 1.0), strict=True):
        group.env._distance = lambda rows=group.env.num_envs, d=distance: np.full(rows, d)
    env.groups[0].outage = [True] * lost
    learner = learner_of(env)
    learner.iterate()
    assert learner.collector.success_now == pytest.approx(share)


def test_a_callback_that_stops_leaves_no_group_behind():
    env = GroupedEnv(8)
    learner = PPO(env, SMALL)
    learner.learn(1000, lambda *_: len(env.events) < 20)
    assert env.events.count(("recv", 0)) == env.events.count(("recv", 1)) == env.events.count(("send", 1))
    assert learner.num_timesteps == 8 * env.events.count(("recv", 1))


def test_callbacks_are_told_the_step_that_all_groups_have_done():
    told = []

    def look(values, _):
        told.append({name: np.array(values[name]) for name in ("actions", "rewards", "dones")})
        return True

    for make in (FakeVectorEnv, GroupedEnv):
        learner = PPO(make(7), SMALL, seed=3)
        learner.train = lambda: None  # type: ignore[method-assign]
        torch.manual_seed(0)
        learner.learn(280, look)
    for whole, grouped in zip(told[:40], told[40:], strict=True):
        for name, values in whole.items():
            np.testing.assert_allclose(grouped[name], values, atol=1e-5)


def test_a_run_in_groups_goes_on_without_and_back(tmp_path):
    first = learner_of(GroupedEnv(8))
    first.iterate()
    first.save(tmp_path / "latest.pt")
    torch.manual_seed(1)
    first.iterate()
    for make in (FakeVectorEnv, GroupedEnv):
        resumed = PPO.load(tmp_path / "latest.pt", make(8))
        resumed.train = lambda: None  # type: ignore[method-assign]
        torch.manual_seed(1)
        resumed.iterate()
        assert_same_buffer(resumed, first, 1e-5)


def test_rows_whose_server_is_lost_are_not_learned_from_until_they_are_back():
    env = GroupedEnv(8)
    learner = learner_of(env, dataclasses.replace(SMALL, n_steps=8, desynchronise=False))
    env.groups[1].outage = [False, True, True, True, False]
    learner.iterate()
    buffer = learner.rollout_buffer
    assert buffer.used[:, :4].all()
    assert buffer.used[:, 4:].T.tolist() == [[True, False, False, False, False, True, True, True]] * 4
    assert buffer.dones[:, 4:].T.tolist() == [[False, True, *[False] * 6]] * 4
    assert sum(len(batch.actions) for batch in buffer.minibatches(16)) == 8 * 8 - 4 * 4


def test_an_episode_that_was_cut_short_by_a_loss_has_no_outcome():
    env = GroupedEnv(8)
    learner = learner_of(env, dataclasses.replace(SMALL, n_steps=30, desynchronise=False))
    env.groups[1].outage = [False, True, True, False]
    learner.iterate()
    assert learner.record["length"] == 30
    assert learner.collector.episodes.arrays["length"].tolist() == [0] * 4 + [27] * 4


def test_an_update_goes_on_without_the_lost_rows():
    env = GroupedEnv(8)
    learner = PPO(env, dataclasses.replace(SMALL, n_steps=8))
    env.groups[0].outage = [True] * 8
    record = learner.iterate()
    assert np.isfinite(list(record.values())).all()
