import dataclasses

import numpy as np
import pytest
import torch
from stable_baselines3.common.callbacks import BaseCallback, StopTrainingOnMaxEpisodes

from baselines.evaluation import evaluate
from baselines.ppo import PPO
from baselines.ppo_config import DEPTH_PPO, PPOConfig
from baselines.shuffled_images import ShuffledImages
from dexgrasp_envs.config import ObservationConfig
from dexgrasp_envs.errors import CheckpointError, ConfigError
from tests.baselines.fake_env import FAKE_DEPTH_CONFIG, SMALL_EYES, FakeVectorEnv

SMALL = PPOConfig(n_steps=8, minibatch=32, hidden=(16,), desynchronise=False)
SMALL_DEPTH = dataclasses.replace(DEPTH_PPO, n_steps=8, minibatch=32, hidden=(16,), encoder=SMALL_EYES)


def make_seeing(num_envs: int) -> FakeVectorEnv:
    return FakeVectorEnv(num_envs, FAKE_DEPTH_CONFIG, id_groups=("depth",))


def tensors(obs: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.as_tensor(values) for name, values in obs.items()}


class Recorder(FakeVectorEnv):
    """Remembers what each step returned."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.steps = []

    def step(self, actions):
        result = super().step(actions)
        self.steps.append((*result[1:4], self.final_rows))
        return result


def collect(learner: PPO, rollouts: int) -> None:
    """Rollouts without an update, so that values stay comparable."""
    learner.train = lambda: None  # type: ignore[method-assign]
    for _ in range(rollouts):
        learner.iterate()


def test_time_outs_bootstrap_from_the_final_observation():
    env = Recorder(4)
    learner = PPO(env, SMALL, seed=3)
    collect(learner, 4)
    _, terminated, truncated, final = env.steps[29]
    assert truncated.all() and not terminated.any()
    step = 29 - 24
    value = learner.policy.values(tensors(final.obs)).detach()
    expected = torch.as_tensor(env.steps[29][0]) + learner.config.gamma * value
    torch.testing.assert_close(learner.rollout_buffer.rewards[step], expected)
    after_reset = learner.rollout_buffer.values[step + 1]
    assert not torch.allclose(value, after_reset)
    delta = expected - learner.rollout_buffer.values[step]
    torch.testing.assert_close(learner.rollout_buffer.returns[step] - learner.rollout_buffer.values[step], delta)


def test_termination_is_not_bootstrapped():
    env = Recorder(16)
    learner = PPO(env, SMALL, seed=3)
    torch.nn.init.constant_(learner.policy.actor[-1].bias, 4.0)
    collect(learner, 1)
    while not any(terminated.any() for _, terminated, _, _ in env.steps[-8:]):
        collect(learner, 1)
    buffer = learner.rollout_buffer
    for step, (reward, terminated, _, _) in enumerate(env.steps[-8:]):
        rows = torch.as_tensor(terminated)
        torch.testing.assert_close(buffer.rewards[step][rows], torch.as_tensor(reward)[rows])
        assert buffer.dones[step][rows].all()


def test_a_diverged_row_ends_without_a_bootstrap():
    env = Recorder(4)
    learner = PPO(env, SMALL, seed=3)
    torch.nn.init.constant_(learner.policy.critic[-1].bias, 3.0)  # else an observation of zeros is worth nothing
    collect(learner, 3)
    env.diverging[1] = True
    collect(learner, 1)
    reward, _, truncated, final = env.steps[24]
    assert truncated.tolist() == [False, True, False, False] and not final.obs["proprio"].any()
    buffer = learner.rollout_buffer
    assert buffer.dones[0].tolist() == truncated.tolist()
    assert buffer.rewards[0, 1] == reward[1]
    torch.testing.assert_close(buffer.returns[0, 1], torch.tensor(reward[1]))
    time_outs = torch.tensor([0, 2, 3])
    assert (buffer.rewards[5][time_outs] != torch.as_tensor(env.steps[29][0])[time_outs]).all()


def test_forced_resets_stagger_the_first_episode_and_count_as_time_outs():
    env = Recorder(64)
    learner = PPO(env, PPOConfig(n_steps=30, minibatch=480, hidden=(16,)), seed=3)
    collect(learner, 1)
    forced = learner.rollout_buffer.dones.clone()
    for step, (_, terminated, truncated, _) in enumerate(env.steps):
        forced[step] &= ~torch.as_tensor(terminated | truncated)
    assert env.resets_by_mask == int(forced.sum()) > 50
    rewards = np.stack([reward for reward, *_ in env.steps])
    extra = learner.rollout_buffer.rewards - torch.as_tensor(rewards)
    assert (extra[forced] != 0).all()
    assert len(np.unique(env.clock)) > 20
    collect(learner, 2)
    assert env.resets_by_mask == int(forced.sum())


def test_asymmetric_and_blind_groups():
    learner = PPO(FakeVectorEnv(4), SMALL, ("proprio",), ("proprio", "privileged"))
    assert set(learner.rollout_buffer.obs) == {"proprio", "privileged"}
    learner.iterate()


def test_statistics_change_only_between_iterations():
    learner = PPO(FakeVectorEnv(8), SMALL)
    learner.iterate()
    normalizer = learner.policy.normalizers["proprio"]
    assert normalizer.count == 64
    before = normalizer.mean.clone()
    collect(learner, 1)
    torch.testing.assert_close(normalizer.mean, before)


def test_learning_rate_follows_the_divergence():
    learner = PPO(FakeVectorEnv(4), SMALL)
    for kl, factor in ((0.1, 1 / 1.3), (0.016, 1.0), (0.001, 1.2)):
        before = learner.policy.optimizer.param_groups[0]["lr"]
        learner._adapt_learning_rate(kl)
        assert learner.policy.optimizer.param_groups[0]["lr"] == pytest.approx(before * factor)


def test_learns_to_reach_the_goal():
    learner = PPO(FakeVectorEnv(128), PPOConfig(minibatch=512, hidden=(64, 64), learning_rate=1e-3), seed=1)
    before = evaluate(learner.policy, FakeVectorEnv(64), 1, seed=9).rate("success_at_end").estimate
    for _ in range(60):
        record = learner.iterate()
    after = evaluate(learner.policy, FakeVectorEnv(64), 1, seed=9).rate("success_at_end").estimate
    assert before < 0.2 and after > 0.9
    assert record["explained_variance"] > 0.8


@pytest.mark.slow
def test_learns_to_reach_the_goal_from_images():
    config = dataclasses.replace(DEPTH_PPO, minibatch=256, hidden=(64, 64), learning_rate=1e-3, encoder=SMALL_EYES)
    learner = PPO(make_seeing(64), config, seed=1)
    for _ in range(40):
        record = learner.iterate()
    seeing = evaluate(learner.policy, make_seeing(64), 1, seed=9).rate("success_at_end").estimate
    misled = evaluate(ShuffledImages(learner.policy, 0), make_seeing(64), 1, seed=9).rate("success_at_end").estimate
    assert seeing > 0.8 and misled < 0.2
    assert record["position_error"] < 5


def test_the_position_error_falls_while_learning_from_images():
    config = dataclasses.replace(SMALL_DEPTH, sight_fewest_images=100, sight_learning_rate=2e-3)
    learner = PPO(make_seeing(16), config, seed=1)
    errors = [learner.iterate()["position_error"] for _ in range(12)]
    assert np.mean(errors[-3:]) < 0.7 * np.mean(errors[:3])


def test_a_fixed_learning_rate_stays():
    learner = PPO(make_seeing(4), SMALL_DEPTH)
    for _ in range(2):
        assert learner.iterate()["lr"] == SMALL_DEPTH.learning_rate


def test_the_encoder_keeps_its_own_learning_rate():
    learner = PPO(make_seeing(4), dataclasses.replace(SMALL_DEPTH, adaptive_lr=True, encoder_learning_rate=3e-4))
    learner._adapt_learning_rate(1.0)
    rates = [group["lr"] for group in learner.policy.optimizer.param_groups]
    assert rates == [pytest.approx(SMALL_DEPTH.learning_rate / 1.3), 3e-4]


def test_images_are_stored_once_as_they_come():
    env = make_seeing(4)
    learner = PPO(env, SMALL_DEPTH, seed=3)
    seen = []
    step = env.step
    env.step = lambda actions: seen.append(learner.collector.obs["depth"].copy()) or step(actions)  # type: ignore[method-assign]
    collect(learner, 1)
    stored = learner.rollout_buffer.obs["depth"]
    assert stored.dtype == torch.uint16 and stored.shape == (8, 4, 1, 24, 32)
    np.testing.assert_array_equal(stored.numpy(), np.stack(seen))
    assert learner.rollout_buffer.nbytes < 1.2 * stored.nbytes


def test_an_update_looks_at_each_image_once_and_then_reuses_what_was_seen_in_the_rollout(monkeypatch):
    config = dataclasses.replace(SMALL_DEPTH, n_epochs=3, encoder_epochs=1, target_kl=100.0, sight_fewest_images=10**6)
    learner = PPO(FakeVectorEnv(16, FAKE_DEPTH_CONFIG, id_groups=("depth",)), config, seed=0)
    looked: list[int] = []
    forward = learner.policy.encoder.forward
    monkeypatch.setattr(
        learner.policy.encoder, "forward", lambda depth, body: looked.append(len(depth)) or forward(depth, body)
    )
    learner.iterate()
    rollout = config.n_steps * 16
    assert looked == [16] * config.n_steps + [32] * (rollout // 32)


def test_values_and_bootstraps_never_look_at_images(monkeypatch):
    learner = PPO(make_seeing(4), dataclasses.replace(SMALL_DEPTH, n_steps=32, desynchronise=True), seed=3)
    finish, taken = learner._finish_rollout, []

    def finish_blind(cut_short):
        taken.extend(cut_short)
        monkeypatch.setattr(learner.policy.encoder, "forward", lambda depth: pytest.fail("an image was looked at"))
        finish(cut_short)

    monkeypatch.setattr(learner, "_finish_rollout", finish_blind)
    collect(learner, 1)
    assert taken and all(set(last_obs) == {"proprio", "privileged"} for _, _, last_obs in taken)


def test_a_depth_policy_without_privileged_observations_is_refused():
    config = FAKE_DEPTH_CONFIG.replace(observation=ObservationConfig(image_size=(24, 32)))
    with pytest.raises(ConfigError, match="privileged"):
        PPO(FakeVectorEnv(4, config, id_groups=("depth",)), SMALL_DEPTH)


def test_a_blind_policy_of_an_environment_with_images_stores_none():
    learner = PPO(make_seeing(4), SMALL_DEPTH, ("proprio",), ("proprio", "privileged"))
    assert "depth" not in learner.rollout_buffer.obs and learner.policy.encoder is None
    assert "position_error" not in learner.iterate()


def test_learn_works_as_in_stable_baselines():
    learner = PPO(FakeVectorEnv(8), SMALL)
    learner.learn(200)
    assert learner.num_timesteps == 256 and learner.iterations == 4
    learner.learn(64, reset_num_timesteps=False)
    assert learner.num_timesteps == 320


def test_learn_counts_its_time():
    learner = PPO(FakeVectorEnv(8), SMALL).learn(200)
    assert learner.seconds > 0 and learner.record["seconds"] == learner.seconds
    parts = sum(learner.record[f"{part}_seconds"] for part in ("env", "inference", "update"))
    assert learner.record["steps_per_second"] == pytest.approx(64 / parts) and parts < learner.seconds
    observed = sum(values.nbytes for values in learner.collector.obs.values())
    assert learner.record["observed_mb_per_second"] == pytest.approx(8 * observed / 1e6 / parts)


def test_callbacks_see_the_ends_of_episodes():
    learner = PPO(FakeVectorEnv(8), SMALL)
    learner.learn(10_000, StopTrainingOnMaxEpisodes(max_episodes=2))  # of each environment
    assert 8 * 30 < learner.num_timesteps <= 8 * 60


def test_an_error_while_collecting_leaves_the_threads_as_they_were():
    class Failing(BaseCallback):
        def _on_step(self) -> bool:
            assert torch.get_num_threads() == 1
            raise ZeroDivisionError

    torch.set_num_threads(2)
    learner = PPO(FakeVectorEnv(8), SMALL)
    with pytest.raises(ZeroDivisionError):
        learner.learn(64, Failing())
    assert torch.get_num_threads() == 2


def test_a_rollout_of_one_sample_is_refused():
    with pytest.raises(ConfigError, match="at least 2 samples"):
        PPO(FakeVectorEnv(1), dataclasses.replace(SMALL, n_steps=1))


@pytest.mark.parametrize(("make", "config"), [(FakeVectorEnv, SMALL), (make_seeing, SMALL_DEPTH)])
def test_resume_continues_bit_for_bit(tmp_path, make, config):
    path = tmp_path / "latest.pt"
    learner = PPO(make(8), config, seed=4)
    for _ in range(5):
        learner.iterate()
    learner.save(path)
    resumed = PPO.load(path, make(8))
    assert (resumed.num_timesteps, resumed.iterations) == (320, 5)
    assert resumed.seconds == learner.seconds and resumed.config == learner.config
    assert resumed._n_updates == learner._n_updates == 5
    assert resumed.collector.statistics() == learner.collector.statistics() and "lifted" in learner.record
    rng = torch.get_rng_state()
    for _ in range(5):
        learner.iterate()
    torch.set_rng_state(rng)
    for _ in range(5):
        resumed.iterate()
    for name, value in learner.policy.state_dict().items():
        assert torch.equal(value, resumed.policy.state_dict()[name]), name
    rates = [model.policy.optimizer.param_groups[0]["lr"] for model in (learner, resumed)]
    assert rates[0] == rates[1] and (rates[0] != config.learning_rate) == config.adaptive_lr


def test_resume_with_another_number_of_environments_starts_new_episodes(tmp_path):
    learner = PPO(FakeVectorEnv(8), SMALL)
    learner.iterate()
    learner.save(tmp_path / "latest.pt")
    resumed = PPO.load(tmp_path / "latest.pt", FakeVectorEnv(4))
    resumed.iterate()
    assert resumed.num_timesteps == 64 + 32


def test_a_learner_can_be_saved_before_its_first_rollout(tmp_path):
    learner = PPO(FakeVectorEnv(8), SMALL, seed=4)
    learner.save(tmp_path / "latest.pt")
    resumed = PPO.load(tmp_path / "latest.pt", FakeVectorEnv(8))
    first = [resumed.iterate()[name] for name in ("kl", "policy_loss")]
    torch.manual_seed(4)
    fresh = PPO(FakeVectorEnv(8), SMALL, seed=4)
    assert first == [fresh.iterate()[name] for name in ("kl", "policy_loss")]


def test_a_policy_file_cannot_be_resumed(tmp_path):
    learner = PPO(FakeVectorEnv(4), SMALL)
    learner.save_policy(tmp_path / "policy.pt")
    with pytest.raises(CheckpointError, match=r"latest\.pt"):
        PPO.load(tmp_path / "policy.pt", FakeVectorEnv(4))
