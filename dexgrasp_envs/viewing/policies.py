"""What acts while someone watches: smooth random actions, or a user's function."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from ..errors import ConfigError

Observation = dict[str, npt.NDArray[Any]]
"""Observation groups, [N, ...] each."""
Starts = npt.NDArray[np.bool_]
"""[N]: an episode begins with this observation, so that what a policy remembers of the row counts no more."""
Policy = Callable[[Observation, Starts], npt.NDArray[Any]]
"""Actions [N, A] for observations of N environments, moment after moment."""
Inputs = Mapping[str, tuple[tuple[int, ...], str] | None]
"""What a policy reads: group -> (shape for one environment, dtype), or None where anything will do."""

_KEPT = 0.9
"""Share of a random action that the next one keeps: half of it is forgotten in 7 steps."""


class SmoothRandom:
    """Random actions that change slowly: a first-order autoregressive process, clipped to -1..1, spread over 0.6."""

    def __init__(self, num_envs: int, actions: int, seed: int):
        self._generator = np.random.default_rng(seed)
        self._action = np.zeros((num_envs, actions))

    def __call__(self, obs: Observation, starts: Starts) -> npt.NDArray[np.float32]:
        """Actions [N, A], whatever is observed."""
        noise = self._generator.normal(0.0, 0.6 * (1 - _KEPT**2) ** 0.5, self._action.shape)
        self._action = _KEPT * self._action + noise
        return np.clip(self._action, -1.0, 1.0).astype(np.float32)


def from_factory(text: str, env: VectorEnv) -> Policy:
    """The policy that `module:factory` makes of the environment; modules of the current folder are found.

    The factory takes the vector environment and returns a `Policy`. Where that has an attribute `groups`, a list of
    observation groups, the environment must deliver those.

    Raises:
        ConfigError: Module or factory are not there, or something that cannot be called came out.
    """
    module_name, _, name = text.partition(":")
    if not module_name or not name:
        raise ConfigError(f"a policy is a FILE.onnx or module:factory, got {text!r}")
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` has it; the command `dexgrasp` does not
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigError(
            f"the policy's module {module_name!r} cannot be imported: {error}; run in its folder or set PYTHONPATH"
        ) from error
    factory = getattr(module, name, None)
    if not callable(factory):
        there = ", ".join(sorted(word for word, value in vars(module).items() if callable(value) and word[0] != "_"))
        raise ConfigError(f"module {module_name!r} has no function {name!r}; it has {there or 'none'}")
    policy = factory(env)
    if not callable(policy):
        raise ConfigError(
            f"{text} returned {type(policy).__name__}; a factory returns a function of observations and starts"
        )
    require_inputs(text, dict.fromkeys(getattr(policy, "groups", ())), env)
    return policy


def require_inputs(name: str, inputs: Inputs, env: VectorEnv) -> None:
    """Raise `ConfigError` unless the environment delivers all that the policy `name` reads."""
    space = env.single_observation_space
    delivered = space.spaces if isinstance(space, gymnasium.spaces.Dict) else {}
    for group, wanted in inputs.items():
        box = delivered.get(group)
        if box is None:
            raise ConfigError(
                f"{name} reads the group {group!r}, which this environment does not deliver; it has "
                f"{', '.join(delivered)}. Take another id, or a configuration with that group"
            )
        if wanted is not None and wanted != (box.shape, str(box.dtype)):
            raise ConfigError(
                f"{name} reads {group!r} as {wanted[1]} {wanted[0]}, here it is {box.dtype} {box.shape}; take the "
                "configuration that the policy was trained on"
            )
