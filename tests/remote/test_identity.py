from typing import Any

import gymnasium
import numpy as np
import pytest

from dexgrasp_envs.errors import ConfigError, HandshakeError, ProtocolError
from dexgrasp_envs.remote.identity import check_description, check_identity, describe, differences
from dexgrasp_envs.remote.spaces import space_to_data
from tests.remote.envs import cartpole


def test_an_environment_describes_itself() -> None:
    env = cartpole(3)
    identity = describe(env, {"env_id": "CartPole-v1"})
    assert identity["env_id"] == "CartPole-v1" and identity["num_envs"] == 3
    assert identity["autoreset_mode"] == "SameStep" and identity["metadata"]["render_fps"] == 50
    assert identity["packages"]["numpy"] == np.__version__
    assert identity["seeding"] == "row"


def test_only_vector_environments_can_be_served() -> None:
    with pytest.raises(ConfigError, match="VectorEnv"):
        describe(gymnasium.make("CartPole-v1"), {})


def test_an_environment_must_declare_its_autoreset_mode() -> None:
    env = cartpole()
    env.metadata = {}
    with pytest.raises(ConfigError, match="autoreset_mode"):
        describe(env, {})


def test_metadata_that_cannot_travel_are_named() -> None:
    env = cartpole()
    env.metadata = {**env.metadata, "lock": object()}
    with pytest.raises(ConfigError, match=r"\['metadata'\]\['lock'\] is a object"):
        describe(env, {})


def test_differences_are_named_field_by_field() -> None:
    actual = {"config": {"reward": {"lift": 4.0, "curl": 1}, "objects": "a"}, "version": "1"}
    expected = {"config": {"reward": {"lift": 5.0, "curl": 1}, "goal": [1, 2]}, "version": "1"}
    assert list(differences(actual, expected)) == [
        "config.reward.lift is 4.0, expected 5.0",
        "config.goal is missing",
    ]


def test_spaces_are_compared_by_their_numbers() -> None:
    spaces = [space_to_data(gymnasium.spaces.Box(-1, high, (2,))) for high in (1, 2)]
    assert not list(differences(spaces[0], spaces[0]))
    assert [line.partition(" ")[0] for line in differences(spaces[1], spaces[0])] == ["high"]


def test_a_server_that_is_not_as_expected_is_refused_with_everything_that_differs() -> None:
    with pytest.raises(HandshakeError, match=r"tcp://there.*a is 1, expected 2; b is missing.*Start it with"):
        check_identity("tcp://there", {"a": 1}, {"a": 2, "b": 3})


def test_what_an_environment_says_of_itself_is_a_description() -> None:
    check_description(describe(cartpole(3), {"env_id": "CartPole-v1"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_envs", 0),
        ("num_envs", 1.0),
        ("num_envs", 1 << 40),
        ("autoreset_mode", "Never"),
        ("autoreset_mode", np.zeros(2)),
        ("metadata", None),
        ("render_mode", 5),
        ("group", 1),
        ("groups", 1.0),
        ("groups", 1 << 40),
        ("observation_space", {"kind": "MultiBinary", "n": 1 << 40}),
        ("action_space", {"kind": "Graph"}),
    ],
)
def test_a_description_that_is_none_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ProtocolError):
        check_description({**describe(cartpole(3), {}), name: value})


def test_what_is_missing_in_a_description_is_named() -> None:
    identity = describe(cartpole(3), {})
    del identity["num_envs"]
    with pytest.raises(ProtocolError, match="num_envs"):
        check_description(identity)


def test_observations_that_no_message_holds_cannot_be_served() -> None:
    class Vast(gymnasium.Env):
        observation_space = gymnasium.spaces.Discrete(2)
        action_space = gymnasium.spaces.Discrete(2)

    env = gymnasium.vector.SyncVectorEnv([Vast] * 2)
    env.single_observation_space = gymnasium.spaces.MultiBinary(1 << 30)
    with pytest.raises(ConfigError, match="at most"):
        describe(env, {})
