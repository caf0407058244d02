"""Checks of what a user passes in: a clear error, or a value in its canonical form."""

from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor

from .config import EnvConfig
from .errors import ActionError, ConfigError


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


def env_config(value: Any, overrides: dict[str, Any]) -> EnvConfig:
    """A configuration with overrides, in its canonical form, whose rates and lengths make sense."""
    if not isinstance(value, EnvConfig):
        raise ConfigError(f"config must be an EnvConfig, got {value!r}")
    value = value.replace(**overrides).canonical()
    physics = value.physics
    for name, whole in (
        ("substeps", physics.substeps),
        ("iterations", physics.iterations),
        ("ls_iterations", physics.ls_iterations),
    ):
        positive(f"config.physics.{name}", whole)
    for name, number in (("physics.timestep", physics.timestep), ("episode.seconds", value.episode.seconds)):
        if number <= 0:
            raise ConfigError(f"config.{name} must be positive, got {number!r}")
    if value.max_steps < 1:
        raise ConfigError(f"config.episode.seconds must last for at least one action, got {value.episode.seconds!r}")
    return value


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
