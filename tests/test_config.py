import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dexgrasp_envs.config import (
    CAMERAS,
    DEPTH_FORMATS,
    GROUPS,
    CameraConfig,
    ControlConfig,
    EnvConfig,
    EpisodeConfig,
    LightConfig,
    ObservationConfig,
    PhysicsConfig,
    SpawnConfig,
    StereoConfig,
)
from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.sensor_config import ColourConfig, DepthNoiseConfig

_numbers = st.floats(allow_nan=False, allow_infinity=False)
_points = st.tuples(_numbers, _numbers, _numbers)
_observations = st.builds(
    ObservationConfig,
    groups=st.lists(st.sampled_from(GROUPS)).map(tuple),
    camera=st.builds(CameraConfig, mount=st.text(), position=_points, fovy=_numbers)
    | st.sampled_from([*CAMERAS.values()]),
    image_size=st.tuples(st.integers(), st.integers()),
    image_period=st.integers(),
    depth_format=st.sampled_from(DEPTH_FORMATS),
    stereo=st.builds(StereoConfig, baseline=_numbers, light=st.builds(LightConfig, tint=_numbers))
    | st.builds(StereoConfig, colour=st.builds(ColourConfig, hue=_numbers))
    | st.just(StereoConfig()),
    depth_noise=st.builds(DepthNoiseConfig, dropout=_numbers) | st.just(DepthNoiseConfig()),
)
_configs = st.builds(
    EnvConfig,
    objects=st.text(),
    observation=_observations,
    physics=st.builds(PhysicsConfig, timestep=_numbers, substeps=st.integers()),
    spawn=st.builds(SpawnConfig, half_extent=st.tuples(_numbers, _numbers)),
    control=st.builds(ControlConfig, arm_max_velocity=st.lists(_numbers).map(tuple)),
    episode=st.builds(EpisodeConfig, goal=_points),
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
    if isinstance(value, tuple):
        return (_changed(value[0]), *value[1:]) if value else ("x",)
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


@settings(deadline=None)
@given(_configs)
def test_json_round_trip(config: EnvConfig) -> None:
    assert EnvConfig.from_json(config.to_json()) == config


@settings(deadline=None)
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


def test_the_pair_is_left_out_of_the_json_where_it_is_the_default() -> None:
    wider = EnvConfig(observation=ObservationConfig(stereo=StereoConfig(baseline=0.1)))
    assert "stereo" not in EnvConfig().to_json()
    assert EnvConfig.from_json(EnvConfig().to_json()).observation.stereo == StereoConfig()
    assert json.loads(wider.to_json())["observation"]["stereo"]["baseline"] == 0.1
    assert "colour" not in wider.to_json()


def test_noise_is_left_out_of_the_json_where_there_is_none() -> None:
    noisy = EnvConfig(observation=ObservationConfig(depth_noise=DepthNoiseConfig(dropout=0.1)))
    assert "depth_noise" not in EnvConfig().to_json()
    assert json.loads(noisy.to_json())["observation"]["depth_noise"]["dropout"] == 0.1


def test_not_a_number_has_no_json() -> None:
    config = EnvConfig(physics=PhysicsConfig(timestep=float("nan")))
    with pytest.raises(ConfigError, match=r"physics.timestep must be finite"):
        config.to_json()


def test_an_integer_in_a_float_field_hashes_as_the_float() -> None:
    assert EnvConfig(episode=EpisodeConfig(seconds=10)).hash() == EnvConfig().hash()


def test_a_value_of_another_type_is_named() -> None:
    with pytest.raises(ConfigError, match=r"config.objects must be str, got 1"):
        EnvConfig(objects=1).hash()  # type: ignore[arg-type]


def test_max_steps_is_the_length_of_an_episode_in_actions() -> None:
    config = EnvConfig(
        physics=PhysicsConfig(timestep=0.01, substeps=5),
        episode=EpisodeConfig(seconds=2.0),
    )
    assert config.max_steps == 40


def test_replace_changes_a_field() -> None:
    assert EnvConfig().replace(objects="cubes") == EnvConfig(objects="cubes")


def test_replace_names_an_unknown_field_and_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'object'.*objects, observation"):
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
        (_edited("observation", "groups", value="state"), r"config\.observation\.groups must be a list of any number"),
        (_edited("observation", "groups", value=["state", 1]), r"config\.observation\.groups\[1\] must be str, got 1"),
        (_edited("observation", "image_size", value=[120]), r"config\.observation\.image_size must be a list of 2"),
        (_edited("observation", "camera", value="right"), r"config\.observation\.camera must hold .*'fovy'"),
        (
            _edited("observation", "camera", "far", value=None),
            r"config\.observation\.camera\.far must be float, got None",
        ),
        (_edited("spawn", "center", value=[0.5]), r"config\.spawn\.center must be a list of 2 values"),
        (_edited("episode", "goal", value=[0, 0, "up"]), r"config\.episode\.goal\[2\] must be float, got 'up'"),
    ],
)
def test_from_json_names_the_field_that_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EnvConfig.from_json(text)


def test_an_environment_observes_nothing_more_by_default() -> None:
    assert EnvConfig().observation.groups == ()


@given(st.lists(st.sampled_from(GROUPS)), st.lists(st.sampled_from(GROUPS)))
def test_observing_adds_groups_once_each_and_in_their_order(had: list[str], added: list[str]) -> None:
    config = EnvConfig(observation=ObservationConfig(groups=tuple(had))).observing(*added)
    assert config.observation.groups == tuple(name for name in GROUPS if name in had + added)


def test_observing_changes_nothing_else() -> None:
    config = EnvConfig(objects="cubes", observation=ObservationConfig(image_size=(8, 9), camera=CAMERAS["wrist"]))
    more = config.observing("depth")
    assert more.replace(observation=config.observation) == config
    assert dataclasses.replace(more.observation, groups=()) == config.observation


@pytest.mark.parametrize("had", [(), ("touch",)])
def test_observing_names_an_unknown_group_and_the_known_ones(had: tuple[str, ...]) -> None:
    config = EnvConfig(observation=ObservationConfig(groups=had))
    with pytest.raises(
        ConfigError, match="unknown observation group 'touch'; the groups are state, depth, left, right, privileged"
    ):
        config.observing(*(() if had else ("touch",)))


def test_the_default_camera_is_the_one_at_the_right() -> None:
    assert ObservationConfig().camera == CAMERAS["right"]


def test_named_cameras_differ() -> None:
    assert set(CAMERAS) == {"right", "front", "paper", "wrist"}
    assert len(set(CAMERAS.values())) == len(CAMERAS)
