import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dexgrasp_envs.rng import philox, uniform

N = 16
ENVS = np.arange(N)
FIRST = np.zeros(N, np.int64)


def _draw(
    seed: int = 3,
    env_index: npt.NDArray[np.int64] = ENVS,
    episode: npt.NDArray[np.int64] = FIRST,
    stream: int = 0,
    count: int = 6,
    step: npt.NDArray[np.int64] | int = 0,
) -> npt.NDArray[np.float64]:
    return uniform(seed, env_index, episode, stream, count, step)


def _words(text: str) -> npt.NDArray[np.uint64]:
    return np.array([int(word, 16) for word in text.split()], np.uint64)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ("0 0 0 0", "0 0", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        (" ".join(["ffffffff"] * 4), "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_the_known_answers_of_random123(counter: str, key: str, expected: str) -> None:
    np.testing.assert_array_equal(philox(_words(counter), _words(key)), _words(expected))


def test_draws_are_float64_in_the_unit_interval() -> None:
    draws = _draw(count=1000)
    assert draws.shape == (N, 1000)
    assert draws.dtype == np.float64
    assert draws.min() >= 0.0
    assert draws.max() < 1.0


def test_draws_repeat() -> None:
    np.testing.assert_array_equal(_draw(), _draw())


@given(
    order=st.permutations(range(N)),
    cut=st.integers(0, N),
    seed=st.integers(0, 2**64 - 1),
    episodes=st.lists(st.integers(0, 2**32 - 1), min_size=N, max_size=N),
)
def test_draws_do_not_depend_on_grouping_or_order(order: list[int], cut: int, seed: int, episodes: list[int]) -> None:
    episode = np.array(episodes)
    together = _draw(seed, ENVS, episode, step=episode)
    for group in (order[:cut], order[cut:]):
        index = np.array(group, np.int64)
        alone = _draw(seed, ENVS[index], episode[index], step=episode[index])
        np.testing.assert_array_equal(alone, together[index])


def test_a_longer_draw_starts_with_the_shorter_one() -> None:
    np.testing.assert_array_equal(_draw(count=11)[:, :6], _draw(count=6))


@pytest.mark.parametrize(
    "other",
    [
        _draw(seed=4),
        _draw(seed=3 + 2**32),
        _draw(env_index=ENVS + N),
        _draw(episode=FIRST + 1),
        _draw(stream=1),
        _draw(step=1),
    ],
    ids=["low word of seed", "high word of seed", "environment", "episode", "stream", "step"],
)
def test_every_part_of_the_key_changes_every_draw(other: npt.NDArray[np.float64]) -> None:
    assert not np.isin(other, _draw()).any()


def test_a_step_for_each_environment_is_that_environments_step() -> None:
    steps = np.arange(N) % 3
    mixed = _draw(step=steps)
    for step in range(3):
        np.testing.assert_array_equal(mixed[steps == step], _draw(step=step)[steps == step])


def test_mean_variance_and_correlation_are_those_of_independent_uniforms() -> None:
    draws = uniform(0, np.arange(1000), np.zeros(1000, np.int64), 0, 200)
    # Five standard errors of each estimate.
    assert draws.mean() == pytest.approx(1 / 2, abs=5 * np.sqrt(1 / 12 / draws.size))
    assert draws.var() == pytest.approx(1 / 12, abs=5 * np.sqrt(1 / 180 / draws.size))
    neighbours = np.corrcoef(draws[:-1].ravel(), draws[1:].ravel())[0, 1]
    assert neighbours == pytest.approx(0, abs=5 / np.sqrt(draws.size))
