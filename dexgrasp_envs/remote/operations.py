"""What a server does for its client: calls of a vector environment, data in, data out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from ..errors import ProtocolError, RemoteError, ResetNeeded
from ..final_rows import FinalRows
from .actions import check_actions
from .data_plane import Array
from .final_obs import stack
from .wire import Path

NO_PLACES: Mapping[Path, Array] = MappingProxyType({})


class Operations:
    """The operations of one vector environment.

    Args:
        env: Any vector environment; `get_state` and `set_state` are served if it has them, and the methods that its
            attribute `remote_calls` names. If its class has `observe_into`, that is called before each reset and step
            with arrays, by name of the parts of its `Dict` observation, into which it may draw the next observation
            instead of making fresh arrays: those larger than `wire.INLINE_BYTES`, in memory that is shared with the
            client; and with no arrays once the client has gone.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]):
        self._env = env
        self._last_obs: Any = None
        # Not by way of the instance: a wrapper passes on what it has not, and may keep or change observations.
        self.draws = hasattr(type(env), "observe_into")
        """Whether the environment draws where it is told to."""
        self._operations: dict[str, Callable[..., Any]] = {
            "reset": self._reset,
            "step": self._step,
            "observe": self._observe,
            "render": self._render,
            "get_state": self._get_state,
            "set_state": self._set_state,
            "call": self._call,
        }

    def run(self, name: str, arguments: dict[str, Any], places: Mapping[Path, Array] = NO_PLACES) -> Any:
        """Do one operation; whatever the environment raises is raised. The observation may be drawn in `places`."""
        if name not in self._operations:
            raise ProtocolError(f"unknown operation {name!r}; there are {', '.join(self._operations)}")
        if self.draws and name in ("reset", "step"):
            self._draw_into({path[0]: array for path, array in places.items() if len(path) == 1})
        return self._operations[name](**arguments)

    def forget(self) -> None:
        """Keep nothing that lies in the memory of a client that has gone; whatever the environment raises is raised."""
        if self.draws:
            self._last_obs = None
            self._draw_into({})

    def _draw_into(self, arrays: Mapping[Any, Array]) -> None:
        self._env.observe_into(arrays)  # type: ignore[attr-defined]

    def _reset(self, seed: Any, options: Any) -> Any:
        obs, infos = self._env.reset(seed=seed, options=options)
        self._last_obs = obs
        return {"obs": obs, "infos": infos}

    def _step(self, actions: Any) -> Any:
        # Any client may have sent them, and many environments step some rows before they come to a bad one.
        obs, rewards, terminated, truncated, infos = self._env.step(check_actions(self._env.action_space, actions))
        self._last_obs = obs
        infos = dict(infos)
        final_obs = infos.pop("final_obs", None)
        return {
            "obs": obs,
            "rewards": rewards,
            "terminated": terminated,
            "truncated": truncated,
            "infos": infos,
            "final_obs": None if final_obs is None else self._final_rows(final_obs),
        }

    def _final_rows(self, final_obs: Any) -> dict[str, Any]:
        """The finished rows only, stacked."""
        rows = getattr(self._env, "final_rows", None)
        if isinstance(rows, FinalRows):
            return {"index": rows.index, "obs": rows.obs}
        index = [i for i, row in enumerate(final_obs) if row is not None]
        return {"index": np.array(index, np.int64), "obs": stack([final_obs[i] for i in index]) if index else None}

    def _observe(self) -> Any:
        """The observation of the last reset or step."""
        if self._last_obs is None:
            raise ResetNeeded("there is no last observation: step, or reset rows of every server, first")
        return {"obs": self._last_obs}

    def _render(self) -> Any:
        frames = self._env.render()
        return None if frames is None else list(frames)

    def _get_state(self) -> Any:
        return self._having("get_state")()

    def _set_state(self, state: Any) -> None:
        self._having("set_state")(state)
        self._last_obs = None

    def _call(self, name: Any, args: Any) -> None:
        allowed = getattr(self._env, "remote_calls", ())
        if name not in allowed:
            raise RemoteError(
                f"{name!r} cannot be called from afar; of {self._env} there are {', '.join(allowed) or 'none'}"
            )
        self._having(name)(*args)

    def _having(self, name: str) -> Any:
        method = getattr(self._env, name, None)
        if method is None:
            raise RemoteError(f"{self._env} has no {name}")
        return method
