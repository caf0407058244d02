"""A vector environment whose rows live at one or several servers."""

import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

import gymnasium
import numpy as np
import numpy.typing as npt
import zmq
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from ..errors import (
    ClosedError,
    ConfigError,
    DexGraspError,
    HandshakeError,
    ProtocolError,
    RemoteError,
    ResetNeeded,
    ServerLost,
    StateError,
)
from ..final_rows import FinalRows
from . import final_obs, rows
from .actions import check_actions
from .connection import Check, Connection, wait_for
from .data_plane import Place, anywhere
from .heartbeat import Heartbeat
from .identity import BY_INDEX, check_identity, differences
from .keys import ClientKeys
from .limits import Deadlines
from .obs_batch import ObsBatch
from .spaces import space_from_data

Arrays = dict[str, npt.NDArray[np.generic]]
Flags = npt.NDArray[np.bool_]
Call = tuple[str, dict[str, Any]]
"""Operation and arguments."""
SAME_EVERYWHERE = (
    *("version", "packages", "env_id", "config", "config_hash", "fingerprint", "object_names", "seeding"),
    *("autoreset_mode", "render_mode", "metadata", "observation_space", "action_space"),
)
"""What all servers of one client must agree in, besides what the client expects."""
READING = {"observe", "render", "get_state"}
"""Operations that change nothing."""


class RemoteVectorEnv(VectorEnv[Any, Any, npt.NDArray[Any]]):
    """The environments of some servers as one vector environment, in the order of the servers.

    Example:
        >>> from dexgrasp_envs.remote.client import RemoteVectorEnv
        >>> envs = RemoteVectorEnv(["tcp://127.0.0.1:5555", "tcp://127.0.0.1:5556"])
        >>> obs, infos = envs.reset(seed=0)
        >>> obs, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
        >>> envs.close()

    What the environment raises at a server is raised here, of the same class if it is one of this package. ServerLost
    and DeadlineExceeded are final: the environment cannot be used after them, only closed. If an error left some
    servers a call ahead of others, ResetNeeded is raised until all rows are reset.

    Args:
        endpoints: Addresses, tcp://HOST:PORT or ipc://PATH.
        expect: What every server's identity must hold, see `identity.describe`.
        keys: This client's key and the servers', if they have keys; all servers have the same.
        shared_memory: Whether images come through shared memory from servers on this machine.
        deadlines: How long to wait.
        checks: One for each server whose process is known.
        on_close: Called once when the environment is closed, collected, or the interpreter ends.

    Raises:
        DeadlineExceeded: A server cannot be reached.
        ServerBusy: A server has a client.
        HandshakeError: A server is not as expected, differs from the others, or has other keys.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        expect: dict[str, Any] | None = None,
        *,
        keys: ClientKeys | None = None,
        shared_memory: bool = True,
        deadlines: Deadlines | None = None,
        checks: Sequence[Check | None] | None = None,
        on_close: Callable[[], None] | None = None,
    ):
        if isinstance(endpoints, str) or not endpoints:
            raise ConfigError(f"endpoints must be a list of at least one address, got {endpoints!r}")
        self._deadlines = deadlines or Deadlines()
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        connections: list[Connection] = []
        heartbeats: list[Heartbeat] = []
        # Also at garbage collection and at the interpreter's end, whatever happens below.
        self._release = weakref.finalize(self, _release, os.getpid(), context, connections, heartbeats, on_close)
        try:
            for endpoint, check in zip(endpoints, checks or [None] * len(endpoints), strict=True):
                connections.append(Connection(context, endpoint, self._deadlines, check, keys, shared_memory))
            self._connections = connections
            self.identities = self._meet(expect or {})
            """Who the servers are."""
        except BaseException:
            self._release()
            raise
        leases = [(connection.endpoint, connection.lease) for connection in connections]
        heartbeats.append(Heartbeat(context, leases, self._deadlines.heartbeat, keys))
        heartbeats[0].start()

    def _meet(self, expect: dict[str, Any]) -> list[dict[str, Any]]:
        """Shake hands with all servers and take on what they are."""
        identities = [connection.hello() for connection in self._connections]
        first = identities[0]
        for connection, identity in zip(self._connections, identities, strict=True):
            check_identity(connection.endpoint, identity, expect)
            common = {name: first.get(name) for name in SAME_EVERYWHERE if name in first}
            found = list(differences(identity, common))
            if found:
                raise HandshakeError(
                    f"the server at {connection.endpoint} differs from that at {self._connections[0].endpoint}: "
                    f"{'; '.join(found)}. Start all with the same options and version"
                )
        stops = np.cumsum([identity["num_envs"] for identity in identities]).tolist()
        self._slices = [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]
        self._mode = AutoresetMode(first["autoreset_mode"])
        self._by_row = first["seeding"] != BY_INDEX
        self.num_envs = stops[-1]
        self.metadata = {**first["metadata"], "autoreset_mode": self._mode}
        self.render_mode = first["render_mode"]
        self.single_observation_space = space_from_data(first["observation_space"])
        self.single_action_space = space_from_data(first["action_space"])
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._started = self._torn = self._unseen = False
        self._failure: DexGraspError | None = None
        self._done = np.zeros(self.num_envs, bool)
        self.final_rows: FinalRows | None = None
        """The rows that the last step finished, compactly, if observations are dicts (SAME_STEP autoreset only)."""
        self._no_final_rows()
        return identities

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset all rows, or those of `options["reset_mask"]` (bool [N]); see the served environment.

        Options that are arrays or lists of N entries are one per row. A server none of whose rows are reset is
        asked for its last observation only.
        """
        self._check_open()
        mask = self._reset_mask(options)
        chosen = [bool(mask[part].any()) for part in self._slices]
        if not self._started and not mask.all():
            raise ResetNeeded("the first reset must reset all environments: call reset() without reset_mask")
        if self._torn and not mask.all():
            raise ResetNeeded("an error left the servers at different steps: reset all environments")
        if self._unseen and not all(chosen):
            raise ResetNeeded("step once after set_state, or reset environments of every server")
        batch = ObsBatch(self.observation_space)
        seeds = rows.split_seed(seed, self._slices, self._by_row)
        split = rows.split_options(options, self._slices)
        parts = self._call_all(
            [
                ("reset", {"seed": one_seed, "options": one_options}) if asked else ("observe", {})
                for asked, one_seed, one_options in zip(chosen, seeds, split, strict=True)
            ],
            [batch.place(part) for part in self._slices],
        )
        _check_fields(parts, ("obs",))
        self._started, self._torn, self._unseen = True, False, False
        self._done[mask] = False
        self._no_final_rows()
        infos = rows.join_infos([part.get("infos") for part in parts], self._slices)
        return batch.join([part["obs"] for part in parts]), infos

    def step(self, actions: Any) -> tuple[Any, npt.NDArray[Any], Flags, Flags, dict[str, Any]]:
        """Step all rows: all servers begin, then all are waited for.

        Actions that do not fit the space or are not finite raise ActionError; nothing is stepped then.
        """
        self._check_open()
        if not self._started or self._torn:
            why = "an error left the servers at different steps: " if self._torn else ""
            raise ResetNeeded(f"{why}call reset() before step(); nothing was stepped")
        if self._mode is AutoresetMode.DISABLED and self._done.any():
            waiting = np.flatnonzero(self._done).tolist()[:8]
            raise ResetNeeded(f"environments {waiting} are done: reset them with options={{'reset_mask': ...}} first")
        actions = check_actions(self.action_space, actions)
        batch = ObsBatch(self.observation_space)
        parts = self._call_all(
            [("step", {"actions": part}) for part in rows.split_actions(actions, self._slices)],
            [batch.place(part) for part in self._slices],
        )
        _check_fields(parts, ("obs", "rewards", "terminated", "truncated", "infos", "final_obs"))
        terminated, truncated = (self._flags(name, parts) for name in ("terminated", "truncated"))
        self._done = terminated | truncated
        self._unseen = False
        infos = rows.join_infos([part["infos"] for part in parts], self._slices)
        self._no_final_rows()
        finals = [part["final_obs"] for part in parts]
        if any(final is not None for final in finals):
            index, obs = final_obs.join(finals, self._slices)
            infos["final_obs"] = final_obs.spread(index, obs, self.num_envs)
            self._set_final_rows(index, obs, infos.get("final_info"))
        rewards = np.concatenate([part["rewards"] for part in parts])
        return batch.join([part["obs"] for part in parts]), rewards, terminated, truncated, infos

    def render(self) -> tuple[Any, ...] | None:
        """The images of all rows, or None without a render mode."""
        self._check_open()
        parts = self._call_all([("render", {})] * len(self._slices))
        return None if any(part is None for part in parts) else tuple(image for part in parts for image in part)

    def get_state(self) -> Arrays:
        """The served environments' `get_state`, joined by rows."""
        self._check_open()
        parts = self._call_all([("get_state", {})] * len(self._slices))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def set_state(self, state: Arrays) -> None:
        """Continue from a state of `get_state`; StateError if it does not fit."""
        self._check_open()
        if not isinstance(state, Mapping):
            raise StateError(f"a state is a dict of arrays, as get_state gives it, got {type(state).__name__}")
        arrays = {name: np.asarray(array) for name, array in state.items()}
        for name, array in arrays.items():
            if array.shape[:1] != (self.num_envs,):
                raise StateError(f"{name} must have {self.num_envs} rows, got the shape {array.shape}")
        self._call_all([("set_state", {"state": {k: v[part] for k, v in arrays.items()}}) for part in self._slices])
        self._started, self._torn, self._unseen = True, False, True
        self._done[:] = False
        self._no_final_rows()

    def close_extras(self, **kwargs: Any) -> None:
        """Give the leases back and free the sockets."""
        self._release()

    def _call_all(self, calls: Sequence[Call], places: Sequence[Place] | None = None) -> list[Any]:
        """One call to each server, begun before any is waited for; an error is raised when all have answered."""
        places = places or [anywhere] * len(calls)
        try:
            for connection, (operation, arguments), place in zip(self._connections, calls, places, strict=True):
                connection.call(operation, arguments, place)
            wait_for(self._connections, self._deadlines.call)
        except DexGraspError as error:
            if any(connection.pending for connection in self._connections):
                self._failure = error
            raise
        results, failures = [], []
        for connection in self._connections:
            try:
                results.append(connection.result())
            except DexGraspError as error:
                failures.append(error)
        if failures:
            # What only refused a call did nothing; what failed in the midst of it may have done anything.
            worst = next((error for error in failures if isinstance(error, RemoteError)), failures[0])
            done_by_some = results or isinstance(worst, RemoteError)
            self._torn = self._torn or bool(done_by_some and not {name for name, _ in calls} <= READING)
            if isinstance(worst, ServerLost):
                self._failure = worst
            raise worst
        return results

    def _reset_mask(self, options: dict[str, Any] | None) -> Flags:
        mask = np.asarray((options or {}).get("reset_mask", True))
        if mask.shape == ():
            mask = np.full(self.num_envs, mask)
        if mask.shape != (self.num_envs,) or mask.dtype != bool:
            raise ConfigError(f"reset_mask must be {self.num_envs} bool, one per environment, got {mask!r}")
        if not mask.any():
            raise ConfigError("reset_mask must choose at least one environment; nothing was reset")
        return mask

    def _flags(self, name: str, parts: Sequence[Any]) -> Flags:
        flags = np.concatenate([part[name] for part in parts])
        if flags.shape != (self.num_envs,) or flags.dtype != bool:
            raise ProtocolError(f"{name} must be {self.num_envs} bool, got {flags.dtype} {flags.shape}")
        return flags

    def _no_final_rows(self) -> None:
        space = self.single_observation_space
        self.final_rows = FinalRows.none(space) if _is_flat_dict(space) else None

    def _set_final_rows(self, index: npt.NDArray[np.int64], obs: Any, final_info: Any) -> None:
        if _is_flat_dict(self.single_observation_space) and isinstance(obs, dict) and isinstance(final_info, dict):
            arrays = {name: values for name, values in final_info.items() if isinstance(values, np.ndarray)}
            compact = {name: values[index] for name, values in arrays.items() if not name.startswith("_")}
            self.final_rows = FinalRows(index, obs, compact)

    def _check_open(self) -> None:
        if self.closed:
            raise ClosedError("the environment is closed; make a new one")
        if self._failure is not None:
            raise ClosedError(f"the environment failed before: {self._failure}") from self._failure


def _check_fields(parts: Sequence[Any], names: Sequence[str]) -> None:
    for part in parts:
        if not isinstance(part, dict) or any(name not in part for name in names):
            raise ProtocolError(f"a server's reply must have {', '.join(names)}")


def _is_flat_dict(space: gymnasium.Space[Any]) -> TypeGuard[spaces.Dict]:
    return isinstance(space, spaces.Dict) and all(part.shape is not None for part in space.spaces.values())


def _release(
    owner: int,
    context: "zmq.Context[zmq.Socket[bytes]]",
    connections: list[Connection],
    heartbeats: list[Heartbeat],
    on_close: Callable[[], None] | None,
) -> None:
    if os.getpid() != owner:
        # A fork ends: sockets and simulators belong to the process that made them.
        return
    for heartbeat in heartbeats:
        heartbeat.stop()
    for connection in connections:
        connection.goodbye()
    # The goodbyes have a moment to leave.
    context.destroy(linger=200)
    if on_close is not None:
        on_close()
