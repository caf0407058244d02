"""The environment with everything randomised: levels, bits, saved state, remote simulators."""

from collections.abc import Iterator

import gymnasium
import numpy as np
import pytest

from dexgrasp_envs.config import ADR_LEVELS, RANDOMISATIONS, EnvConfig, RandomisationConfig
from dexgrasp_envs.errors import ConfigError, StateError
from dexgrasp_envs.registration import DEPTH_ID, STATE_ID
from dexgrasp_envs.vector_env import DexGraspVectorEnv
from tests.vector_envs import LIMIT, ROWS, Make, actions, assert_same_infos, same, set_steps

EVERYTHING = {"randomisation": "paper", "image_size": (24, 32), "privileged": True, "groups": ["state"]}


@pytest.fixture(scope="module")
def envs() -> Iterator[DexGraspVectorEnv]:
    """Randomised in everything; its level is what the last test left."""
    made = gymnasium.make_vec(DEPTH_ID, num_envs=ROWS, threads=1, **EVERYTHING).unwrapped
    assert isinstance(made, DexGraspVectorEnv)
    yield made
    made.close()


def test_level_0_has_the_bits_of_no_randomisation(envs: DexGraspVectorEnv, make: Make) -> None:
    plain = make(DEPTH_ID, **{**EVERYTHING, "randomisation": "none"})
    envs.set_adr_level(0)
    assert same(envs.reset(seed=3), plain.reset(seed=3))
    for number in range(5):
        assert same(envs.step(actions(number)), plain.step(actions(number)))


def test_the_default_is_no_part_of_the_configuration_s_json() -> None:
    assert "randomisation" not in EnvConfig().to_json()
    config = EnvConfig(randomisation=RANDOMISATIONS["paper"])
    assert EnvConfig.from_json(config.to_json()) == config


def test_a_level_holds_from_the_next_episode_of_a_row(envs: DexGraspVectorEnv) -> None:
    envs.set_adr_level([0, 10, 20])
    assert envs.reset(seed=0)[1]["adr_level"].tolist() == [0, 10, 20]
    envs.adr_level = 30
    assert envs.adr_level.tolist() == [30, 30, 30]
    set_steps(envs, [3, LIMIT - 1, 3])
    infos = envs.step(actions(0))[4]
    assert infos["adr_level"].tolist() == [0, 30, 20]
    assert infos["final_info"]["adr_level"][1] == 10
    assert envs.reset(options={"reset_mask": [True, False, False]})[1]["adr_level"].tolist() == [30, 30, 20]


def test_a_saved_state_goes_on_with_the_same_bits_elsewhere(envs: DexGraspVectorEnv, make: Make) -> None:
    envs.set_adr_level([ADR_LEVELS, 20, 5])
    envs.reset(seed=4)
    envs.set_adr_level(40)
    envs.step(actions(0))
    set_steps(envs, [3, LIMIT - 2, 3])
    state = envs.get_state()
    expected = [envs.step(actions(number)) for number in range(4)]
    other = make(DEPTH_ID, **EVERYTHING)
    other.reset(seed=9)
    other.set_state(state)
    for number in range(4):
        ours = other.step(actions(number))
        assert same(ours[:4], expected[number][:4])
        assert_same_infos(ours[4], expected[number][4])
    assert other.adr_level.tolist() == [40, 40, 40]


def test_a_state_of_an_impossible_level_is_refused(envs: DexGraspVectorEnv) -> None:
    envs.reset(seed=0)
    state = envs.get_state()
    state["task.adr_level"][0] = ADR_LEVELS + 1
    with pytest.raises(StateError, match="adr_level must be in 0"):
        envs.set_state(state)


def test_a_push_accelerates_a_lifted_object_as_it_says(make: Make) -> None:
    envs = make(STATE_ID, randomisation=RandomisationConfig(push=10.0, mass=(2.0, 2.0)), adr_level=ADR_LEVELS)
    envs.reset(seed=0)
    state = envs.get_state()
    state["sim.state"][:, 1 + 23 + 2] = 1.2
    envs.set_state(state)
    push = envs._task.push()
    assert push is not None
    before = envs._sim.object_vel[:, :3].clone()
    envs.step(np.zeros((ROWS, 11), np.float32))
    physics = envs.config.physics
    gained = (envs._sim.object_vel[:, :3] - before) / (physics.timestep * physics.substeps)
    np.testing.assert_allclose(gained.numpy(), push.numpy() - [0.0, 0.0, 9.81], atol=0.1)


@pytest.mark.parametrize("level", [-1, ADR_LEVELS + 1, 1.5, [1, 2], "full"])
def test_an_impossible_level_is_refused_and_changes_nothing(envs: DexGraspVectorEnv, level: object) -> None:
    envs.set_adr_level(7)
    with pytest.raises(ConfigError, match="adr_level must be"):
        envs.set_adr_level(level)  # type: ignore[arg-type]
    assert envs.adr_level.tolist() == [7] * ROWS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("friction", (0.0, 1.0)),
        ("mass", (2.0, 1.0)),
        ("damping", (-1.0, 1.0)),
        ("push", -1.0),
        ("spawn_extent", (-1.0, 0.0)),
    ],
)
def test_an_impossible_range_is_named(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"config.randomisation.{field} must"):
        gymnasium.make_vec(STATE_ID, 1, randomisation=RandomisationConfig(**{field: value}))  # type: ignore[arg-type]


def test_an_unknown_randomisation_is_refused() -> None:
    with pytest.raises(ConfigError, match="randomisation must be one of 'none', 'paper', got 'all'"):
        gymnasium.make_vec(STATE_ID, 1, randomisation="all")


def test_one_environment_has_a_level_too() -> None:
    with gymnasium.make(STATE_ID, adr_level=3, randomisation="paper") as env:
        face = env.unwrapped
        assert face.adr_level == 3  # type: ignore[attr-defined]
        face.adr_level = 4  # type: ignore[attr-defined]
        assert env.reset(seed=0)[1]["adr_level"] == 4


def test_simulators_elsewhere_give_the_same_bits_when_the_level_changes(make: Make) -> None:
    local = make(STATE_ID, randomisation="paper", adr_level=12)
    remote = gymnasium.make_vec(STATE_ID, ROWS, remote="spawn:2", threads=1, randomisation="paper", adr_level=12)
    try:
        assert same(remote.reset(seed=7), local.reset(seed=7))
        for env in (remote.unwrapped, local):
            env.set_adr_level([50, 0, 25])  # type: ignore[attr-defined]
        assert remote.unwrapped.adr_level.tolist() == [50, 0, 25]  # type: ignore[attr-defined]
        for number in range(2):
            assert same(remote.step(actions(number)), local.step(actions(number)))
        ours, theirs = remote.reset(), local.reset()
        assert ours[1]["adr_level"].tolist() == [50, 0, 25]
        assert same(ours[0], theirs[0])
        assert same(remote.step(actions(3)), local.step(actions(3)))
    finally:
        remote.close()
