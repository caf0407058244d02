"""Bad input: the named exception, a message that says what is valid, and nothing has happened."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

from dexgrasp_envs.arguments import ENV_OPTIONS
from dexgrasp_envs.config import (
    CameraConfig,
    EnvConfig,
    EpisodeConfig,
    LightConfig,
    ObservationConfig,
    PhysicsConfig,
    SpawnConfig,
    StereoConfig,
)
from dexgrasp_envs.errors import ActionError, ClosedError, ConfigError, ResetNeeded
from dexgrasp_envs.registration import DEPTH_ID, STATE_ID, STEREO_ID
from dexgrasp_envs.sensor_config import ColourConfig, DepthNoiseConfig
from dexgrasp_envs.vector_env import RESET_OPTIONS, DexGraspVectorEnv

ROWS = 2
GOOD = np.random.default_rng(0).uniform(-1, 1, (ROWS, 11)).astype(np.float32)

BAD_OPTIONS: list[tuple[str, Any, str]] = [
    ("sound", "loud", f"unknown option 'sound'; the options are {', '.join(ENV_OPTIONS)}"),
    ("max_episode_steps", 5, "unknown option 'max_episode_steps'"),
    *[("num_envs", value, "at least 1") for value in (0, -1, 1.5, True, "3", None)],
    *[("autoreset_mode", value, "'NextStep', 'SameStep', 'Disabled'") for value in ("same_step", None, 3, [])],
    *[("backend", value, "'mujoco'") for value in ("bullet", None)],
    *[("device", value, "'cpu'") for value in ("toaster", None)],
    *[("output", value, "'numpy', 'torch'") for value in ("jax", None)],
    *[("objects", value, "'primitives12'") for value in ("bananas", ["primitives12"], 3)],
    ("privileged", "yes", "False, True"),
    *[
        ("groups", value, "'touch'; the groups are state, depth, left, right, privileged")
        for value in (["touch"], ("state", "touch"))
    ],
    *[("groups", value, "must be a list of observation groups") for value in ("state", None, 3, {"state"})],
    *[("groups", value, "unknown observation group") for value in ([3], [["state"]], [None])],
    *[("image_size", value, "8 to 4096 pixels") for value in ((0, 0), (7, 64), (48, -64), (48, 4097))],
    *[("image_size", value, "must be a list of 2 values") for value in ((48,), "big", 48, (1, 48, 64), {48, 64})],
    *[("image_size", value, r"image_size\[0\] must be int") for value in ((48.5, 64), (True, 64), ("48", "64"))],
    *[("depth_format", value, "'uint16', 'float32', 'uint8'") for value in ("int8", "")],
    *[("depth_format", value, "must be str") for value in (np.uint16, 16)],
    *[("camera", value, "'right', 'front', 'paper', 'wrist'") for value in ("sky", 3, {"fovy": 50.0})],
    ("camera", CameraConfig(mount="ceiling"), "mount must be one of 'world', .*'palm_link'.*, got 'ceiling'"),
    *[
        ("camera", CameraConfig(near=near, far=far), "0 < near < far <= 6.5 m")
        for near, far in ((0.0, 1.0), (-1.0, 1.0), (1.0, 1.0), (2.0, 1.0), (0.1, 6.6))
    ],
    *[("camera", CameraConfig(fovy=value), "between 0 and 180 degrees") for value in (0.0, -46.0, 180.0)],
    ("camera", CameraConfig(position_jitter=-0.01), "jitter .* must not be negative"),
    ("camera", CameraConfig(rotation_jitter=-1.0), "jitter .* must not be negative"),
    ("camera", CameraConfig(target=CameraConfig().position), "apart from its position"),
    ("camera", CameraConfig(position=(0.0, 0.0, 1.0), target=(0.0, 0.0, 0.0)), "not along `up`"),
    ("camera", CameraConfig(fovy=float("nan")), "fovy must be finite"),
    ("camera", CameraConfig(position=(0.0, 1.0)), "position must be a list of 3 values"),  # type: ignore[arg-type]
    *[("light", value, "'fixed', 'random'") for value in ("dark", 3, {"tint": 0.5})],
    ("light", LightConfig(azimuth=(90.0, -90.0)), "light.azimuth must be .* <= low <= high <= .*got"),
    ("light", LightConfig(elevation=(-5.0, 40.0)), "light.elevation must be .*1.0 <= low"),
    ("light", LightConfig(intensity=(1.0, 0.5)), "light.intensity must be"),
    ("light", LightConfig(ambient=(0.0, 0.5)), "light.ambient must be"),
    *[("light", LightConfig(tint=value), "at least 0 and below 1") for value in (-0.1, 1.0)],
    *[("depth_noise", value, "'off', 'paper'") for value in ("loud", 3, {"dropout": 0.5})],
    *[
        ("depth_noise", DepthNoiseConfig(dropout=value), "dropout must be at least 0 and below")
        for value in (-0.1, 1.0)
    ],
    ("depth_noise", DepthNoiseConfig(shift_sigma=0.6), r"shift_sigma must be in 0..0.5 pixels, got 0.6"),
    ("depth_noise", DepthNoiseConfig(normal_sigma=-0.01), "normal_sigma must not be negative"),
    ("depth_noise", DepthNoiseConfig(disparity_sigma=0.1), "disparity_sigma needs disparity_at_metre"),
    ("depth_noise", DepthNoiseConfig(stick_length=0), "stick_length must be in 1..1000"),
    *[("colour", value, "'fixed', 'random'") for value in ("loud", 3, {"hue": 0.5})],
    ("colour", ColourConfig(hue=1.5), "colour.hue must be in 0..1, got 1.5"),
    ("colour", ColourConfig(contrast=(1.5, 0.5)), r"colour.contrast must be \(low, high\) .* got"),
    ("colour", ColourConfig(blur_length=1), "colour.blur_length must be in 2..100"),
    ("colour", ColourConfig(noise_sigma=-1.0), "colour.noise_sigma must not be negative"),
    *[
        (
            "config",
            EnvConfig(observation=ObservationConfig(stereo=StereoConfig(baseline=value))),
            "config.observation.stereo.baseline must be positive",
        )
        for value in (0.0, -0.055)
    ],
    *[("tier", value, "'easy', 'full', 'hard'") for value in ("brutal", 3)],
    ("config", EnvConfig(spawn=SpawnConfig(arm_offset=(0.1,))), "arm_offset must hold 7 angles"),
    *[("render_mode", value, "None, 'rgb_array'") for value in ("ansi", 3)],
    *[("threads", value, "at least 0") for value in (-1, 1.5, None, True)],
    *[("first_env_index", value, "at least 0") for value in (-1, 0.0)],
    ("config", {"privileged": True}, "must be an EnvConfig"),
    ("config", EnvConfig(observation=None), "config.observation must hold"),  # type: ignore[arg-type]
    ("config", EnvConfig(observation=ObservationConfig(groups=3)), "config.observation.groups must be"),  # type: ignore[arg-type]
    (
        "config",
        EnvConfig(observation=ObservationConfig(image_period=0)),
        "image_period must be an integer of at least 1",
    ),
    ("config", EnvConfig(physics=PhysicsConfig(substeps=0)), "substeps must be an integer of at least 1"),
    ("config", EnvConfig(physics=PhysicsConfig(timestep=float("nan"))), "timestep must be finite"),
    ("config", EnvConfig(episode=EpisodeConfig(seconds=-1.0)), "seconds must be positive"),
    ("config", EnvConfig(episode=EpisodeConfig(seconds=0.01)), "at least one action"),
]
_IN_ONE_ROW = GOOD.copy()
_IN_ONE_ROW[1, 3] = np.nan
BAD_ACTIONS: dict[str, tuple[Any, str]] = {
    "nan": (np.full((ROWS, 11), np.nan), r"environments \[0, 1\] are not finite"),
    "nan in one row": (_IN_ONE_ROW, r"environments \[1\] are not finite"),
    "inf": (np.full((ROWS, 11), -np.inf), "not finite"),
    "inf as float32": (np.full((ROWS, 11), 1e300), "not finite"),
    "too narrow": (np.zeros((ROWS, 10)), r"shape \(2, 11\), got \(2, 10\)"),
    "too few rows": (np.zeros((1, 11)), r"shape \(2, 11\), got \(1, 11\)"),
    "one row": (np.zeros(11), r"shape \(2, 11\), got \(11,\)"),
    "a number": (0.0, r"shape \(2, 11\), got \(\)"),
    "none": (None, "array of numbers"),
    "text": ([["0"] * 11] * ROWS, "array of numbers"),
    "objects": (np.full((ROWS, 11), None), "array of numbers"),
    "complex": (np.zeros((ROWS, 11), complex), "array of numbers"),
    "complex tensor": (torch.zeros(ROWS, 11, dtype=torch.complex64), "array of numbers"),
    "ragged": ([[0.0] * 11, [0.0] * 3], "array of numbers"),
    "dict": ({"palm": 1.0}, "array of numbers"),
}
BAD_RESETS: list[tuple[dict[str, Any], str]] = [
    ({"options": {"seeds": 3}}, f"unknown reset option 'seeds'; the reset options are {', '.join(RESET_OPTIONS)}"),
    ({"options": {1: 2, "x": 3}}, "unknown reset option"),
    *[
        ({"options": {"reset_mask": value}}, "reset_mask must be one bool or 2 of them")
        for value in ([1, 0], np.ones(3, bool), np.ones((2, 1), bool), "all", None)
    ],
    ({"options": {"reset_mask": np.zeros(ROWS, bool)}}, "at least one environment"),
    ({"options": {"object": "banana"}}, "object must be one of 'cuboid_small_5cm'"),
    *[({"options": {"object": value}}, r"object must be in 0\.\.11") for value in (12, -1, [0, 12])],
    *[
        ({"options": {"object": value}}, "object must be one integer or 2 of them")
        for value in (1.0, True, None, [1, 2, 3], ["cuboid_small_5cm", "cylinder_small_5cm"])
    ],
    *[({"options": {"episode": value}}, r"episode must be in 0\.\.") for value in (-1, 2**31)],
    *[
        ({"options": {"episode": value}}, "episode must be one integer or 2 of them")
        for value in (0.5, "first", 2**70, 1 + 2j)
    ],
    *[({"seed": value}, r"seed must be in 0\.\.") for value in (-1, [0, -1])],
    *[
        ({"seed": value}, "seed must be one integer or 2 of them")
        for value in (0.5, "lucky", True, [1], [1, 2, 3], [1, None], 2**63, {})
    ],
]


def make(**options: Any) -> gymnasium.vector.VectorEnv:
    return gymnasium.make_vec(STATE_ID, **{"num_envs": ROWS, "threads": 1, **options})


def bits(result: tuple) -> list[bytes]:
    """Observations and the other arrays of a step, as bytes."""
    obs, *arrays = result[:-1]
    return [np.asarray(values).tobytes() for values in (*obs.values(), *arrays)]


class Twins:
    """Two equal environments, of which one is given bad input."""

    def __init__(self, make: Callable[[], Any], good: np.ndarray):
        self.envs, self.untouched, self._good = make(), make(), good
        for env in (self.envs, self.untouched):
            env.reset(seed=0)
            env.step(good)

    def assert_nothing_happened(self) -> None:
        """A step and a reset later they are still equal."""
        assert bits(self.envs.step(self._good)) == bits(self.untouched.step(self._good))
        first, second = self.envs.reset()[0], self.untouched.reset()[0]
        assert all(first[name].tobytes() == second[name].tobytes() for name in first)


@pytest.fixture(scope="module")
def twins() -> Iterator[Twins]:
    """Shared by the tests, which leave both equal."""
    twins = Twins(make, GOOD)
    yield twins
    twins.envs.close()
    twins.untouched.close()


@pytest.fixture(scope="module")
def single_twins() -> Iterator[Twins]:
    """As `twins`, for the single environment in Gymnasium's wrappers."""
    twins = Twins(lambda: gymnasium.make(STATE_ID), GOOD[0])
    yield twins
    twins.envs.close()
    twins.untouched.close()


@pytest.mark.parametrize(("name", "value", "message"), BAD_OPTIONS)
def test_make_vec_refuses_an_impossible_option(name: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        make(**{name: value})
    assert name in str(caught.value)


@pytest.mark.parametrize("name", ["depth", "image", "num_environments"])
@pytest.mark.parametrize("env_id", [STATE_ID, DEPTH_ID, STEREO_ID])
def test_an_unknown_option_of_any_id_is_named_with_all_that_there_are(env_id: str, name: str) -> None:
    expected = f"unknown option '{name}'; the options are {', '.join(ENV_OPTIONS)}"
    for factory in (gymnasium.make, gymnasium.make_vec):
        with pytest.raises(ConfigError) as caught:
            factory(env_id, **{name: 1})
        assert str(caught.value) == expected


def test_all_options_are_arguments_of_the_constructor() -> None:
    parameters = inspect.signature(DexGraspVectorEnv).parameters.keys()
    assert set(ENV_OPTIONS) == parameters - {"num_envs", "id_groups", "unknown"}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    # The others are no options of the single environment, or gymnasium.make takes them itself.
    [
        bad
        for bad in BAD_OPTIONS
        if bad[0] not in ("num_envs", "autoreset_mode", "output", "render_mode", "max_episode_steps")
    ],
)
def test_make_refuses_an_impossible_option(name: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        gymnasium.make(STATE_ID, **{name: value})


@pytest.mark.parametrize("name", ["num_envs", "autoreset_mode", "output"])
def test_make_refuses_options_of_make_vec(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is an option of gymnasium.make_vec"):
        gymnasium.make(STATE_ID, **{name: 1})


@pytest.mark.filterwarnings("ignore:.*render_mode='ansi':UserWarning")
def test_make_refuses_an_unknown_render_mode() -> None:
    with pytest.raises(ConfigError, match="None, 'rgb_array'"):
        gymnasium.make(STATE_ID, render_mode="ansi")


@pytest.mark.parametrize("bad", BAD_ACTIONS)
def test_a_bad_action_is_refused_and_nothing_is_stepped(twins: Twins, bad: str) -> None:
    action, message = BAD_ACTIONS[bad]
    with pytest.raises(ActionError, match=f"{message}.*nothing was stepped"):
        twins.envs.step(action)
    twins.assert_nothing_happened()


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (np.full(11, np.nan), "not finite"),
        (np.zeros((1, 11)), r"shape \(11,\), got \(1, 11\)"),
        (np.zeros(10), r"shape \(11,\), got \(10,\)"),
        (None, r"shape \(11,\), got \(\)"),
        (["0"] * 11, "array of numbers"),
        ([0.0, [0.0]], "array of numbers"),
    ],
    ids=["nan", "batched", "too narrow", "none", "text", "ragged"],
)
def test_make_lets_our_action_error_through(single_twins: Twins, action: Any, message: str) -> None:
    with pytest.raises(ActionError, match=f"{message}.*nothing was stepped"):
        single_twins.envs.step(action)
    single_twins.assert_nothing_happened()


@pytest.mark.parametrize(("arguments", "message"), BAD_RESETS, ids=lambda value: str(value)[:60])
def test_a_bad_reset_is_refused_and_nothing_is_reset(twins: Twins, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        twins.envs.reset(**arguments)
    twins.assert_nothing_happened()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed must be an integer of at least 0"),
        ({"seed": 0.5}, "seed must be an integer of at least 0"),
        ({"seed": [3]}, "seed must be an integer of at least 0"),
        ({"seed": 2**63}, "seed"),
        ({"options": {"object": "banana"}}, "'cuboid_small_5cm'"),
        ({"options": {"colour": "red"}}, ", ".join(RESET_OPTIONS)),
    ],
    ids=str,
)
def test_make_lets_our_config_error_through(single_twins: Twins, arguments: dict[str, Any], message: str) -> None:
    generator = single_twins.envs.unwrapped.np_random
    with pytest.raises(ConfigError, match=message):
        single_twins.envs.reset(**arguments)
    assert single_twins.envs.unwrapped.np_random is generator
    single_twins.assert_nothing_happened()


def test_a_step_needs_a_reset_first() -> None:
    envs = make()
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        envs.step(GOOD)
    twin = make()
    for env in (envs, twin):
        env.reset(seed=0)
    assert bits(envs.step(GOOD)) == bits(twin.step(GOOD))


def test_a_step_of_the_single_environment_needs_a_reset_first() -> None:
    env = gymnasium.make(STATE_ID).unwrapped
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        env.step(GOOD[0])


def test_the_first_reset_must_reset_all_rows() -> None:
    envs = make()
    with pytest.raises(ResetNeeded, match="without reset_mask"):
        envs.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(ResetNeeded):
        envs.step(GOOD)


@pytest.mark.parametrize("call", ["step", "reset", "render", "get_state", "set_state"])
def test_a_closed_environment_says_so(call: str) -> None:
    envs: Any = make(num_envs=1)
    envs.reset(seed=0)
    arguments = {"step": [GOOD[:1]], "set_state": [envs.get_state()]}.get(call, [])
    envs.close()
    with pytest.raises(ClosedError, match="closed; make a new one"):
        getattr(envs, call)(*arguments)


@pytest.mark.parametrize("call", ["step", "reset"])
def test_make_lets_our_closed_error_through(call: str) -> None:
    env = gymnasium.make(STATE_ID)
    env.reset(seed=0)
    env.close()
    with pytest.raises(ClosedError, match="closed; make a new one"):
        env.step(GOOD[0]) if call == "step" else env.reset()


def test_disabled_autoreset_refuses_a_step_while_a_row_is_done() -> None:
    twins = Twins(lambda: make(autoreset_mode=AutoresetMode.DISABLED), GOOD)
    for envs in (twins.envs, twins.untouched):
        state = envs.get_state()
        state["task.step"][1] = EnvConfig().max_steps - 1
        envs.set_state(state)
        envs.step(GOOD)
    with pytest.raises(ResetNeeded, match=r"\[1\] are done.*reset_mask"):
        twins.envs.step(GOOD)
    for envs in (twins.envs, twins.untouched):
        envs.reset(options={"reset_mask": np.array([False, True])})
    twins.assert_nothing_happened()


def test_the_single_environment_refuses_a_step_after_its_end() -> None:
    env = gymnasium.make(STATE_ID)
    env.reset(seed=0)
    state = env.unwrapped.get_state()
    state["task.step"][0] = EnvConfig().max_steps - 1
    env.unwrapped.set_state(state)
    assert env.step(GOOD[0])[3]
    with pytest.raises(ResetNeeded, match="done"):
        env.step(GOOD[0])
