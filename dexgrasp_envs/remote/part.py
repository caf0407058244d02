"""The rows that one server, or one group of it, holds: what is known of them, and what becomes of them without it."""

import logging
import secrets
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import create_empty_array

from ..errors import DeadlineExceeded, ServerLost
from .address import Address
from .connection import Connection, wait_for
from .heartbeat import Heartbeat
from .identity import BY_INDEX, check_description, check_identity
from .reconnect import GivenUp, Reconnect
from .replies import check_reply

Infos = dict[str, Any]
PASSING = ("final_obs", "_final_obs", "final_info", "_final_info", "server_lost", "_server_lost")
"""Infos about episodes that ended, which are not those of the rows as they are now."""
_MOST_BEGUN = 2
"""Next episode of a row whose server was lost, after the last one that was seen: the lost step may have begun one."""
_logger = logging.getLogger("dexgrasp_envs.remote")


@dataclass
class _Found:
    """A server, after the rows began new episodes there."""

    connection: Connection
    heartbeat: Heartbeat
    generation: int
    begun: dict[str, Any] | None
    """Its reset's observations and infos; None for rows that were never reset."""
    told: dict[str, dict[str, Any]]
    """The calls that were repeated, by name."""


class Part:
    """Some rows and their server.

    A part is *live* while it has a connection. It is *settled* if it is live and its rows can be stepped: after a loss
    there is first the loss to be told, and the first observation of the new episodes to be given, each in a step.

    Args:
        address: Where the rows are.
        remember: Whether to keep what was last seen, which is wanted when the server is lost.
    """

    def __init__(self, address: Address, remember: bool):
        self.address = address
        generation = address.generation
        self.connection = address.connection()
        """To the server, or to the one that was lost."""
        self.identity: dict[str, Any] = {}
        """Who the server is."""
        self.rows = slice(0)
        """Which rows of the whole environment it has."""
        self.losses = 0
        """How often the server was lost."""
        self.started = self.torn = self.unseen = False
        """Whether its rows were ever reset; whether an error left them at another step than others; whether there is a
        new state of which no observation was given."""
        self.done = np.zeros(0, bool)
        """[n], whose episodes have ended."""
        self.told = True
        """Whether the last loss was told in a step."""
        self.begun: dict[str, Any] | None = None
        """Observation and infos of new episodes, which are to be given in a step."""
        self.last_obs: Any = None
        """What was last observed."""
        self._calls: dict[str, dict[str, Any]] = {}
        self._last_infos: Infos = {}
        self._seeds: list[int | None] = []
        self._episodes: npt.NDArray[np.int64] | None = None
        self._space: gymnasium.Space[Any] | None = None
        self._remember = remember
        self._generation = generation
        self._at_fault: int | None = None
        self._hello = 0
        self._heartbeat: Heartbeat | None = None
        self._reconnect: Reconnect[_Found] | None = None

    def meet(self, expect: dict[str, Any]) -> None:
        """Shake hands; HandshakeError if the server is not as expected."""
        self.identity = self.connection.hello()
        check_identity(self.connection.endpoint, self.identity, expect)
        check_description(self.identity)
        self._heartbeat = self._keep(self.connection)

    def lay_out(self, first: int, space: gymnasium.Space[Any]) -> int:
        """Take the rows from `first` on, whose observations each are of `space`; the row after the last one."""
        count = self.identity["num_envs"]
        self._space = space
        if self._remember:
            self.last_obs = create_empty_array(space, count, np.zeros)
        self.rows = slice(first, first + count)
        self.done = np.zeros(count, bool)
        self._seeds = [None] * count
        return first + count

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.done)

    @property
    def live(self) -> bool:
        """Whether there is a server that can be called."""
        return self._reconnect is None

    @property
    def settled(self) -> bool:
        """Whether its rows can be stepped."""
        return self.live and self.told and self.begun is None

    @property
    def valid(self) -> bool:
        """Whether the last observation is of an episode that goes on, or that is yet to be told to have ended."""
        return self.live or not self.told

    def saw(self, obs: Any, infos: Infos | None = None) -> None:
        """Keep what is known of the rows now; without infos they are as before."""
        infos = infos or {}
        self._count_episodes(infos)
        if self._remember:
            self.last_obs = obs
            self._last_infos = infos or self._last_infos

    def keep(self) -> None:
        """Have the last observation in memory of this process's own: a call follows that may let go of the server's."""
        if self._remember and not self.address.copy:
            self.last_obs = deepcopy(self.last_obs)

    def was_seeded(self, seed: Any, mask: npt.NDArray[np.bool_]) -> None:
        """Remember with what rows were reset: with one number, one for each, or None for what they had."""
        if seed is not None:
            seeds = [int(seed)] * self.count if isinstance(seed, int | np.integer) else list(seed)
            self._seeds = [new if chosen else old for new, old, chosen in zip(seeds, self._seeds, mask, strict=True)]

    def was_called(self, arguments: dict[str, Any]) -> None:
        """Remember a call, to be repeated to a server that takes the place of a lost one."""
        # Another dict: the search for a server may be reading this one.
        self._calls = self._calls | {arguments["name"]: arguments}

    def was_set(self, state: dict[str, npt.NDArray[np.generic]]) -> None:
        """Remember what a state says of seeds and episodes."""
        self.settle()
        self.started, self.torn, self.unseen = True, False, True
        self.done[:] = False
        if {"task.seed", "task.episode"} <= state.keys():
            self._seeds = state["task.seed"].tolist()
            self._episodes = state["task.episode"].astype(np.int64)

    def settle(self) -> None:
        """Have nothing more to tell: all rows were reset, or go on from another state."""
        self.told, self.begun = True, None

    def lose(self, error: ServerLost) -> None:
        """Count the loss, and look for the server in the background."""
        self.losses += 1
        self.told = False
        self._at_fault = self._generation
        # One for all attempts: a server may have heard one that was given up, and keeps the lease for it.
        self._hello = secrets.randbits(63) | 1
        self._hang_up()
        _logger.warning(
            "server lost: %s; its %d environments begin new episodes once it is back", str(error), self.count
        )
        self._reconnect = Reconnect(self._find)
        self._reconnect.start()

    def look(self) -> bool:
        """Take the server over if it is back; whether there is one."""
        if self._reconnect is not None and not self._reconnect.is_alive():
            found = self._reconnect.found
            assert found is not None
            self.connection, self._heartbeat, self.begun = found.connection, found.heartbeat, found.begun
            self._generation = found.generation
            if self.begun is not None:
                self._count_episodes(self.begun["infos"])
            self._reconnect = None
            _logger.warning("%s is back", self.connection.endpoint)
            if found.told is not self._calls:
                # Called while the server was being found: from the next episodes on, as elsewhere.
                try:
                    _repeat(self.connection, self._calls, self.address.deadlines.call)
                except (ServerLost, DeadlineExceeded) as error:
                    self.lose(ServerLost(str(error)))
        return self.live

    def pause(self, seconds: float) -> None:
        """Wait for a lost server, not longer than this."""
        if self._reconnect is not None:
            self._reconnect.join(seconds)

    def failure(self) -> ServerLost:
        """What is to be raised when a lost server is waited for no longer."""
        reason = "" if self._reconnect is None else f": {self._reconnect.reason}"
        return ServerLost(f"{self.address.endpoint} did not come back within {self.address.deadlines.lost:g} s{reason}")

    def stand_in(self, mode: AutoresetMode) -> dict[str, Any]:
        """A step's reply for rows whose server was not stepped.

        The first one after a loss ends their episodes (`truncated`) with the last observation. With the new episodes'
        server there already, their first observation is given with it or next, as `mode` has it.
        """
        telling, self.told = not self.told, True
        lost = np.full(self.count, telling)
        # Rows whose episodes had ended do not end again; with same-step autoreset they are in the next ones already.
        end = lost if mode is AutoresetMode.SAME_STEP else lost & ~self.done
        infos: Infos = blank(self._last_infos)
        reply: dict[str, Any] = {"obs": self.last_obs, "final_obs": None}
        if telling:
            infos |= {"server_lost": lost.copy(), "_server_lost": lost.copy()}
        if telling and mode is AutoresetMode.SAME_STEP:
            reply["final_obs"] = {"index": np.arange(self.count), "obs": compact(self.last_obs)}
            last = {**lasting(self._last_infos), "server_lost": lost.copy(), "_server_lost": lost.copy()}
            infos |= {"final_info": last, "_final_info": lost.copy(), "_final_obs": lost.copy()}
        if self.begun is not None and (mode is AutoresetMode.SAME_STEP or not telling):
            reply["obs"] = self.begun["obs"]
            infos |= self.begun["infos"]
            self.saw(**self.begun)
            self.begun = None
        elif telling and mode is AutoresetMode.DISABLED:
            # Who resets these rows gets what they begin with.
            self.begun = None
        rewards = np.zeros(self.count, np.float32)
        return {**reply, "infos": infos, "rewards": rewards, "terminated": np.zeros_like(end), "truncated": end}

    def close(self) -> None:
        """Give the lease back, and look for no server any more."""
        if self._reconnect is not None:
            found = self._reconnect.stop()
            if found is not None:
                found.heartbeat.stop()
                found.connection.goodbye()
            return
        if self._heartbeat is not None:
            self._heartbeat.stop()
        self.connection.goodbye()

    def _find(self, given_up: GivenUp) -> _Found:
        """Connect to the server, or to the one in its place, and let the rows begin new episodes there."""
        self._revive(given_up)
        generation = self.address.generation
        connection = self.address.connection(given_up)
        heartbeat: Heartbeat | None = None
        try:
            identity = connection.hello(self._hello)
            check_identity(connection.endpoint, identity, self.identity)
            heartbeat = self._keep(connection)
            told = self._calls
            _repeat(connection, told, self.address.deadlines.call)
            begun = self._begin(connection) if self.started else None
        except BaseException:
            if heartbeat is not None:
                heartbeat.stop()
            connection.close()
            if connection.lease:
                # It was given back: the next attempt asks for another one.
                self._hello = secrets.randbits(63) | 1
            raise
        return _Found(connection, heartbeat, generation, begun, told)

    def _revive(self, given_up: GivenUp) -> None:
        """See that the server's process runs, if it is a child, and is not the one that was lost."""
        child = self.address.child
        if child is None:
            return
        if self._at_fault is None and child.ended(child.generation) is not None:
            self._at_fault = child.generation
        if self._at_fault is not None:
            child.revive(self._at_fault, given_up)
            self._at_fault = None

    def _begin(self, connection: Connection) -> dict[str, Any]:
        """New episodes, none of which any row has had."""
        options = None
        if self.identity["seeding"] == BY_INDEX and self._episodes is not None:
            # A row without a seed had one that nobody knows: any other serves.
            seed: Any = [secrets.randbits(31) if seed is None else seed for seed in self._seeds]
            # Kept now: this attempt may fail after it has begun them.
            self._episodes = self._episodes + _MOST_BEGUN
            options = {"episode": self._episodes}
        else:
            words = [seed or 0 for seed in self._seeds] + [self.losses]
            seed = int(np.random.SeedSequence(words).generate_state(1)[0])
        connection.call("reset", {"seed": seed, "options": options})
        wait_for([connection], self.address.deadlines.call)
        begun = connection.result()
        assert self._space is not None
        check_reply("reset", begun, self._space, self.count)
        return {"obs": begun["obs"], "infos": begun["infos"]}

    def _count_episodes(self, infos: Infos) -> None:
        if isinstance(infos.get("episode_index"), np.ndarray):
            self._episodes = infos["episode_index"]

    def _keep(self, connection: Connection) -> Heartbeat:
        address = self.address
        heartbeat = Heartbeat(
            address.context, address.endpoint, connection.lease, address.deadlines.heartbeat, address.keys
        )
        heartbeat.start()
        return heartbeat

    def _hang_up(self) -> None:
        # First: signs of life would keep the lease from who comes back.
        if self._heartbeat is not None:
            self._heartbeat.stop()
            self._heartbeat = None
        self.connection.close()


def _repeat(connection: Connection, calls: dict[str, dict[str, Any]], deadline: float) -> None:
    """Do calls again, one after the other."""
    for arguments in calls.values():
        connection.call("call", arguments)
        wait_for([connection], deadline)
        connection.result()


def lasting(infos: Infos) -> Infos:
    """Infos of the rows as they are now."""
    return {name: value for name, value in infos.items() if name not in PASSING}


def blank(infos: Infos) -> Infos:
    """Infos of the same names that say nothing: zeros, None, and masks of False."""
    blanks: Infos = {}
    for name, value in lasting(infos).items():
        if isinstance(value, dict):
            blanks[name] = blank(value)
        elif isinstance(value, np.ndarray):
            blanks[name] = np.full_like(value, None) if value.dtype == object else np.zeros_like(value)
    return blanks


def compact(obs: Any) -> Any:
    """An observation as rows of `final_obs` travel: texts in lists."""
    if isinstance(obs, dict):
        return {name: compact(part) for name, part in obs.items()}
    if isinstance(obs, tuple):
        return list(obs) if isinstance(obs[0], str) else tuple(map(compact, obs))
    return obs
