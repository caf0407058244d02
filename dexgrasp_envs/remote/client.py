"""A vector environment whose rows live at one or several servers."""

import os
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import zmq
from gymnasium.vector import AutoresetMode

from ..errors import ConfigError, HandshakeError
from .address import Address
from .identity import BY_INDEX, differences
from .keys import ClientKeys
from .limits import Deadlines
from .loss_policy import LossPolicy, loss_policy
from .part import Part
from .served_rows import ServedRows, Terms
from .spaces import space_from_data
from .supervised import Supervised

SAME_EVERYWHERE = (
    *("version", "packages", "env_id", "config", "config_hash", "fingerprint", "object_names", "seeding"),
    *("autoreset_mode", "render_mode", "metadata", "observation_space", "action_space", "groups"),
)
"""What all servers of one client must agree in, besides what the client expects."""


class RemoteVectorEnv(ServedRows):
    """The environments of some servers as one vector environment.

    Example:
        >>> from dexgrasp_envs.remote.client import RemoteVectorEnv
        >>> envs = RemoteVectorEnv(["tcp://127.0.0.1:5555", "tcp://127.0.0.1:5556"])
        >>> obs, infos = envs.reset(seed=0)
        >>> obs, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
        >>> envs.close()

    Rows are in the order of the servers; where servers have groups, first the rows of all servers' first group, then
    those of their second. Each group is a vector environment too, so that one can be stepped while actions for another
    are computed:

        >>> first, second = envs.groups
        >>> first.send(actions[first.rows])
        >>> second.send(actions[second.rows])
        >>> obs, rewards, terminated, truncated, infos = first.recv()

    What the environment raises at a server is raised here, of the same class if it is one of this package. ServerLost,
    and DeadlineExceeded of a call, are final: the environment cannot be used after them, only closed. If an error left
    some servers a call ahead of others, ResetNeeded is raised until all rows are reset.

    With `on_server_loss` "wait" or "mask" the loss of a server is no error, see `LossPolicy`. In the step that tells
    it, `infos["server_lost"]` is True for its rows, they are truncated once, their reward is 0 and their last
    observation is the final one. With "mask" `infos["valid"]` [N] says of which rows the observation given with it can
    be acted upon; rows of which that is False keep their last observation, with reward 0, until a server has them. If
    all are lost, a step waits. Observations that were given must then not be changed in place before the next step.

    Args:
        endpoints: Addresses, tcp://HOST:PORT or ipc://PATH.
        expect: What every server's identity must hold, see `identity.describe`.
        keys: This client's key and the servers', if they have keys; all servers have the same.
        shared_memory: Whether images come through shared memory from servers on this machine.
        copy: Whether each step gives fresh arrays. If not, where one server has all rows (of a group, if these are
            stepped) and memory is shared with it, large arrays of observations and infos are views of that memory, for
            reading only. They stay as they are until the next call but one of these rows (step, reset, render,
            get_state or set_state) begins; who wants them longer must copy them.
        on_server_loss: A `LossPolicy`, or its name.
        deadlines: How long to wait.
        children: The servers' processes, where this process started them; lost ones are started again, unless the loss
            is an error.
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
        copy: bool = True,
        on_server_loss: LossPolicy | str = LossPolicy.RAISE,
        deadlines: Deadlines | None = None,
        children: Sequence[Supervised | None] | None = None,
        on_close: Callable[[], None] | None = None,
    ):
        if isinstance(endpoints, str) or not endpoints:
            raise ConfigError(f"endpoints must be a list of at least one address, got {endpoints!r}")
        policy = loss_policy(on_server_loss)
        deadlines = deadlines or Deadlines()
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        parts: list[Part] = []
        # Also at garbage collection and at the interpreter's end, whatever happens below.
        self._release = weakref.finalize(self, _release, os.getpid(), context, parts, on_close)
        try:
            for endpoint, child in zip(endpoints, children or [None] * len(endpoints), strict=True):
                address = Address(context, endpoint, deadlines, keys, shared_memory, copy, child)
                parts.append(Part(address, policy is not LossPolicy.RAISE))
            terms = _meet(parts, expect or {}, policy, deadlines)
        except BaseException:
            self._release()
            raise
        self.identities = [part.identity for part in parts]
        """Who the servers are, group by group in the order of the rows."""
        super().__init__(terms, parts)
        by_group = [[part for part in parts if part.address.group == k] for k in range(self.identities[0]["groups"])]
        self.groups = [ServedRows(terms, members) for members in by_group]
        """The rows by group: vector environments that live as long as this one."""

    def close_extras(self, **kwargs: Any) -> None:
        """Give the leases back and free the sockets."""
        self._terms.closed = True
        self._release()


def _meet(parts: list[Part], expect: dict[str, Any], policy: LossPolicy, deadlines: Deadlines) -> Terms:
    """Shake hands with all servers, add their other groups to the parts, and say what they have in common."""
    servers = list(parts)
    for part in servers:
        part.meet(expect)
    first = servers[0].identity
    for group in range(1, first["groups"]):
        for server in servers:
            # Before it is met: whatever happens, it is released.
            parts.append(Part(server.address.of_group(group), policy is not LossPolicy.RAISE))
            parts[-1].meet(expect)
    common = {name: first[name] for name in SAME_EVERYWHERE if name in first}
    for part in parts:
        found = list(differences(part.identity, common))
        if found:
            raise HandshakeError(
                f"the server at {part.address.endpoint} differs from that at {servers[0].address.endpoint}: "
                f"{'; '.join(found)}. Start all with the same options and version"
            )
    space = space_from_data(first["observation_space"])
    # What is recorded of a run whose rows may have been lost in between.
    lossy = {} if policy is LossPolicy.RAISE else {"on_server_loss": policy.value}
    stop = 0
    for part in parts:
        stop = part.lay_out(stop, space)
    return Terms(
        observation_space=space,
        action_space=space_from_data(first["action_space"]),
        metadata={**first["metadata"], **lossy, "autoreset_mode": AutoresetMode(first["autoreset_mode"])},
        render_mode=first["render_mode"],
        by_row=first["seeding"] != BY_INDEX,
        policy=policy,
        deadlines=deadlines,
        copy=parts[0].address.copy,
    )


def _release(
    owner: int,
    context: "zmq.Context[zmq.Socket[bytes]]",
    parts: list[Part],
    on_close: Callable[[], None] | None,
) -> None:
    if os.getpid() != owner:
        # A fork ends: sockets and simulators belong to the process that made them.
        return
    for part in parts:
        part.close()
    # The goodbyes have a moment to leave.
    context.destroy(linger=200)
    if on_close is not None:
        on_close()
