import gymnasium
import pytest

from dexgrasp_envs.registration import IDS, register_envs


@pytest.mark.parametrize("env_id", IDS)
def test_an_id_leaves_the_time_limit_to_us(env_id: str) -> None:
    assert gymnasium.spec(env_id).max_episode_steps is None


@pytest.mark.parametrize("env_id", IDS)
def test_an_id_makes_both_faces(env_id: str) -> None:
    spec = gymnasium.spec(env_id)
    assert spec.entry_point == "dexgrasp_envs.env:DexGraspEnv"
    assert spec.vector_entry_point == "dexgrasp_envs.vector_env:DexGraspVectorEnv"


@pytest.mark.filterwarnings("error")
def test_registering_twice_changes_nothing() -> None:
    before = dict(gymnasium.registry)
    register_envs()
    assert gymnasium.registry == before
