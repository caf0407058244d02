"""Checks of what a user passes in: a clear error, or a value in its canonical form."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor

from . import objects as object_sets
from .config import (
    ADR_LEVELS,
    CAMERAS,
    CONTROLLERS,
    DEPTH_FORMATS,
    LIGHTS,
    RANDOMISATIONS,
    RATES,
    SYNERGIES,
    TARGETS,
    CameraConfig,
    EnvConfig,
    LightConfig,
    ObservationConfig,
    RandomisationConfig,
    StereoConfig,
)
from .errors import ActionError, ConfigError
from .robots.kuka_allegro import kuka_allegro
from .sensor_config import COLOURS, DEPTH_NOISES, ColourConfig, DepthNoiseConfig
from .tiers import TIERS, on_tier


def positive(name: str, value: Any) -> int:
    """An integer of at least 1."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{name} must be an integer of at least 1, got {value!r}")
    return int(value)


def not_negative(name: str, value: Any) -> int:
    """An integer of at least 0."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 0:
        raise ConfigError(f"{name} must be an integer of at least 0, got {value!r}")
    return int(value)


def one_of(name: str, value: Any, valid: tuple[Any, ...]) -> Any:
    """One of some values."""
    if value not in valid:
        raise ConfigError(f"{name} must be one of {', '.join(map(repr, valid))}, got {value!r}")
    return value


def only_known(kind: str, names: Any, valid: tuple[str, ...]) -> None:
    """No name that is not among the valid ones."""
    unknown = sorted(set(names) - set(valid), key=str)
    if unknown:
        raise ConfigError(f"unknown {kind} {unknown[0]!r}; the {kind}s are {', '.join(valid)}")


def autoreset_mode(value: Any) -> AutoresetMode:
    """A mode, or its name."""
    try:
        return AutoresetMode(value)
    except ValueError:
        valid = ", ".join(repr(mode.value) for mode in AutoresetMode)
        raise ConfigError(f"autoreset_mode must be one of {valid}, got {value!r}") from None


CONFIG_OPTIONS = (
    *("config", "tier", "objects", "groups", "privileged", "image_size", "depth_format", "camera", "depth_noise"),
    *("light", "colour", "controller", "rate", "randomisation"),
)
"""Options of an environment that decide its configuration."""
ENV_OPTIONS = (
    *CONFIG_OPTIONS,
    *("backend", "device", "threads", "autoreset_mode", "output", "first_env_index", "render_mode", "adr_level"),
)
"""Options of a vector environment besides num_envs."""


def env_config(
    id_groups: Sequence[str],
    config: Any = None,
    tier: Any = None,
    objects: Any = None,
    groups: Any = (),
    privileged: Any = False,
    image_size: Any = None,
    depth_format: Any = None,
    camera: Any = None,
    depth_noise: Any = None,
    light: Any = None,
    colour: Any = None,
    controller: Any = None,
    rate: Any = None,
    randomisation: Any = None,
) -> EnvConfig:
    """The configuration that an environment's options come to, in its canonical form, whose values make sense."""
    config = EnvConfig() if config is None else config
    if not isinstance(config, EnvConfig):
        raise ConfigError(f"config must be an EnvConfig, got {config!r}")
    config = config.canonical()
    if (chosen := _named("camera", camera, CAMERAS, CameraConfig)) is not None:
        config = config.replace(observation=dataclasses.replace(config.observation, camera=chosen))
    if tier is not None:
        config = on_tier(config, one_of("tier", tier, tuple(TIERS)))
    one_of("privileged", privileged, (False, True))
    if objects is not None:
        if not object_sets.is_folder(objects):
            one_of("objects", objects, (*object_sets.names(), "a folder/ of meshes"))
        config = config.replace(objects=objects)
    if controller is not None:
        config = config.replace(controller=one_of("controller", controller, CONTROLLERS))
    if rate is not None:
        config = config.at_rate(one_of("rate", rate, tuple(RATES)))
    if isinstance(groups, str) or not isinstance(groups, Sequence):
        raise ConfigError(f"groups must be a list of observation groups, got {groups!r}")
    stereo = _given(
        light=_named("light", light, LIGHTS, LightConfig), colour=_named("colour", colour, COLOURS, ColourConfig)
    )
    images = _given(
        image_size=image_size,
        depth_format=depth_format,
        depth_noise=_named("depth_noise", depth_noise, DEPTH_NOISES, DepthNoiseConfig),
        stereo=dataclasses.replace(config.observation.stereo, **stereo) if stereo else None,
    )
    config = config.replace(observation=dataclasses.replace(config.observation, **images))
    if (ranges := _named("randomisation", randomisation, RANDOMISATIONS, RandomisationConfig)) is not None:
        config = config.replace(randomisation=ranges)
    config = config.observing(*id_groups, *groups, *(("privileged",) if privileged else ())).canonical()
    _check_rates(config)
    joints = kuka_allegro().arm_joints
    if len(config.spawn.arm_offset) != joints:
        raise ConfigError(f"config.spawn.arm_offset must hold {joints} angles, got {config.spawn.arm_offset}")
    _check_control(config)
    _check_observation(config.observation)
    _check_stereo(config.observation.stereo)
    _check_colour(config.observation.stereo.colour)
    _check_depth_noise(config.observation.depth_noise)
    _check_randomisation(config.randomisation)
    return config


def _given(**options: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def _named(name: str, value: Any, known: dict[str, Any], kind: type) -> Any:
    """A part of the configuration, given as it is, by name, or not at all."""
    return value if value is None or isinstance(value, kind) else known[one_of(name, value, tuple(known))]


def _check_rates(config: EnvConfig) -> None:
    physics = config.physics
    for name, whole in (
        ("substeps", physics.substeps),
        ("iterations", physics.iterations),
        ("ls_iterations", physics.ls_iterations),
    ):
        positive(f"config.physics.{name}", whole)
    for name, number in (("physics.timestep", physics.timestep), ("episode.seconds", config.episode.seconds)):
        if number <= 0:
            raise ConfigError(f"config.{name} must be positive, got {number!r}")
    if config.max_steps < 1:
        raise ConfigError(f"config.episode.seconds must last for at least one action, got {config.episode.seconds!r}")


def _check_control(config: EnvConfig) -> None:
    fabric = config.fabric
    one_of("config.controller", config.controller, CONTROLLERS)
    one_of("config.control.synergies", config.control.synergies, SYNERGIES)
    one_of("config.fabric.targets", fabric.targets, TARGETS)
    for name in (
        *("palm_reach", "palm_points", "arm_mass", "hand_mass", "limit_range", "body_range", "body_braking"),
        *("arm_max_acceleration", "hand_max_acceleration", "arm_max_jerk", "hand_max_jerk"),
    ):
        if getattr(fabric, name) <= 0:
            raise ConfigError(f"config.fabric.{name} must be positive, got {getattr(fabric, name)!r}")


def _check_observation(config: ObservationConfig) -> None:
    camera = config.camera
    one_of("depth_format", config.depth_format, DEPTH_FORMATS)
    positive("config.observation.image_period", config.image_period)
    for size in config.image_size:
        if not 8 <= size <= 4096:
            raise ConfigError(f"image_size must be (height, width) of 8 to 4096 pixels each, got {config.image_size}")
    one_of("config.observation.camera.mount", camera.mount, ("world", *kuka_allegro().body_names))
    if not 0 < camera.near < camera.far <= 6.5:
        raise ConfigError(f"a camera needs 0 < near < far <= 6.5 m, got near {camera.near} and far {camera.far}")
    if not 0 < camera.fovy < 180:
        raise ConfigError(f"a camera's fovy must be between 0 and 180 degrees, got {camera.fovy}")
    if camera.position_jitter < 0 or camera.rotation_jitter < 0:
        raise ConfigError("the jitter of a camera must not be negative")
    if np.linalg.norm(np.cross(np.subtract(camera.target, camera.position), camera.up)) < 1e-6:
        raise ConfigError("a camera's target must lie apart from its position, and not along `up`")


def _check_stereo(config: StereoConfig) -> None:
    light = config.light
    if config.baseline <= 0:
        raise ConfigError(f"config.observation.stereo.baseline must be positive, m, got {config.baseline}")
    for name, (low, high), least, most in (
        ("azimuth", light.azimuth, -360.0, 360.0),
        ("elevation", light.elevation, 1.0, 90.0),
        ("intensity", light.intensity, 0.0, 10.0),
        ("ambient", light.ambient, 0.01, 10.0),
    ):
        if not least <= low <= high <= most:
            raise ConfigError(
                f"light.{name} must be (low, high) with {least} <= low <= high <= {most}, got {(low, high)}"
            )
    if not 0 <= light.tint < 1:
        raise ConfigError(f"light.tint must be at least 0 and below 1, got {light.tint}")


def _check_depth_noise(noise: DepthNoiseConfig) -> None:
    for name in ("dropout", "random_pixels", "sticks"):
        if not 0 <= getattr(noise, name) < 1:
            raise ConfigError(f"depth_noise.{name} must be at least 0 and below 1, got {getattr(noise, name)}")
    for name in ("disparity_at_metre", "disparity_sigma", "normal_sigma"):
        if getattr(noise, name) < 0:
            raise ConfigError(f"depth_noise.{name} must not be negative, got {getattr(noise, name)}")
    if not 0 <= noise.shift_sigma <= 0.5:
        raise ConfigError(f"depth_noise.shift_sigma must be in 0..0.5 pixels, got {noise.shift_sigma}")
    if noise.disparity_sigma and not noise.disparity_at_metre:
        raise ConfigError("depth_noise.disparity_sigma needs disparity_at_metre: noise is added to disparity in steps")
    if not 1 <= noise.stick_length <= 1000:
        raise ConfigError(f"depth_noise.stick_length must be in 1..1000 pixels, got {noise.stick_length}")


def _check_colour(colour: ColourConfig) -> None:
    for name in ("textures", "hue", "blur"):
        if not 0 <= getattr(colour, name) <= 1:
            raise ConfigError(f"colour.{name} must be in 0..1, got {getattr(colour, name)}")
    for name in ("exposure", "saturation", "contrast", "brightness"):
        low, high = getattr(colour, name)
        if not 0 <= low <= high <= 10:
            raise ConfigError(f"colour.{name} must be (low, high) with 0 <= low <= high <= 10, got {(low, high)}")
    if not 2 <= colour.blur_length <= 100:
        raise ConfigError(f"colour.blur_length must be in 2..100 pixels, got {colour.blur_length}")
    if colour.noise_sigma < 0:
        raise ConfigError(f"colour.noise_sigma must not be negative, got {colour.noise_sigma}")


def _check_randomisation(config: RandomisationConfig) -> None:
    for field in dataclasses.fields(config):
        value, name = getattr(config, field.name), f"config.randomisation.{field.name}"
        if field.name in ("friction", "mass", "stiffness"):
            if not 0 < value[0] <= value[1]:
                raise ConfigError(f"{name} must be (low, high) with 0 < low <= high, got {value}")
        elif field.name in ("damping", "joint_friction"):
            if not 0 <= value[0] <= value[1]:
                raise ConfigError(f"{name} must be (low, high) with 0 <= low <= high, got {value}")
        elif min(value if isinstance(value, tuple) else (value,)) < 0:
            raise ConfigError(f"{name} must not be negative, got {value}")


def adr_levels(value: Any, rows: int, device: torch.device) -> Tensor:
    """One level of automatic domain randomisation, or one per environment, as a fresh tensor [rows]."""
    levels = per_row("adr_level", value, rows, torch.int64, device)
    if (levels < 0).any() or (levels > ADR_LEVELS).any():
        raise ConfigError(f"adr_level must be in 0..{ADR_LEVELS}, got {value!r}")
    return levels


def per_row(name: str, value: Any, rows: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """One value, or one per environment, as a fresh tensor [rows]."""
    expected = f"one {'bool' if dtype is torch.bool else 'integer'} or {rows} of them, one per environment"
    try:
        tensor = _numbers(value, device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{name} must be {expected}, got {value!r}") from error
    right_kind = (tensor.dtype == torch.bool) == (dtype == torch.bool) and not tensor.is_floating_point()
    if tensor.shape not in ((), (rows,)) or not right_kind:
        raise ConfigError(f"{name} must be {expected}, got {value!r}")
    return tensor.to(dtype).expand(rows).clone()


def action_batch(actions: Any, rows: int, size: int, device: torch.device) -> Tensor:
    """Finite actions [rows, size], float32, clipped to -1..1."""
    try:
        action = _numbers(actions, device).to(torch.float32)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ActionError(f"actions must be an array of numbers: {error}; nothing was stepped") from error
    if tuple(action.shape) != (rows, size):
        raise ActionError(f"actions must have shape {(rows, size)}, got {tuple(action.shape)}; nothing was stepped")
    finite = torch.isfinite(action).all(1)
    if not finite.all():
        bad = torch.nonzero(~finite).flatten().tolist()
        raise ActionError(f"actions of environments {bad[:8]} are not finite; nothing was stepped")
    return torch.clamp(action, -1.0, 1.0)


def _numbers(value: Any, device: torch.device) -> Tensor:
    """Real numbers as a tensor outside any autograd graph, which would otherwise be recorded into the simulation."""
    if not isinstance(value, Tensor):
        # A copy: torch takes neither read-only arrays nor negative strides.
        array = np.array(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"got {array.dtype}")
        value = torch.from_numpy(array)
    if value.is_complex():
        raise TypeError(f"got {value.dtype}")
    return value.detach().to(device)
