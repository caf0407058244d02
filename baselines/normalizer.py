"""Running normalisation of observations and returns."""

import torch
from torch import Tensor, nn

CLIP = 5.0
"""Bound on normalised values."""
EPSILON = 1e-6
"""Added to variances, so that constant features stay finite."""


class RunningNormalizer(nn.Module):
    """Shift and scale by the mean and variance of all data merged so far, then clip.

    The statistics only change in `merge`, which PPO calls once an iteration, so that every sample of an iteration is
    seen alike by acting and by the update. Accumulators are float64: a running float32 mean drifts over 10^9 samples.
    """

    mean: Tensor
    var: Tensor
    count: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("var", torch.ones(size, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))

    @property
    def std(self) -> Tensor:
        """Standard deviation float64 [size], kept off zero for constant features."""
        return torch.sqrt(self.var + EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x [..., size] to float32 within +-CLIP."""
        return ((x - self.mean.float()) / self.std.float()).clamp(-CLIP, CLIP)

    def denormalize(self, x: Tensor) -> Tensor:
        """Undo shift and scale of x [..., size], float32."""
        return x * self.std.float() + self.mean.float()

    @torch.no_grad()
    def merge(self, x: Tensor) -> None:
        """Merge samples [..., size] into the statistics (Chan et al., parallel variance)."""
        x = x.reshape(-1, self.mean.shape[0])
        var, mean = torch.var_mean(x.double(), dim=0, correction=0)
        total = self.count + len(x)
        delta = mean - self.mean
        merged = self.var * self.count + var * len(x) + delta.square() * self.count * len(x) / total
        self.mean += delta * len(x) / total
        self.var.copy_(merged / total)
        self.count.copy_(total)
