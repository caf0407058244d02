import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dexgrasp_envs.config import ControlConfig, EnvConfig, EpisodeConfig, PhysicsConfig, SpawnConfig
from dexgrasp_envs.errors import ConfigError

_numbers = st.floats(allow_nan=False, allow_infinity=False)
_configs = st.builds(
    EnvConfig,
    objects=st.text(),
    privileged=st.booleans(),
    physics=st.builds(PhysicsConfig, timestep=_numbers, substeps=st.integers()),
    spawn=st.builds(SpawnConfig, half_extent=st.tuples(_numbers, _numbers)),
    control=st.builds(ControlConfig, arm_max_velocity=st.lists(_numbers).map(tuple)),
    episode=st.builds(EpisodeConfig, goal=st.tuples(_numbers, _numbers, _numbers)),
)


def _paths(config: Any, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all fields that are not themselves configurations."""
    paths = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        path = (*prefix, field.name)
        paths += _paths(value, path) if dataclasses.is_dataclass(value) else [path]
    return paths


def _changed(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return (_changed(value[0]), *value[1:])
    return value + ("x" if isinstance(value, str) else 1)


def _with_change(config: Any, path: tuple[str, ...]) -> Any:
    name, *rest = path
    value = getattr(config, name)
    return dataclasses.replace(config, **{name: _with_change(value, tuple(rest)) if rest else _changed(value)})


def _edited(*path: str, value: Any) -> str:
    """The default's JSON with one value replaced."""
    data = json.loads(EnvConfig().to_json())
    part = data
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return json.dumps(data)


@given(_configs)
def test_json_round_trip(config: EnvConfig) -> None:
    assert EnvConfig.from_json(config.to_json()) == config


@given(_configs)
def test_json_is_canonical(config: EnvConfig) -> None:
    assert EnvConfig.from_json(config.to_json()).to_json() == config.to_json()


def test_whole_numbers_are_read_as_floats() -> None:
    config = EnvConfig.from_json(_edited("episode", "seconds", value=10))
    assert config == EnvConfig()
    assert config.hash() == EnvConfig().hash()


def test_hash_is_short_and_repeatable() -> None:
    assert EnvConfig().hash() == EnvConfig().hash()
    assert len(EnvConfig().hash()) == 16


def test_hash_changes_with_every_field() -> None:
    paths = _paths(EnvConfig())
    hashes = {_with_change(EnvConfig(), path).hash() for path in paths}
    assert len(hashes | {EnvConfig().hash()}) == len(paths) + 1


def test_not_a_number_has_no_json() -> None:
    config = EnvConfig(physics=PhysicsConfig(timestep=float("nan")))
    with pytest.raises(ConfigError, match=r"physics.timestep must be finite"):
        config.to_json()


def test_an_integer_in_a_float_field_hashes_as_the_float() -> None:
    assert EnvConfig(episode=EpisodeConfig(seconds=10)).hash() == EnvConfig().hash()


def test_a_value_of_another_type_is_named() -> None:
    with pytest.raises(ConfigError, match=r"config.privileged must be bool"):
        EnvConfig(privileged=1).hash()  # type: ignore[arg-type]


def test_max_steps_is_the_length_of_an_episode_in_actions() -> None:
    config = EnvConfig(
        physics=PhysicsConfig(timestep=0.01, substeps=5),
        episode=EpisodeConfig(seconds=2.0),
    )
    assert config.max_steps == 40


def test_replace_changes_a_field() -> None:
    assert EnvConfig().replace(privileged=True) == EnvConfig(privileged=True)


def test_replace_names_an_unknown_field_and_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'object'.*objects, privileged"):
        EnvConfig().replace(object="cube")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", r"config must hold exactly the fields"),
        (_edited("object", value="cube"), r"config must hold .*'object'"),
        (_edited("physics", value={}), r"config\.physics must hold .*'substeps'"),
        (_edited("physics", "substeps", value=8.0), r"config\.physics\.substeps must be int, got 8\.0"),
        (_edited("physics", "timestep", value="fast"), r"config\.physics\.timestep must be float, got 'fast'"),
        (_edited("physics", "timestep", value=True), r"config\.physics\.timestep must be float, got True"),
        (_edited("privileged", value=1), r"config\.privileged must be bool, got 1"),
        (_edited("spawn", "center", value=[0.5]), r"config\.spawn\.center must be a list of 2 values"),
        (_edited("episode", "goal", value=[0, 0, "up"]), r"config\.episode\.goal\[2\] must be float, got 'up'"),
    ],
)
def test_from_json_names_the_field_that_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EnvConfig.from_json(text)
