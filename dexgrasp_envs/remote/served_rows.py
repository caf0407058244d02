"""A vector environment over the rows of some servers."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from ..errors import (
    ClosedError,
    ConfigError,
    DeadlineExceeded,
    DexGraspError,
    OutOfTurn,
    RemoteError,
    ResetNeeded,
    ServerLost,
    StateError,
)
from ..final_rows import FinalRows
from . import final_obs, rows
from .actions import check_actions
from .array_pool import ArrayPool
from .connection import wait_for
from .data_plane import Place, anywhere
from .limits import Deadlines
from .loss_policy import LossPolicy
from .obs_batch import ObsBatch
from .part import Part
from .replies import check_reply

Arrays = dict[str, npt.NDArray[np.generic]]
Flags = npt.NDArray[np.bool_]
Call = tuple[str, dict[str, Any]]
"""Operation and arguments."""
READING = {"observe", "render", "get_state"}
"""Operations that change nothing."""
_TICK = 0.1
"""Between two looks at a server that is waited for, s."""
_MISSING = object()
"""Stands for a reply that is still to come."""


@dataclass
class Terms:
    """What holds for all rows of one client."""

    observation_space: gymnasium.Space[Any]
    """Of one environment, as the next one."""
    action_space: gymnasium.Space[Any]
    metadata: dict[str, Any]
    render_mode: str | None
    by_row: bool
    """Whether rows differ by seeds of their own."""
    policy: LossPolicy
    deadlines: Deadlines
    copy: bool
    """Whether each step gives fresh arrays."""
    failure: DexGraspError | None = None
    """What ended it all."""
    closed: bool = False


class ServedRows(VectorEnv[Any, Any, npt.NDArray[Any]]):
    """Rows of one client: all of them (`RemoteVectorEnv`), or one group.

    `step` is `send` and `recv`: between them other groups can be stepped, and actions be computed.

    Args:
        terms: What holds for all rows; shared.
        parts: The servers of these rows, in order.
    """

    def __init__(self, terms: Terms, parts: Sequence[Part]):
        self._terms = terms
        self._parts = list(parts)
        self._first = parts[0].rows.start
        self._slices = [slice(part.rows.start - self._first, part.rows.stop - self._first) for part in parts]
        self.num_envs = self._slices[-1].stop
        self.metadata = terms.metadata
        self.render_mode = terms.render_mode
        self.single_observation_space = terms.observation_space
        self.single_action_space = terms.action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._mode: AutoresetMode = terms.metadata["autoreset_mode"]
        # Rows of several servers are joined in one array, whatever they were before.
        self._pool = ArrayPool() if terms.copy or len(self._parts) > 1 else None
        self._batch: ObsBatch | None = None
        self.final_rows: FinalRows | None = None
        """The rows that the last step finished, compactly, if observations are dicts (SAME_STEP autoreset only)."""
        self._no_final_rows()

    @property
    def rows(self) -> slice:
        """Which rows of the whole environment these are."""
        return slice(self._first, self._first + self.num_envs)

    @property
    def server_losses(self) -> int:
        """How often a server of these rows was lost."""
        return sum(part.losses for part in self._parts)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset all rows, or those of `options["reset_mask"]` (bool [N]); see the served environment.

        Options that are arrays or lists of N entries are one per row. A server none of whose rows are reset is
        asked for its last observation only. A reset of all rows waits for servers that are lost; one of some rows
        leaves the lost rows as they are, since they begin new episodes anyway.
        """
        self._check_ready()
        mask = self._reset_mask(options)
        chosen = [bool(mask[part].any()) for part in self._slices]
        if not all(part.started for part in self._parts) and not mask.all():
            raise ResetNeeded("the first reset must reset all environments: call reset() without reset_mask")
        if any(part.torn for part in self._parts) and not mask.all():
            raise ResetNeeded("an error left the servers at different steps: reset all environments")
        if any(part.unseen for part in self._parts) and not all(chosen):
            raise ResetNeeded("step once after set_state, or reset environments of every server")
        batch = ObsBatch(self.observation_space, self._pool)
        seeds = rows.split_seed(seed, self._slices, self._terms.by_row, self._first)
        split = rows.split_options(options, self._slices)
        calls: list[Call] = [
            ("reset", {"seed": one_seed, "options": one_options}) if asked else ("observe", {})
            for asked, one_seed, one_options in zip(chosen, seeds, split, strict=True)
        ]
        if mask.all():
            replies = self._insist(calls, batch)
        else:
            some = [call if part.settled else None for call, part in zip(calls, self._parts, strict=True)]
            replies = self._call(some, batch)
        for k, part in enumerate(self._parts):
            if replies[k] is None:
                replies[k] = {"obs": batch.put(self._slices[k], part.last_obs)}
            else:
                part.saw(replies[k]["obs"], replies[k].get("infos"))
            if mask.all():
                part.settle()
            if part.settled:
                part.was_seeded(seeds[k], mask[self._slices[k]])
            part.started, part.torn, part.unseen = True, False, False
            part.done[mask[self._slices[k]]] = False
        self._no_final_rows()
        infos = self._join_infos([reply.get("infos") for reply in replies])
        return batch.join([reply["obs"] for reply in replies]), infos

    def step(self, actions: Any) -> tuple[Any, npt.NDArray[Any], Flags, Flags, dict[str, Any]]:
        """Step all rows: all servers begin, then all are waited for.

        Actions that do not fit the space or are not finite raise ActionError; nothing is stepped then.
        """
        self.send(actions)
        return self.recv()

    def send(self, actions: Any) -> None:
        """Begin a step, to be finished by `recv`. Raises as `step` does, and OutOfTurn if one is under way."""
        self._check_ready()
        if not all(part.started and not part.torn for part in self._parts):
            torn = any(part.torn for part in self._parts)
            why = "an error left the servers at different steps: " if torn else ""
            raise ResetNeeded(f"{why}call reset() before step(); nothing was stepped")
        done = self._done
        if self._mode is AutoresetMode.DISABLED and done.any():
            waiting = np.flatnonzero(done).tolist()[:8]
            raise ResetNeeded(f"environments {waiting} are done: reset them with options={{'reset_mask': ...}} first")
        actions = check_actions(self.action_space, actions)
        batch = ObsBatch(self.observation_space, self._pool)
        for part in self._parts:
            part.look()
        split = rows.split_actions(actions, self._slices)
        self._begin(
            [
                ("step", {"actions": some}) if part.settled else None
                for part, some in zip(self._parts, split, strict=True)
            ],
            batch,
        )
        self._batch = batch

    def recv(self) -> tuple[Any, npt.NDArray[Any], Flags, Flags, dict[str, Any]]:
        """Finish the step that `send` began; OutOfTurn if there is none."""
        self._check_open()
        if self._batch is None:
            raise OutOfTurn("recv() finishes a step: call send() first")
        batch, self._batch = self._batch, None
        replies = self._finish()
        self._await_lost(replies)
        for k, part in enumerate(self._parts):
            if replies[k] is None:
                reply = part.stand_in(self._mode)
                replies[k] = {**reply, "obs": batch.put(self._slices[k], reply["obs"])}
            else:
                part.saw(replies[k]["obs"], replies[k]["infos"])
        terminated, truncated = (np.concatenate([one[name] for one in replies]) for name in ("terminated", "truncated"))
        for part, where in zip(self._parts, self._slices, strict=True):
            part.done = terminated[where] | truncated[where]
            part.unseen = False
        infos = self._join_infos([reply["infos"] for reply in replies])
        self._no_final_rows()
        finals = [reply["final_obs"] for reply in replies]
        if any(final is not None for final in finals):
            index, last = final_obs.join(finals, self._slices)
            infos["final_obs"] = final_obs.spread(index, last, self.num_envs)
            self._set_final_rows(index, last, infos.get("final_info"))
        rewards = np.concatenate([reply["rewards"] for reply in replies])
        return batch.join([reply["obs"] for reply in replies]), rewards, terminated, truncated, infos

    def render(self) -> tuple[Any, ...] | None:
        """The images of all rows, or None without a render mode."""
        self._check_ready()
        replies = self._insist([("render", {})] * len(self._parts))
        return None if any(reply is None for reply in replies) else tuple(image for reply in replies for image in reply)

    def get_state(self) -> Arrays:
        """The served environments' `get_state`, joined by rows."""
        self._check_ready()
        replies = self._insist([("get_state", {})] * len(self._parts))
        return {name: np.concatenate([reply[name] for reply in replies]) for name in replies[0]}

    def set_state(self, state: Arrays) -> None:
        """Continue from a state of `get_state`; StateError if it does not fit."""
        self._check_ready()
        if not isinstance(state, Mapping):
            raise StateError(f"a state is a dict of arrays, as get_state gives it, got {type(state).__name__}")
        arrays = {name: np.asarray(array) for name, array in state.items()}
        for name, array in arrays.items():
            if array.shape[:1] != (self.num_envs,):
                raise StateError(f"{name} must have {self.num_envs} rows, got the shape {array.shape}")
        split = [{name: array[where] for name, array in arrays.items()} for where in self._slices]
        self._insist([("set_state", {"state": one}) for one in split])
        for part, one in zip(self._parts, split, strict=True):
            part.was_set(one)
        self._no_final_rows()

    def call(self, name: str, *args: Any) -> None:
        """Call a method that the served environments allow by their `remote_calls`.

        It gives nothing back and is one that sets something: a server that takes the place of a lost one is told the
        last call of each name before its rows begin new episodes. Arguments with one entry per row are split.
        """
        self._check_ready()
        split = rows.split_arguments(args, self._slices)
        calls: list[Call] = [("call", {"name": name, "args": some}) for some in split]
        self._call([call if part.look() else None for call, part in zip(calls, self._parts, strict=True)])
        for part, (_, arguments) in zip(self._parts, calls, strict=True):
            part.was_called(arguments)

    @property
    def _done(self) -> Flags:
        return np.concatenate([part.done for part in self._parts])

    def _insist(self, calls: Sequence[Call], batch: ObsBatch | None = None) -> list[Any]:
        """One call to each server; if one is lost, again to that one when it is back. None of them may be a step."""
        replies: list[Any] = [_MISSING] * len(calls)
        while any(reply is _MISSING for reply in replies):
            self._wait_for([part for part, reply in zip(self._parts, replies, strict=True) if reply is _MISSING])
            missing = [call if reply is _MISSING else None for call, reply in zip(calls, replies, strict=True)]
            for k, reply in enumerate(self._call(missing, batch, _MISSING)):
                replies[k] = replies[k] if missing[k] is None else reply
        return replies

    def _call(self, calls: Sequence[Call | None], batch: ObsBatch | None = None, lost: Any = None) -> list[Any]:
        """A call to some servers; `lost` for those that were not called or were lost."""
        self._begin(calls, batch)
        return self._finish(lost)

    def _begin(self, calls: Sequence[Call | None], batch: ObsBatch | None) -> None:
        """Begin a call at some servers; `_finish` it."""
        self._calls = list(calls)
        for part, call, where in zip(self._parts, calls, self._slices, strict=True):
            if call is None:
                continue
            place: Place = anywhere if batch is None else batch.place(where)
            if batch is None:
                part.keep()
            try:
                part.connection.call(*call, place)
            except DeadlineExceeded as error:
                self._too_late(error, [part])
            except DexGraspError as error:
                self._fail_if_pending(error)
                raise

    def _finish(self, lost: Any = None) -> list[Any]:
        """Wait for the calls that were begun; an error is raised when all have answered."""
        called = [part for part, call in zip(self._parts, self._calls, strict=True) if call is not None]
        try:
            wait_for([part.connection for part in called], self._terms.deadlines.call)
        except DeadlineExceeded as error:
            self._too_late(error, called)
        except DexGraspError as error:
            self._fail_if_pending(error)
            raise
        replies: list[Any] = [lost] * len(self._parts)
        failures: list[DexGraspError] = []
        for k, (part, call) in enumerate(zip(self._parts, self._calls, strict=True)):
            if call is None:
                continue
            try:
                result = part.connection.result()
                check_reply(call[0], result, self.single_observation_space, part.count)
                replies[k] = result
            except ServerLost as error:
                if self._terms.policy is LossPolicy.RAISE:
                    part.losses += 1
                    failures.append(error)
                else:
                    part.lose(error)
            except DexGraspError as error:
                failures.append(error)
        if failures:
            self._raise_worst(failures, len(failures) < len(called))
        return replies

    def _raise_worst(self, failures: Sequence[DexGraspError], done_by_some: bool) -> None:
        # What only refused a call did nothing; what failed in the midst of it may have done anything.
        worst = next((error for error in failures if isinstance(error, RemoteError)), failures[0])
        changing = not {call[0] for call in self._calls if call is not None} <= READING
        if changing and (done_by_some or isinstance(worst, RemoteError)):
            for part in self._parts:
                part.torn = True
        if isinstance(worst, ServerLost):
            self._terms.failure = worst
            worst.add_note("close this environment and make a new one, or make it with on_server_loss='wait' or 'mask'")
        raise worst

    def _too_late(self, error: DeadlineExceeded, parts: Sequence[Part]) -> None:
        """Servers that did not answer in time are lost, if that can be helped."""
        if self._terms.policy is LossPolicy.RAISE:
            self._terms.failure = error
            raise error
        for part in parts:
            if part.connection.pending:
                part.connection.give_up(str(error))

    def _fail_if_pending(self, error: DexGraspError) -> None:
        """With calls under way that nobody will finish, there is no going on."""
        if any(part.live and part.connection.pending for part in self._parts):
            self._terms.failure = error

    def _await_lost(self, replies: Sequence[Any]) -> None:
        """Wait for lost servers, as the policy has it."""
        lost = [part for part, reply in zip(self._parts, replies, strict=True) if reply is None and not part.look()]
        if self._terms.policy is LossPolicy.WAIT:
            self._wait_for(lost)
        elif len(lost) == len(self._parts) and all(part.told for part in lost):
            # Nothing is left to go on with.
            self._wait_for(lost, any)

    def _wait_for(self, parts: Sequence[Part], how: Callable[[Iterable[bool]], bool] = all) -> None:
        """Wait until `how` many of some servers are there; ServerLost after the deadline."""
        end = time.monotonic() + self._terms.deadlines.lost
        while parts and not how([part.look() for part in parts]):
            missing = next(part for part in parts if not part.live)
            if time.monotonic() >= end:
                self._terms.failure = missing.failure()
                raise self._terms.failure
            missing.pause(_TICK)

    def _join_infos(self, infos: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
        joined = rows.join_infos(infos, self._slices)
        if self._terms.policy is LossPolicy.MASK:
            joined["valid"] = np.concatenate([np.full(part.count, part.valid) for part in self._parts])
            joined["_valid"] = np.ones(self.num_envs, bool)
        return joined

    def _reset_mask(self, options: dict[str, Any] | None) -> Flags:
        mask = np.asarray((options or {}).get("reset_mask", True))
        if mask.shape == ():
            mask = np.full(self.num_envs, mask)
        if mask.shape != (self.num_envs,) or mask.dtype != bool:
            raise ConfigError(f"reset_mask must be {self.num_envs} bool, one per environment, got {mask!r}")
        if not mask.any():
            raise ConfigError("reset_mask must choose at least one environment; nothing was reset")
        return mask

    def _no_final_rows(self) -> None:
        space = self.single_observation_space
        self.final_rows = FinalRows.none(space) if _is_flat_dict(space) else None

    def _set_final_rows(self, index: npt.NDArray[np.int64], obs: Any, final_info: Any) -> None:
        if _is_flat_dict(self.single_observation_space) and isinstance(obs, dict) and isinstance(final_info, dict):
            arrays = {name: values for name, values in final_info.items() if isinstance(values, np.ndarray)}
            compact = {name: values[index] for name, values in arrays.items() if not name.startswith("_")}
            self.final_rows = FinalRows(index, obs, compact)

    def _check_ready(self) -> None:
        """Nothing else may be under way at these servers."""
        self._check_open()
        if self._batch is not None or any(part.live and part.connection.pending for part in self._parts):
            raise OutOfTurn("a step of these environments is under way: call recv() first; nothing was done")

    def _check_open(self) -> None:
        if self.closed or self._terms.closed:
            raise ClosedError("the environment is closed; make a new one")
        if self._terms.failure is not None:
            raise ClosedError(f"the environment failed before: {self._terms.failure}") from self._terms.failure


def _is_flat_dict(space: gymnasium.Space[Any]) -> TypeGuard[spaces.Dict]:
    return isinstance(space, spaces.Dict) and all(part.shape is not None for part in space.spaces.values())
