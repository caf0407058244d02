import torch

from baselines.loss import gaussian_kl


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
