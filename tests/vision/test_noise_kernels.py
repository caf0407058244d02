"""Each kind of noise alone: how much, how often, how far; then what holds for all."""

from dataclasses import astuple, replace

import numpy as np
import pytest
from scipy import stats

from dexgrasp_envs.sensor_config import DEPTH_NOISES, DepthNoiseConfig
from dexgrasp_envs.vision.compiled import NOTHING
from dexgrasp_envs.vision.noise_kernels import add_noise

SIZE = (200, 240)
PIXELS = SIZE[0] * SIZE[1]
NEAR, FAR = 0.02, 2.0
KINECT = 351.3
PAPER = DEPTH_NOISES["paper"]
FLAT = np.full(SIZE, 1.0, np.float32)


def noisy(depth: np.ndarray, noise: DepthNoiseConfig, step: int = 0, key: int = 0) -> np.ndarray:
    out = depth.copy()
    keys = np.random.default_rng(key).integers(0, 2**32, 8, dtype=np.uint32)
    lines = np.empty((6, depth.shape[1] + 2), np.float32)
    add_noise(out, np.float32(NEAR), np.float32(FAR), np.array(astuple(noise), np.float32), keys, step, lines)
    return out


def ramp(axis: int, slope: float = 0.002) -> np.ndarray:
    """Depth that grows by so much from pixel to pixel."""
    along = np.arange(SIZE[axis], dtype=np.float32) * np.float32(slope) + 1.0
    return np.broadcast_to(along[:, None] if axis == 0 else along, SIZE).astype(np.float32)


def lagged(error: np.ndarray, lag: int) -> float:
    """Correlation of pixels with those so many columns away."""
    return float(np.corrcoef(error[:, lag:].ravel(), error[:, :-lag].ravel())[0, 1])


def test_no_noise_changes_no_bit() -> None:
    depth = ramp(1)
    assert noisy(depth, DepthNoiseConfig()).tobytes() == depth.tobytes()


def test_normal_noise_has_its_sigma_and_nearly_the_shape_of_a_normal_distribution() -> None:
    error = (noisy(FLAT, DepthNoiseConfig(normal_sigma=0.01)) - FLAT) / 0.01
    assert abs(error.mean()) < 0.02 and error.std() == pytest.approx(1.0, abs=0.015)
    for quantile in (0.023, 0.16, 0.5, 0.84, 0.977):
        assert np.quantile(error, quantile) == pytest.approx(stats.norm.ppf(quantile), abs=0.05)


def test_normal_noise_of_neighbours_is_independent() -> None:
    error = noisy(FLAT, DepthNoiseConfig(normal_sigma=0.01)) - FLAT
    assert abs(lagged(error, 1)) < 0.02 and abs(lagged(error.T, 1)) < 0.02


def test_dropout_makes_its_share_of_pixels_invalid_and_leaves_the_others() -> None:
    depth = noisy(FLAT, DepthNoiseConfig(dropout=0.01))
    lost = depth == NOTHING
    assert lost.mean() == pytest.approx(0.01, abs=4 * np.sqrt(0.01 / PIXELS))
    assert (depth[~lost] == 1.0).all()


def test_random_pixels_are_their_share_and_uniform_between_near_and_far() -> None:
    depth = noisy(FLAT, DepthNoiseConfig(random_pixels=0.05))
    changed = depth[depth != 1.0]
    assert len(changed) / PIXELS == pytest.approx(0.05, abs=4 * np.sqrt(0.05 / PIXELS))
    assert stats.kstest(changed, stats.uniform(NEAR, FAR - NEAR).cdf).pvalue > 1e-3


def test_sticks_are_straight_lines_of_one_depth_that_begin_at_their_share_of_pixels() -> None:
    share, longest = 0.0005, 18
    depth = noisy(FLAT, DepthNoiseConfig(sticks=share, stick_length=longest))
    sticks = [np.argwhere(depth == value) for value in np.unique(depth[depth != 1.0])]
    assert len(sticks) == pytest.approx(share * PIXELS, abs=4 * np.sqrt(share * PIXELS))
    lengths = []
    for pixels in sticks:
        centred = pixels - pixels.mean(0)
        across = np.linalg.svd(centred, full_matrices=False)[2][-1] if len(pixels) > 1 else np.zeros(2)
        assert np.abs(centred @ across).max() < 1.0
        lengths.append(np.linalg.norm(np.ptp(pixels, axis=0)) + 1)
    assert max(lengths) <= longest + 1 and np.mean(lengths) == pytest.approx((longest + 1) / 2, abs=2.5)


def test_disparity_is_rounded_to_whole_steps() -> None:
    depth = ramp(1)
    rounded = noisy(depth, DepthNoiseConfig(disparity_at_metre=KINECT))
    steps = KINECT / rounded.astype(float)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
    assert (np.abs(KINECT / depth.astype(float) - steps) <= 0.501).all()


def test_disparity_noise_comes_before_the_rounding() -> None:
    depth = ramp(1)
    rounded = noisy(depth, DepthNoiseConfig(disparity_at_metre=KINECT, disparity_sigma=0.5))
    error = KINECT / rounded.astype(float) - KINECT / depth.astype(float)
    assert error.std() == pytest.approx(np.sqrt(0.5**2 + 1 / 12), rel=0.02) and abs(error.mean()) < 0.01
    steps = KINECT / rounded.astype(float)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)


@pytest.mark.parametrize("axis", [0, 1])
def test_shifts_along_both_axes_have_their_sigma(axis: int) -> None:
    depth = ramp(axis)
    shift = ((noisy(depth, DepthNoiseConfig(shift_sigma=0.5)) - depth) / 0.002)[1:-1, 1:-1]
    # Those beyond one pixel end there, which takes 2 % of the standard deviation.
    assert shift.std() == pytest.approx(0.49, abs=0.01) and abs(shift.mean()) < 0.01
    assert np.abs(shift).max() <= 1.001 and abs(lagged(shift, 1)) < 0.02


def test_shifts_change_only_what_is_next_to_an_edge_and_to_a_depth_between_both_sides() -> None:
    depth = np.where(np.arange(SIZE[1]) < 100, np.float32(0.8), np.float32(1.6)) * np.ones((SIZE[0], 1), np.float32)
    shifted = noisy(depth, DepthNoiseConfig(shift_sigma=0.5))
    beside = np.zeros(SIZE, bool)
    beside[:, 99:101] = True
    np.testing.assert_allclose(shifted[~beside], depth[~beside], rtol=1e-6)
    assert (np.abs(shifted - depth)[beside] > 0.01).mean() > 0.3
    assert shifted.min() > 0.799 and shifted.max() < 1.601


def test_shifts_correlate_what_pixels_measure_over_two_pixels_and_no_more() -> None:
    depth = np.random.default_rng(0).uniform(0.9, 1.1, SIZE).astype(np.float32)
    shifted = noisy(depth, DepthNoiseConfig(shift_sigma=0.5))
    assert lagged(shifted, 1) > 0.1 and abs(lagged(shifted, 3)) < 0.02


def test_invalid_pixels_stay_so_and_all_others_lie_between_near_and_far() -> None:
    depth = np.linspace(NEAR, FAR, PIXELS, dtype=np.float32).reshape(SIZE)
    depth[40:60, 30:90] = NOTHING
    strong = replace(PAPER, normal_sigma=0.05, random_pixels=0.1, sticks=0.01, dropout=0.05)
    seen = noisy(depth, strong)
    assert (seen[40:60, 30:90] == NOTHING).all()
    valid = seen[seen != NOTHING]
    assert 0.8 * PIXELS < len(valid) < 0.96 * PIXELS and valid.min() >= NEAR and valid.max() <= np.float32(FAR)


@pytest.mark.parametrize(
    "kind", ["shift_sigma", "disparity_sigma", "normal_sigma", "dropout", "random_pixels", "sticks"]
)
def test_a_kind_does_not_change_the_draws_of_another(kind: str) -> None:
    """What was dropped, or made random, is so whatever else is on."""
    alone = DepthNoiseConfig(dropout=0.02)
    lost = noisy(FLAT, alone) == NOTHING
    more = replace(alone, **{kind: getattr(PAPER, kind)}, disparity_at_metre=KINECT)
    if kind != "dropout":
        assert ((noisy(FLAT, more) == NOTHING) == lost).all()
    else:
        assert (noisy(FLAT, more) == NOTHING)[lost].mean() < 0.1


def test_noise_is_a_function_of_key_and_step() -> None:
    first = noisy(FLAT, PAPER, step=3, key=1)
    np.testing.assert_array_equal(noisy(FLAT, PAPER, step=3, key=1), first)
    for other in (noisy(FLAT, PAPER, step=4, key=1), noisy(FLAT, PAPER, step=3, key=2)):
        error, others = first - 1.0, other - 1.0
        usual = (np.abs(error) < 0.1) & (np.abs(others) < 0.1)
        assert abs(np.corrcoef(error[usual], others[usual])[0, 1]) < 0.02


@pytest.mark.parametrize("size", [(8, 8), (8, 33), (9, 160)])
def test_images_of_any_size_have_noise_to_their_borders(size: tuple[int, int]) -> None:
    depth = np.full(size, 1.0, np.float32)
    seen = noisy(depth, replace(PAPER, dropout=0.0))
    assert (seen != depth).all() and (seen <= FAR).all()
