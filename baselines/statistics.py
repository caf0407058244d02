"""Intervals for success rates and for paired differences."""

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Interval:
    """A point estimate with its 95 % interval."""

    estimate: float
    """The observed share or mean."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end of the 95 % interval."""


def wilson(successes: int, trials: int) -> Interval:
    """Wilson score interval of a success rate; with no trials, the whole range around an undefined rate."""
    if trials == 0:
        return Interval(float("nan"), 0.0, 1.0)
    interval = stats.binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    return Interval(successes / trials, float(interval.low), float(interval.high))


def paired_difference(first: np.ndarray, second: np.ndarray, seed: int = 0, resamples: int = 10_000) -> Interval:
    """Mean of `second - first` over paired episodes [M] with its percentile bootstrap interval, seeded."""
    difference = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    rows = np.random.default_rng(seed).integers(0, len(difference), size=(resamples, len(difference)))
    low, high = np.percentile(difference[rows].mean(axis=1), [2.5, 97.5])
    return Interval(float(difference.mean()), float(low), float(high))
