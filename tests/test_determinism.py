"""Same seed, same bits: however environments are grouped, threaded, saved or faced."""

import itertools

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dexgrasp_envs.registration import IDS
from dexgrasp_envs.vector_env import DexGraspVectorEnv
from tests.vector_envs import EYES

STEPS = 12


def rollout(first: int, count: int, seed: int, threads: int = 1, steps: int = STEPS) -> dict[str, np.ndarray]:
    """Observations, rewards and infos of `count` environments from global index `first`, [steps, count, ...] each."""
    envs = DexGraspVectorEnv(
        count,
        first_env_index=first,
        threads=threads,
        config=EYES,
        groups=["state", "depth", "left", "right"],
        privileged=True,
        randomisation="paper",
        adr_level=40,
    )
    obs, infos = envs.reset(seed=seed)
    # Some episodes start late, so that time limits and autoresets fall into the rollout.
    late = envs.get_state()
    late["task.step"] = 150 - 3 - (np.arange(first, first + count) % 20)
    envs.set_state(late)
    record = []
    for step in range(steps):
        actions = np.stack(
            [np.random.default_rng((row, step)).uniform(-1, 1, 11) for row in range(first, first + count)]
        )
        obs, reward, terminated, truncated, infos = envs.step(actions)
        numbers = {k: v for k, v in infos.items() if not k.startswith(("_", "final"))}
        record.append({**obs, **numbers, "reward": reward, "terminated": terminated, "truncated": truncated})
    envs.close()
    return {key: np.stack([entry[key] for entry in record]) for key in record[0]}


def assert_same_bits(whole: dict[str, np.ndarray], parts: list[dict[str, np.ndarray]]) -> None:
    for key, values in whole.items():
        joined = np.concatenate([part[key] for part in parts], 1)
        assert values.tobytes() == joined.tobytes(), f"{key} differs"


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(1, 12), max_size=4), seed=st.integers(0, 2**63 - 1), threads=st.integers(1, 3))
def test_grouping_and_threads_do_not_change_a_bit(cuts: list[int], seed: int, threads: int) -> None:
    total = 13
    edges = sorted({0, *cuts, total})
    whole = rollout(0, total, seed, threads=2)
    parts = [rollout(a, b - a, seed, threads) for a, b in itertools.pairwise(edges)]
    assert whole["truncated"].any()
    assert_same_bits(whole, parts)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(cuts=st.lists(st.integers(1, 299), max_size=6), seed=st.integers(0, 2**62), threads=st.integers(1, 4))
def test_large_groupings_do_not_change_a_bit(cuts: list[int], seed: int, threads: int) -> None:
    edges = sorted({0, *cuts, 300})
    whole = rollout(0, 300, seed, threads=2, steps=30)
    assert_same_bits(whole, [rollout(a, b - a, seed, threads, steps=30) for a, b in itertools.pairwise(edges)])


def test_seven_is_three_and_four_and_seven_single_ones() -> None:
    whole = rollout(0, 7, seed=3)
    assert_same_bits(whole, [rollout(0, 3, 3), rollout(3, 4, 3)])
    assert_same_bits(whole, [rollout(i, 1, 3) for i in range(7)])


def test_large_batches_agree_with_small_ones() -> None:
    whole = rollout(0, 160, seed=1, threads=2, steps=4)
    assert_same_bits(whole, [rollout(0, 90, 1, steps=4), rollout(90, 70, 1, steps=4)])


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**31), before=st.integers(0, 25))
def test_a_rollout_continued_from_a_saved_state_is_the_same_bits(seed: int, before: int) -> None:
    rng = np.random.default_rng(seed)
    actions = rng.uniform(-1, 1, (before + 10, 5, 11))
    first, second = (DexGraspVectorEnv(5, threads=1, config=EYES, groups=["depth"]) for _ in range(2))
    first.reset(seed=seed)
    second.reset(seed=seed + 1)
    second.step(actions[0])
    for action in actions[:before]:
        first.step(action)
    second.set_state(first.get_state())
    for action in actions[before:]:
        a, b = first.step(action), second.step(action)
        for key in a[0]:
            assert a[0][key].tobytes() == b[0][key].tobytes()
        assert a[1].tobytes() == b[1].tobytes()
    first.close()
    second.close()


@pytest.mark.parametrize("env_id", IDS)
def test_the_single_environment_is_environment_0_of_the_vector(env_id: str) -> None:
    env = gymnasium.make(env_id, config=EYES)
    envs = gymnasium.make_vec(env_id, num_envs=3, config=EYES)
    one, _ = env.reset(seed=11)
    many, _ = envs.reset(seed=11)
    rng = np.random.default_rng(0)
    for _ in range(20):
        for key in one:
            assert one[key].tobytes() == many[key][0].tobytes()
        actions = rng.uniform(-1, 1, (3, 11)).astype(np.float32)
        one, reward, *_ = env.step(actions[0])
        many, rewards, *_ = envs.step(actions)
        assert reward == rewards[0]
    env.close()
    envs.close()
