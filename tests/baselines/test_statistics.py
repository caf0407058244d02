import math

import numpy as np
import pytest
from scipy import stats

from baselines.statistics import paired_difference, wilson


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (8, 10), (431, 600)])
def test_wilson_matches_its_formula(successes: int, trials: int):
    z = stats.norm.ppf(0.975)
    p = successes / trials
    centre = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials**2))
    interval = wilson(successes, trials)
    assert interval.estimate == p
    assert interval.low == pytest.approx(centre - half, abs=1e-9)
    assert interval.high == pytest.approx(centre + half, abs=1e-9)


def test_wilson_without_trials_knows_nothing():
    interval = wilson(0, 0)
    assert math.isnan(interval.estimate) and (interval.low, interval.high) == (0.0, 1.0)


def test_paired_difference_agrees_with_scipy():
    rng = np.random.default_rng(3)
    first, second = rng.random(200) < 0.3, rng.random(200) < 0.6
    ours = paired_difference(first, second)
    difference = second.astype(float) - first.astype(float)
    theirs = stats.bootstrap((difference,), np.mean, method="percentile", rng=np.random.default_rng(0))
    assert ours.estimate == pytest.approx(difference.mean())
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.01)


def test_paired_difference_is_reproducible_and_sees_no_change():
    outcomes = np.array([True, False, True, True])
    assert paired_difference(outcomes, outcomes) == paired_difference(outcomes, outcomes)
    assert paired_difference(outcomes, outcomes).high == 0.0
