import gymnasium
import numpy as np
import pytest
import stable_baselines3
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

from dexgrasp_envs.adapters.sb3 import SB3VecEnv
from dexgrasp_envs.errors import ConfigError
from tests.baselines.fake_env import FakeVectorEnv


def cart_poles(count: int) -> list:
    return [lambda: gymnasium.make("CartPole-v1", max_episode_steps=15) for _ in range(count)]


def test_agrees_with_dummy_vec_env_step_by_step():
    ours = SB3VecEnv(SyncVectorEnv(cart_poles(3), autoreset_mode=AutoresetMode.SAME_STEP))
    theirs = DummyVecEnv(cart_poles(3))
    for env in (ours, theirs):
        env.seed(7)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    rng = np.random.default_rng(0)
    ended = {True: 0, False: 0}
    for _ in range(60):
        actions = rng.integers(0, 2, 3)
        for mine, other in zip(ours.step(actions)[:3], theirs.step(actions)[:3], strict=True):
            np.testing.assert_array_equal(mine, other)
        actions = rng.integers(0, 2, 3)
        _, _, dones, infos = ours.step(actions)
        _, _, _, expected = theirs.step(actions)
        for done, info, other in zip(dones, infos, expected, strict=True):
            assert info["TimeLimit.truncated"] == other["TimeLimit.truncated"]
            if done:
                np.testing.assert_array_equal(info["terminal_observation"], other["terminal_observation"])
                ended[info["TimeLimit.truncated"]] += 1
    assert ended[True] and ended[False]


def test_a_finished_row_tells_its_last_step_and_the_next_reset_apart():
    env = SB3VecEnv(FakeVectorEnv(2))
    env.reset()
    for _ in range(30):
        _, _, dones, infos = env.step(np.zeros((2, 2), np.float32))
    assert dones.all()
    for i, info in enumerate(infos):
        assert info["episode_index"] == 0 and env.reset_infos[i]["episode_index"] == 1
        assert info["is_success"] == bool(info["success"])
        assert set(info["terminal_observation"]) == {"proprio", "state", "privileged"}
        assert "final_info" not in info and "final_obs" not in info


def test_a_diverged_row_is_no_time_out():
    env = SB3VecEnv(FakeVectorEnv(2))
    env.reset()
    for step in range(30):
        env.env.diverging[0] = step == 10
        _, _, dones, infos = env.step(np.zeros((2, 2), np.float32))
        if step == 10:
            assert dones.tolist() == [True, False] and infos[0]["diverged"]
            assert infos[0]["TimeLimit.truncated"] is False
    assert dones.tolist() == [False, True] and infos[1]["TimeLimit.truncated"] is True


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
def test_other_autoreset_modes_are_refused(mode):
    with pytest.raises(ConfigError, match="SAME_STEP"):
        SB3VecEnv(FakeVectorEnv(2, autoreset_mode=mode))


def test_stock_ppo_runs_and_counts_episodes():
    env = VecMonitor(SB3VecEnv(FakeVectorEnv(4)))
    model = stable_baselines3.PPO("MultiInputPolicy", env, n_steps=64, batch_size=64, n_epochs=2, seed=0)
    model.learn(512)
    assert len(model.ep_info_buffer) >= 16
    assert {round(episode["l"]) for episode in model.ep_info_buffer} == {30}
    assert len(model.ep_success_buffer) == len(model.ep_info_buffer)


def test_seeds_make_resets_repeatable():
    env = SB3VecEnv(FakeVectorEnv(3))
    env.seed(4)
    first = env.reset()
    env.seed(4)
    second = env.reset()
    np.testing.assert_array_equal(first["state"], second["state"])


def test_attributes_and_methods_belong_to_the_whole():
    env = SB3VecEnv(FakeVectorEnv(3))
    assert env.get_attr("object_names", indices=[0, 2]) == [("near", "far")] * 2
    env.set_attr("seed", 5)
    assert env.get_attr("seed") == [5, 5, 5]
    assert len(env.env_method("get_state")) == 3
    assert env.env_is_wrapped(gymnasium.Wrapper) == [False, False, False]
    with pytest.raises(ConfigError, match="indices"):
        env.set_attr("seed", 5, indices=[0])
    with pytest.raises(ConfigError, match="indices"):
        env.env_method("get_state", indices=0)


def test_options_must_be_shared():
    env = SB3VecEnv(FakeVectorEnv(2))
    env.set_options([{"object": 1}, {}])
    with pytest.raises(ConfigError, match="one dictionary"):
        env.reset()
