"""A server of a vector environment, whole or in groups."""

import contextlib
import queue
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import zmq
from gymnasium.vector import VectorEnv

from .counters import Counters
from .data_plane import ChunkedPlane
from .events import Log, to_nowhere
from .failures import failure_to_data
from .gate import Gate
from .identity import describe
from .keys import ServerKeys
from .limits import MAX_BYTES, WINDOW
from .obs_layout import ObsLayout
from .operations import NO_PLACES, Operations
from .server_io import ServerIO
from .session import Gone, Reply, Request
from .shared_plane import SharingPlane
from .sockets import bind, open_socket
from .wire import Header, Kind


class SimServer:
    """Serves a vector environment to one client at a time; the next one finds it as the last one left it.

    Several vector environments of one kind are groups: a client may step one while it thinks about another. One thread
    steps them all, in the order in which the calls come.

    Example:
        >>> import gymnasium
        >>> from dexgrasp_envs.remote.server import SimServer
        >>> env = gymnasium.make_vec("CartPole-v1", num_envs=4)
        >>> with SimServer(env, {"env_id": "CartPole-v1"}, bind="tcp://127.0.0.1:5555") as server:
        ...     server.serve()  # in the thread that made the environment, until `stop` is called

    Args:
        env: Any vector environment, or one for each group. They are not closed by the server.
        identity: Plain data that clients can insist on, see `identity.describe`; for groups one each.
        bind: `tcp://HOST:PORT` (port `*`: a free one) or `ipc://PATH` in a folder that only the user may enter.
        keys: Keys of the server and of those who may drive it; what travels is then encrypted.
        insecure: Allow an address that other machines can reach, where without keys anyone may drive the server.
        max_bytes: Most bytes of arrays that are accepted in one message.
        window: A client that is silent for so long loses its lease to another one, s.
        log: Takes what happens: who comes, leaves, is refused or given up, failures of the environment, and the end.

    Raises:
        ConfigError: The address cannot be bound or would be open to strangers, or the environment cannot be served.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any] | Sequence[VectorEnv[Any, Any, Any]],
        identity: dict[str, Any] | Sequence[dict[str, Any]],
        bind: str = "tcp://127.0.0.1:5555",
        *,
        keys: ServerKeys | None = None,
        insecure: bool = False,
        max_bytes: int = MAX_BYTES,
        window: float = WINDOW,
        log: Log = to_nowhere,
    ):
        envs = env if isinstance(env, Sequence) else [env]
        identities = [identity] if isinstance(identity, dict) else identity
        described = [
            describe(one, {**said, "group": group, "groups": len(envs)})
            for group, (one, said) in enumerate(zip(envs, identities, strict=True))
        ]
        self._operations = [Operations(one) for one in envs]
        self._num_envs = [int(one.num_envs) for one in envs]
        self._counters = Counters()
        self._log = log
        layouts = [
            ObsLayout(one.observation_space, operations.draws)
            for one, operations in zip(envs, self._operations, strict=True)
        ]
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        try:
            self._io = self._open(described, bind, keys, insecure, max_bytes, layouts, window)
        except Exception:
            self._context.destroy(linger=0)
            raise
        self._io.start()
        log("listening", endpoint=self.endpoint, num_envs=sum(self._num_envs), groups=len(envs))

    def _open(
        self,
        identities: Sequence[dict[str, Any]],
        endpoint: str,
        keys: ServerKeys | None,
        insecure: bool,
        max_bytes: int,
        layouts: Sequence[ObsLayout],
        window: float,
    ) -> ServerIO:
        socket = open_socket(self._context, zmq.ROUTER)
        gate = None
        if keys is not None:
            gate = Gate(self._context, keys.clients)
            keys.guard(socket)
        self.endpoint = bind(socket, endpoint, anywhere=insecure or keys is not None)
        """Where clients connect to."""
        plane = ChunkedPlane(max_bytes)
        return ServerIO(self._context, socket, plane, identities, layouts, self._counters, window, self._log, gate)

    def serve(self) -> None:
        """Do what the client asks until `stop`; the thread that calls this is the one that steps the environment."""
        while (request := self._next_request()) is not None:
            if isinstance(request, Gone):
                self._forget(request.group)
                continue
            reply = self._do(request)
            # Before the reply: who has it finds it counted.
            self._counters.calls += 1
            self._io.reply(reply)
            # Their client may leave before the next call, and its memory is to go with it.
            del request, reply
        for group in range(len(self._operations)):
            # Whoever has the environment may go on with it.
            self._forget(group)
        if self._io.failure is not None:
            raise self._io.failure

    def stop(self) -> None:
        """Let `serve` return after the call in hand; from any thread or a signal handler."""
        self._io.requests.put(None)

    def close(self) -> None:
        """Say goodbye to the client and free the address; may be called twice."""
        if not self._context.closed:
            self._io.end()
            self._log("ended", calls=self._counters.calls, steps=self._counters.steps)
            self._context.destroy(linger=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next_request(self) -> Request | Gone | None:
        while True:
            # Python may miss a signal that comes just before it waits: not longer than this.
            with contextlib.suppress(queue.Empty), self._counters.timing("idle"):
                return self._io.requests.get(timeout=0.5)

    def _forget(self, group: int) -> None:
        try:
            self._operations[group].forget()
        except Exception as error:
            self._log("forget_failed", group=group, type=type(error).__name__, message=str(error))

    def _do(self, request: Request) -> Reply:
        """Whatever goes wrong is the client's to know, and the server's to survive."""
        header = Header(Kind.REPLY, request.lease, request.call)
        try:
            operation, plane = request.data["operation"], request.plane
            with self._counters.timing("env"):
                places = plane.places(request.call) if isinstance(plane, SharingPlane) else NO_PLACES
                data = self._operations[request.group].run(operation, request.data["arguments"], places)
            self._counters.steps += self._num_envs[request.group] * (operation == "step")
            with self._counters.timing("serialise"):
                return Reply(request, request.plane.outgoing(header, data), header, data)
        except Exception as error:
            header, data = header._replace(kind=Kind.ERROR), failure_to_data(error)
            self._log("call_failed", group=request.group, call=request.call, type=data["type"], message=data["message"])
            return Reply(request, request.plane.outgoing(header, data), header, data)
