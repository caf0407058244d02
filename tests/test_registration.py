import gymnasium
import pytest

from dexgrasp_envs.config import GROUPS
from dexgrasp_envs.registration import DEPTH_ID, ID_GROUPS, IDS, STATE_ID, STEREO_ID, register_envs


@pytest.mark.parametrize("env_id", IDS)
def test_an_id_leaves_the_time_limit_to_us(env_id: str) -> None:
    assert gymnasium.spec(env_id).max_episode_steps is None


@pytest.mark.parametrize("env_id", IDS)
def test_an_id_makes_both_faces(env_id: str) -> None:
    spec = gymnasium.spec(env_id)
    assert spec.entry_point == "dexgrasp_envs.make_env:make_env"
    assert spec.vector_entry_point == "dexgrasp_envs.make_env:make_vector_env"


def test_an_id_is_told_which_one_it_is() -> None:
    assert IDS == (STATE_ID, DEPTH_ID, STEREO_ID)
    assert all(gymnasium.spec(env_id).kwargs == {"env_id": env_id} for env_id in IDS)


@pytest.mark.parametrize("env_id", IDS)
def test_the_groups_of_an_id_exist(env_id: str) -> None:
    assert set(ID_GROUPS[env_id]) <= set(GROUPS)


@pytest.mark.filterwarnings("error")
def test_registering_twice_changes_nothing() -> None:
    before = dict(gymnasium.registry)
    register_envs()
    assert gymnasium.registry == before
