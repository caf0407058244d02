import numpy as np
import pytest

from baselines.shuffled_images import ShuffledImages
from dexgrasp_envs.errors import ConfigError


class Recorder:
    def predict(self, obs: dict[str, np.ndarray], *about):
        self.obs, self.about = obs, about
        return obs["proprio"], about


def observe(num_envs: int) -> dict[str, np.ndarray]:
    rows = np.arange(num_envs)
    return {"proprio": rows[:, None].astype(np.float32), "depth": rows[:, None, None, None].astype(np.uint16)}


@pytest.mark.parametrize("num_envs", [2, 3, 17])
def test_everyone_sees_another_ones_image_and_its_own_body(num_envs):
    policy, obs = Recorder(), observe(num_envs)
    shuffled = ShuffledImages(policy, seed=0)
    for _ in range(20):
        np.testing.assert_array_equal(shuffled.predict(obs)[0], obs["proprio"])
        seen = policy.obs["depth"].ravel()
        assert sorted(seen) == list(range(num_envs)) and (seen != np.arange(num_envs)).all()


def test_the_order_changes_every_step_and_follows_the_seed():
    def orders(seed: int) -> list[list[int]]:
        policy = Recorder()
        shuffled = ShuffledImages(policy, seed)
        return [policy.obs["depth"].ravel().tolist() for _ in range(4) if shuffled.predict(observe(32))]

    assert orders(1) == orders(1) != orders(2)
    assert len({tuple(order) for order in orders(1)}) == 4


def test_what_was_given_stays_as_it_was():
    obs = observe(8)
    ShuffledImages(Recorder(), seed=0).predict(obs)
    np.testing.assert_array_equal(obs["depth"].ravel(), np.arange(8))


@pytest.mark.parametrize("obs", [observe(1), {"proprio": np.zeros((4, 2), np.float32)}])
def test_there_must_be_something_to_shuffle(obs):
    with pytest.raises(ConfigError, match="at least 2 environments"):
        ShuffledImages(Recorder(), seed=0).predict(obs)


def test_the_memory_passes_through():
    about = ((np.zeros((8, 3)),), np.ones(8, bool), True)
    assert ShuffledImages(Recorder(), seed=0).predict(observe(8), *about)[1] == about
