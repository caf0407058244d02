"""How a server is doing, asked without a lease."""

import secrets
import time
from typing import Any

import zmq

from ..errors import ConfigError, DeadlineExceeded, HandshakeError, ProtocolError
from . import wire
from .data_plane import ChunkedPlane
from .handshake_watch import HandshakeWatch
from .keys import ClientKeys
from .sockets import open_socket, receive, send
from .wire import Header, Kind

_TICK_MS = 100


def read_stats(endpoint: str, keys: ClientKeys | None = None, *, deadline: float = 10.0) -> dict[str, Any]:
    """Totals since the server started, see `Counters`, and who it is.

    Besides them `env_id`, `num_envs`, `silent` (s since its client was heard of, None if it has none) and `memory`
    (whether it shares memory with it).

    Raises:
        ConfigError: The endpoint is no address.
        DeadlineExceeded: There was no answer within `deadline`, s.
        HandshakeError: The server has other keys, or speaks another version.
    """
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        socket = open_socket(context, zmq.DEALER)
        if keys is not None:
            keys.identify(socket)
        watch = HandshakeWatch(socket)
        try:
            _connect(socket, endpoint)
            return _ask(socket, watch, endpoint, time.monotonic() + deadline)
        finally:
            watch.close()
    finally:
        context.destroy(linger=0)


def _connect(socket: "zmq.Socket[bytes]", endpoint: str) -> None:
    try:
        socket.connect(endpoint)
    except zmq.ZMQError as error:
        raise ConfigError(f"{endpoint!r} is no address: {error.strerror}; expected tcp://HOST:PORT") from None


def _ask(socket: "zmq.Socket[bytes]", watch: HandshakeWatch, endpoint: str, end: float) -> dict[str, Any]:
    question = Header(Kind.STATS, call=secrets.randbits(63))
    send(socket, [question.pack()])
    while time.monotonic() < end:
        if socket.poll(_TICK_MS):
            frames = receive(socket)
            try:
                header = Header.unpack(bytes(frames[0]) if frames else b"")
                data = ChunkedPlane(0).incoming(header, frames[1:]).data()
            except wire.VersionSkew as error:
                raise HandshakeError(f"{endpoint}: {error}; install the same dexgrasp_envs at both ends") from None
            except wire.WireError as error:
                raise ProtocolError(f"{endpoint}: {error}") from None
            if header != question or not isinstance(data, dict):
                raise ProtocolError(f"{endpoint} does not say how it is doing: {data!r}")
            return data
        refusal = watch.failure()
        if refusal is not None:
            raise HandshakeError(f"{endpoint} {refusal}")
    raise DeadlineExceeded(f"no answer from {endpoint}; is it running?")
