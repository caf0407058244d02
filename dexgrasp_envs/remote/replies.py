"""What a server's replies must hold, looked at before anything is made of them."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from ..errors import ProtocolError

_FIELDS = {
    "reset": ("obs", "infos"),
    "observe": ("obs",),
    "step": ("obs", "rewards", "terminated", "truncated", "infos", "final_obs"),
}
"""Of the replies that are dicts of such fields."""


def check_reply(operation: str, reply: Any, space: gymnasium.Space[Any], count: int) -> None:
    """Raise ProtocolError unless a reply has its fields, in the shapes and dtypes that they must have.

    Bounds of the space are the environment's business.

    Args:
        operation: What was asked for.
        reply: The reply's data.
        space: The observation space of one environment.
        count: Number of environments.
    """
    if operation == "render":
        if reply is not None and not (isinstance(reply, list) and len(reply) == count):
            raise ProtocolError(f"render must give nothing or {count} images, got {_kind(reply)}")
    elif operation == "get_state":
        _check_state(reply, count)
    elif operation in _FIELDS:
        names = _FIELDS[operation]
        if not isinstance(reply, dict) or any(name not in reply for name in names):
            raise ProtocolError(f"the reply to {operation} must have {', '.join(names)}, got {_kind(reply)}")
        check_obs(space, reply["obs"], count, "obs")
        if "infos" in names and not isinstance(reply["infos"], dict):
            raise ProtocolError(f"infos must be a dict, got {_kind(reply['infos'])}")
        if operation == "step":
            _check_outcome(reply, space, count)


def check_obs(space: gymnasium.Space[Any], obs: Any, count: int, name: str) -> None:
    """Raise ProtocolError unless observations of so many environments have the structure, shapes and dtypes."""
    if isinstance(space, spaces.Dict):
        if not isinstance(obs, dict) or obs.keys() != space.spaces.keys():
            raise ProtocolError(f"{name} must be a dict of {', '.join(space.spaces)}, got {_kind(obs)}")
        for key, part in space.spaces.items():
            check_obs(part, obs[key], count, f"{name}[{key!r}]")
    elif isinstance(space, spaces.Tuple):
        if not isinstance(obs, tuple) or len(obs) != len(space.spaces):
            raise ProtocolError(f"{name} must be a tuple of {len(space.spaces)} parts, got {_kind(obs)}")
        for i, part in enumerate(space.spaces):
            check_obs(part, obs[i], count, f"{name}[{i}]")
    elif isinstance(space, spaces.Text):
        if not isinstance(obs, list | tuple) or len(obs) != count or not all(type(text) is str for text in obs):
            raise ProtocolError(f"{name} must be {count} texts, got {_kind(obs)}")
    else:
        _check_array(obs, (count, *(space.shape or ())), space.dtype, name)


def _check_outcome(reply: dict[str, Any], space: gymnasium.Space[Any], count: int) -> None:
    rewards, final = reply["rewards"], reply["final_obs"]
    if not isinstance(rewards, np.ndarray) or rewards.shape != (count,) or rewards.dtype.kind not in "biuf":
        raise ProtocolError(f"rewards must be {count} numbers, got {_kind(rewards)}")
    for name in ("terminated", "truncated"):
        _check_array(reply[name], (count,), np.dtype(bool), name)
    if final is None:
        return
    index = final.get("index") if isinstance(final, dict) and "obs" in final else None
    if not isinstance(index, np.ndarray) or index.ndim != 1 or index.dtype.kind not in "iu":
        raise ProtocolError("final_obs must be nothing or have index, some rows, and obs")
    if len(index) and (index[0] < 0 or index[-1] >= count or (np.diff(index.astype(np.int64)) <= 0).any()):
        raise ProtocolError(f"final_obs must be of some of {count} rows in order, got {index.tolist()[:8]}")
    if len(index):
        check_obs(space, final["obs"], len(index), "final_obs")


def _check_state(state: Any, count: int) -> None:
    if not isinstance(state, dict):
        raise ProtocolError(f"a state must be a dict of arrays, got {_kind(state)}")
    for name, array in state.items():
        if not isinstance(array, np.ndarray) or array.shape[:1] != (count,):
            raise ProtocolError(f"{name} of a state must be an array of {count} rows, got {_kind(array)}")


def _check_array(array: Any, shape: tuple[int, ...], dtype: Any, name: str) -> None:
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
        raise ProtocolError(f"{name} must be an array of {dtype} {list(shape)}, got {_kind(array)}")


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} {list(value.shape)}"
    if isinstance(value, dict):
        return f"a dict of {', '.join(map(str, list(value)[:8])) or 'nothing'}"
    return f"{type(value).__name__} {value!r:.40}"
