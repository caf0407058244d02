"""The single environment under the checkers and wrappers of others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import stable_baselines3.common.env_checker as sb3_checker
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import RecordEpisodeStatistics, RecordVideo
from gymnasium.wrappers.vector import DictInfoToList
from gymnasium.wrappers.vector import RecordEpisodeStatistics as RecordVectorStatistics

from dexgrasp_envs.config import EnvConfig, EpisodeConfig
from dexgrasp_envs.env import DexGraspEnv
from dexgrasp_envs.registration import STATE_ID

SHORT = EnvConfig(episode=EpisodeConfig(seconds=0.3))
"""Episodes of 4 steps."""


@pytest.fixture
def env() -> Iterator[gymnasium.Env]:
    env = gymnasium.make(STATE_ID, config=SHORT)
    yield env
    env.close()


@pytest.fixture(params=[AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP], ids=lambda mode: mode.name)
def envs(request: pytest.FixtureRequest) -> Iterator[gymnasium.vector.VectorEnv]:
    envs = gymnasium.make_vec(STATE_ID, num_envs=2, threads=1, config=SHORT, autoreset_mode=request.param)
    yield envs
    envs.close()


@pytest.mark.filterwarnings("error")
def test_gymnasiums_checker_has_nothing_to_say() -> None:
    check_env(gymnasium.make(STATE_ID).unwrapped, skip_render_check=True)


@pytest.mark.gl
@pytest.mark.filterwarnings("error")
def test_gymnasiums_checker_has_nothing_to_say_about_pictures() -> None:
    check_env(gymnasium.make(STATE_ID, render_mode="rgb_array").unwrapped)


@pytest.mark.filterwarnings("error")
def test_gymnasiums_checker_has_nothing_to_say_about_the_privileged_group() -> None:
    check_env(gymnasium.make(STATE_ID, privileged=True).unwrapped, skip_render_check=True)


@pytest.mark.filterwarnings("error")
def test_stable_baselines3_checker_has_nothing_to_say() -> None:
    sb3_checker.check_env(gymnasium.make(STATE_ID).unwrapped)


@pytest.mark.filterwarnings("error")
def test_gymnasiums_passive_checker_has_nothing_to_say(env: gymnasium.Env) -> None:
    env.reset(seed=0)
    for _ in range(3):
        env.step(env.action_space.sample())


def test_make_gives_our_class_and_no_time_limit_of_gymnasium(env: gymnasium.Env) -> None:
    assert isinstance(env.unwrapped, DexGraspEnv)
    assert env.spec is not None and env.spec.max_episode_steps is None


def test_the_time_limit_is_that_of_the_configuration(env: gymnasium.Env) -> None:
    env.reset(seed=0)
    ends = [env.step(np.zeros(11))[2:4] for _ in range(4)]
    assert ends == [(False, False)] * 3 + [(False, True)]


def test_infos_are_plain_values_and_the_same_in_each_run(env: gymnasium.Env) -> None:
    def infos() -> list[dict[str, Any]]:
        found = [env.reset(seed=3)[1]]
        return found + [env.step(np.full(11, 0.5))[-1] for _ in range(4)]

    first = infos()
    assert first == infos()
    assert {type(value) for info in first for value in info.values()} == {bool, int, float}


def test_no_info_has_a_name_that_belongs_to_gymnasium(env: gymnasium.Env) -> None:
    _, info = env.reset(seed=0)
    assert "episode_index" in info
    assert not {"episode", "_episode", "final_obs", "final_info", "TimeLimit.truncated"} & set(info)


def test_the_metadata_tell_the_frame_rate(env: gymnasium.Env) -> None:
    assert env.metadata["render_fps"] == 15


def test_a_seed_makes_the_generator_of_gymnasium_repeatable(env: gymnasium.Env) -> None:
    env.reset(seed=4)
    first = env.unwrapped.np_random.random()
    env.reset(seed=4)
    assert env.unwrapped.np_random.random() == first


def test_a_numpy_integer_is_a_seed(env: gymnasium.Env) -> None:
    first, _ = env.reset(seed=4)
    second, _ = env.reset(seed=np.int64(4))
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_objects_have_the_names_that_reset_takes(env: gymnasium.Env) -> None:
    names = env.unwrapped.object_names
    assert env.reset(options={"object": names[7]})[1]["object"] == 7


def test_render_gives_nothing_without_a_render_mode(env: gymnasium.Env) -> None:
    env.reset(seed=0)
    assert env.unwrapped.render() is None


@pytest.mark.gl
def test_render_gives_a_picture_that_follows_the_robot() -> None:
    env = gymnasium.make(STATE_ID, render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    for _ in range(3):
        env.step(np.ones(11))
    assert not np.array_equal(before, env.render())
    env.close()


def test_a_state_can_be_restored(env: gymnasium.Env) -> None:
    env.reset(seed=0)
    state = env.unwrapped.get_state()
    first, *_ = env.step(np.ones(11))
    env.step(np.ones(11))
    env.unwrapped.set_state(state)
    second, *_ = env.step(np.ones(11))
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_gymnasiums_statistics_count_our_episodes(env: gymnasium.Env) -> None:
    recorded = RecordEpisodeStatistics(env)
    recorded.reset(seed=0)
    steps = [recorded.step(np.zeros(11)) for _ in range(4)]
    assert steps[-1][-1]["episode"]["l"] == 4
    assert steps[-1][-1]["episode"]["r"] == pytest.approx(sum(step[1] for step in steps))


def test_gymnasiums_vector_statistics_count_our_episodes(envs: gymnasium.vector.VectorEnv) -> None:
    recorded = RecordVectorStatistics(envs)
    recorded.reset(seed=0)
    rewards = []
    for _ in range(9):
        rewards.append(recorded.step(np.zeros((2, 11)))[1])
    assert list(recorded.length_queue) == [4] * 4
    np.testing.assert_allclose(list(recorded.return_queue)[:2], np.sum(rewards[:4], 0), rtol=1e-6)


def test_infos_become_a_list_of_those_of_single_environments(envs: gymnasium.vector.VectorEnv, env: Any) -> None:
    listed = DictInfoToList(envs)
    mine, theirs = listed.reset(seed=0)[1][0], env.reset(seed=0)[1]
    assert mine == theirs
    for _ in range(4):
        *_, infos = listed.step(np.zeros((2, 11)))
        obs, *_, theirs = env.step(np.zeros(11))
    if envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP:
        assert infos[0] == theirs
    else:
        assert infos[0]["final_info"] == theirs
        assert all(np.array_equal(infos[0]["final_obs"][name], obs[name]) for name in obs)


@pytest.mark.gl
@pytest.mark.filterwarnings("error::UserWarning")
def test_gymnasium_records_a_video(tmp_path: Path) -> None:
    env = gymnasium.make(STATE_ID, config=SHORT, render_mode="rgb_array")
    recorded = RecordVideo(env, str(tmp_path / "videos"), disable_logger=True)
    recorded.reset(seed=0)
    for _ in range(4):
        recorded.step(np.zeros(11))
    recorded.close()
    (video,) = tmp_path.glob("videos/*.mp4")
    assert video.stat().st_size > 1000
