"""A check of actions by the client, so that no server is stepped by actions that another refuses, and by the server."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from ..errors import ActionError


def check_actions(space: gymnasium.Space[Any], actions: Any) -> Any:
    """Batched actions as arrays of the space's shapes; ActionError if they have others, or are not such numbers.

    Numbers must be finite, and integers where the space has integers. Values outside the space's bounds are the
    environment's business; texts must be in their space.
    """
    if isinstance(space, spaces.Dict):
        if not isinstance(actions, dict) or actions.keys() != space.spaces.keys():
            raise ActionError(f"actions must be a dict of {', '.join(space.spaces)}, got {actions!r:.80}")
        return {name: check_actions(part, actions[name]) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        if not isinstance(actions, tuple) or len(actions) != len(space.spaces):
            raise ActionError(f"actions must be a tuple of {len(space.spaces)} parts, got {actions!r:.80}")
        return tuple(check_actions(*pair) for pair in zip(space.spaces, actions, strict=True))
    if isinstance(space, spaces.Text):
        if not space.contains(actions):
            raise ActionError(f"an action must be a text of {space}, got {actions!r:.80}; nothing was stepped")
        return actions
    try:
        array = np.asarray(actions)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ActionError(f"actions must be an array of numbers: {error}; nothing was stepped") from error
    if array.dtype.kind not in "biuf":
        raise ActionError(f"actions must be an array of numbers, got {array.dtype}; nothing was stepped")
    if array.dtype.kind == "f" and space.dtype is not None and space.dtype.kind != "f":
        raise ActionError(f"actions must be integers ({space.dtype}), got {array.dtype}; nothing was stepped")
    if array.shape != space.shape:
        raise ActionError(f"actions must have shape {space.shape}, got {array.shape}; nothing was stepped")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(1)).tolist()
        raise ActionError(f"actions of environments {bad[:8]} are not finite; nothing was stepped")
    return array
