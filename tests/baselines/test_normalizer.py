import numpy as np
import torch

from baselines.normalizer import RunningNormalizer


def test_merged_statistics_match_numpy_over_all_data():
    rng = np.random.default_rng(0)
    chunks = [rng.normal(3.0, 2.0, (n, 4)).astype(np.float32) for n in (1, 7, 100, 33)]
    normalizer = RunningNormalizer(4)
    for chunk in chunks:
        normalizer.merge(torch.from_numpy(chunk))
    data = np.concatenate(chunks).astype(np.float64)
    np.testing.assert_allclose(normalizer.mean, data.mean(0), rtol=1e-12)
    np.testing.assert_allclose(normalizer.var, data.var(0), rtol=1e-12)
    assert normalizer.count == len(data)


def test_statistics_stay_exact_far_from_zero():
    data = torch.full((1000, 1), 1e4) + torch.linspace(-1, 1, 1000)[:, None]
    normalizer = RunningNormalizer(1)
    for chunk in data.split(10):
        normalizer.merge(chunk)
    np.testing.assert_allclose(normalizer.var, data.double().var(correction=0), rtol=1e-9)


def test_forward_normalises_and_clips():
    normalizer = RunningNormalizer(1)
    normalizer.merge(torch.tensor([[1.0], [3.0]]))
    out = normalizer(torch.tensor([[2.0], [3.0], [1000.0], [-1000.0]]))
    torch.testing.assert_close(out, torch.tensor([[0.0], [1.0], [5.0], [-5.0]]), atol=1e-5, rtol=0)
    assert out.dtype == torch.float32


def test_nothing_merged_means_identity():
    x = torch.tensor([[0.5, -2.0]])
    torch.testing.assert_close(RunningNormalizer(2)(x), x, atol=1e-5, rtol=0)


def test_denormalize_undoes_forward():
    normalizer = RunningNormalizer(1)
    normalizer.merge(torch.randn(100, 1) * 7 + 2)
    x = torch.linspace(-5, 5, 11)
    torch.testing.assert_close(normalizer.denormalize(normalizer(x)), x, atol=1e-4, rtol=0)


def test_constant_feature_stays_finite():
    normalizer = RunningNormalizer(1)
    normalizer.merge(torch.full((10, 1), 4.0))
    assert torch.isfinite(normalizer(torch.tensor([[4.0], [4.1]]))).all()
