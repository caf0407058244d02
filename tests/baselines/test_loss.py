import dataclasses

import pytest
import torch

from baselines.loss import gaussian_kl, locating_loss, ppo_loss
from baselines.ppo import PPO
from baselines.ppo_config import DEPTH_PPO
from baselines.rollout_buffer import Minibatch
from tests.baselines.fake_env import FAKE_DEPTH_CONFIG, FakeVectorEnv


@pytest.fixture
def learner() -> PPO:
    env = FakeVectorEnv(8, FAKE_DEPTH_CONFIG, id_groups=("depth",))
    return PPO(env, dataclasses.replace(DEPTH_PPO, n_steps=4, minibatch=32, hidden=(16,)), seed=0)


@pytest.fixture
def batch(learner) -> Minibatch:
    learner.iterate()
    return next(learner.rollout_buffer.minibatches(32))


def gradients(learner: PPO, batch: Minibatch, **changes: float) -> dict[str, torch.Tensor]:
    config = dataclasses.replace(learner.config, **changes)
    learner.policy.zero_grad()
    ppo_loss(learner.policy, batch, config, learner.policy.log_std.detach())[0].backward()
    return {name: p.grad.clone() for name, p in learner.policy.named_parameters() if p.grad is not None}


def test_the_position_error_is_in_centimetres(learner, batch):
    encoder = learner.policy.encoder
    torch.nn.init.zeros_(encoder.locate[-1].weight)
    torch.nn.init.zeros_(encoder.locate[-1].bias)
    truth = learner.sight.object_position(batch.obs["privileged"])
    _, measures = ppo_loss(learner.policy, batch, learner.config, learner.policy.log_std)
    expected = 100 * (encoder.table_center - truth).norm(dim=1).mean()
    torch.testing.assert_close(measures["position_error"], expected)


def test_the_policys_loss_reaches_the_encoder_but_not_the_predicted_position(learner, batch):
    gradient = gradients(learner, batch)
    for name in ("encoder.convolutions.0.weight", "encoder.embed.0.weight"):
        assert gradient[name].abs().sum() > 0
    assert not gradient["encoder.locate.2.weight"].any()


def test_the_loss_of_the_position_reaches_the_encoder_alone(learner, batch):
    learner.policy.zero_grad()
    _, position = learner.policy.encoder(batch.obs["depth"], batch.obs["proprio"])
    locating_loss(learner.sight, position, batch.obs["privileged"])[0].backward()
    touched = {name for name, p in learner.policy.named_parameters() if p.grad is not None}
    assert "encoder.locate.2.weight" in touched and all(name.startswith("encoder.") for name in touched)


def test_the_loss_of_the_position_is_smooth_l1_in_units_of_ten_centimetres(learner, batch):
    truth = learner.sight.object_position(batch.obs["privileged"])
    near, far = (locating_loss(learner.sight, truth + x, batch.obs["privileged"])[0] for x in (0.02, 0.2))
    torch.testing.assert_close(near, torch.tensor(0.5 * 0.2**2 / 0.5), rtol=1e-3, atol=0)
    torch.testing.assert_close(far, torch.tensor(2.0 - 0.25), rtol=1e-3, atol=0)


def test_kl_matches_torch():
    torch.manual_seed(0)
    old_mean, mean, old_log_std, log_std = torch.randn(8, 3), torch.randn(8, 3), torch.randn(3), torch.randn(3)
    reference = torch.distributions.kl_divergence(
        torch.distributions.Normal(old_mean, old_log_std.exp().expand(8, 3)),
        torch.distributions.Normal(mean, log_std.exp().expand(8, 3)),
    )
    torch.testing.assert_close(gaussian_kl(old_mean, old_log_std, mean, log_std), reference.sum(-1).mean())


def test_kl_of_a_policy_with_itself_is_zero():
    mean, log_std = torch.randn(8, 3), torch.randn(3)
    assert abs(gaussian_kl(mean, log_std, mean, log_std).item()) < 1e-6


def test_what_was_seen_in_the_rollout_stands_for_a_look_at_the_images(learner, batch):
    seen = learner.policy.see(batch.obs).detach()
    looked, reused = (
        ppo_loss(learner.policy, dataclasses.replace(batch, seen=seen), learner.config, torch.zeros(2), look=look)
        for look in (True, False)
    )
    torch.testing.assert_close(looked[0], reused[0])
    torch.testing.assert_close(looked[1]["position_error"], reused[1]["position_error"])
