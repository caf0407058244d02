import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from baselines.evaluation import EvaluationResult, evaluate
from dexgrasp_envs.errors import ConfigError
from tests.baselines.fake_env import FakeVectorEnv


class Seeker:
    """Moves towards the goal; those that start on the right run away instead and end early."""

    def __init__(self, runaways: bool = False) -> None:
        self.runaways = runaways

    def predict(self, obs: dict[str, np.ndarray], state=None, episode_start=None, deterministic=False):
        towards = np.clip(5 * (obs["state"] - obs["proprio"][:, :2]), -1, 1)
        if self.runaways:
            towards[obs["proprio"][:, 0] > 0.3] = 1.0
        return towards.astype(np.float32), None


def test_every_index_counts_exactly_its_first_episodes():
    result = evaluate(Seeker(runaways=True), FakeVectorEnv(12), episodes_per_env=3, seed=5)
    pairs = list(zip(result.episodes["env"].tolist(), result.episodes["episode"].tolist(), strict=True))
    assert pairs == [(env, episode) for env in range(12) for episode in range(3)]
    lengths = result.episodes["length"]
    assert lengths.min() < 20 and lengths.max() == 30


def test_an_environment_is_unaffected_by_those_that_finish_early():
    few = evaluate(Seeker(runaways=True), FakeVectorEnv(2), episodes_per_env=4, seed=5)
    many = evaluate(Seeker(runaways=True), FakeVectorEnv(12), episodes_per_env=4, seed=5)
    rows = many.episodes["env"] < 2
    for name, values in few.episodes.items():
        np.testing.assert_array_equal(values, many.episodes[name][rows])


def test_a_perfect_policy_is_told_from_a_lazy_one():
    class Lazy:
        def predict(self, obs: dict[str, np.ndarray], *about, deterministic):
            return np.zeros((len(obs["state"]), 2), np.float32), None

    good = evaluate(Seeker(), FakeVectorEnv(30), 2, seed=0)
    lazy = evaluate(Lazy(), FakeVectorEnv(30), 2, seed=0)
    assert good.rate("success_at_end").estimate == 1.0 and good.summary()["success_share"] > 0.9
    assert lazy.rate("success_at_end").high < 0.2


def test_a_policy_is_given_its_memory_back_and_told_where_episodes_begin():
    class Counter(Seeker):
        """Counts the steps of each episode."""

        def predict(self, obs, state=None, episode_start=None, deterministic=False):
            assert deterministic
            steps = np.where(episode_start, 0, 0 if state is None else state[0] + 1)
            np.testing.assert_allclose(steps, np.round(obs["privileged"][:, 2] * 30), atol=0.5)
            return super().predict(obs)[0], (steps,)

    evaluate(Counter(runaways=True), FakeVectorEnv(6), 2, seed=5)


def test_rates_by_object_add_up():
    result = evaluate(Seeker(), FakeVectorEnv(10), 2, seed=0)
    by_object = result.by_object("success_at_end")
    assert set(by_object) == {"near", "far"}
    assert sum(count for _, count in by_object.values()) == 20


@pytest.mark.parametrize("episodes", [0, -3])
def test_no_episodes_are_refused(episodes):
    with pytest.raises(ConfigError, match="episodes_per_env"):
        evaluate(Seeker(), FakeVectorEnv(2), episodes, seed=0)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
def test_other_autoreset_modes_are_refused(mode):
    with pytest.raises(ConfigError, match="SAME_STEP"):
        evaluate(Seeker(), FakeVectorEnv(2, autoreset_mode=mode), 1, seed=0)


def test_summary_counts_diverged_episodes():
    ones = np.ones(3, bool)
    columns = {name: ones for name in ("success_at_end", "success_once", "lifted", "diverged")}
    columns |= {name: np.ones(3) for name in ("success_share", "return")} | {"env": np.arange(3)}
    summary = EvaluationResult(columns, ()).summary()
    assert summary["diverged"] == 3 and summary["episodes"] == 3
    assert summary["lifted"]["low"] == pytest.approx(0.4385, abs=1e-3)
