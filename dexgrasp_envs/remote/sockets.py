"""ZeroMQ sockets with bounds, and where they may be bound."""

import ipaddress
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import zmq

from ..errors import ConfigError
from . import wire
from .data_plane import Frame

HIGH_WATER = 32
"""Messages in flight each way: with chunks of 1 MiB, what a stalled peer can cost in memory."""
MAX_FRAMES = 3
"""Frames of a message: header, metadata or chunk, and what travels beside the metadata."""


def open_socket(context: "zmq.Context[zmq.Socket[bytes]]", kind: int) -> "zmq.Socket[bytes]":
    """A socket with bounded frames and queues that does not linger."""
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, HIGH_WATER)
    socket.setsockopt(zmq.RCVHWM, HIGH_WATER)
    socket.setsockopt(zmq.MAXMSGSIZE, wire.CHUNK_BYTES)
    if kind == zmq.ROUTER:
        # A full or vanished client is an error at send, where otherwise messages would be dropped.
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    return socket


def bind(socket: "zmq.Socket[bytes]", endpoint: str, anywhere: bool = False) -> str:
    """Bind and return the endpoint in effect (a port `*` becomes a number).

    ConfigError where strangers could connect: tcp beyond this machine, unless it may be `anywhere`, or an ipc socket in
    a folder that others may enter; and where the address cannot be bound.
    """
    scheme, _, address = endpoint.partition("://")
    if scheme == "tcp":
        if not anywhere and not _is_loopback(address.rpartition(":")[0]):
            raise ConfigError(
                f"{endpoint} can be reached from other machines, and anyone there could drive the server: pass keys "
                "(`dexgrasp keys FOLDER`, then --keys FOLDER), bind to tcp://127.0.0.1:PORT and tunnel (ssh -L), or "
                "pass insecure=True (--insecure) on a network you trust"
            )
    elif scheme == "ipc":
        _check_private(Path(address).parent)
    else:
        raise ConfigError(f"an endpoint is tcp://HOST:PORT or ipc://PATH, got {endpoint!r}")
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        raise ConfigError(f"cannot bind {endpoint}: {error.strerror}; is another server there?") from None
    return socket.get_string(zmq.LAST_ENDPOINT)


def receive(socket: "zmq.Socket[bytes]", most: int = MAX_FRAMES) -> list[memoryview]:
    """The frames of the next message, an empty list if there are more than `most`; zmq.Again if there is no message."""
    frames = [socket.recv(zmq.NOBLOCK, copy=False).buffer]
    while socket.getsockopt(zmq.RCVMORE):
        frame = socket.recv(copy=False)
        # What is too much is not kept.
        if len(frames) <= most:
            frames.append(frame.buffer)
    return frames if len(frames) <= most else []


def send(socket: "zmq.Socket[bytes]", frames: Sequence[Frame]) -> None:
    """Send a message whole, or raise zmq.Again if the queue is full."""
    socket.send_multipart(frames, zmq.NOBLOCK, copy=sum(map(len, frames)) < wire.INLINE_BYTES)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _check_private(folder: Path) -> None:
    try:
        status = folder.stat()
    except OSError as error:
        raise ConfigError(f"the folder of an ipc socket must exist: {error}") from None
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise ConfigError(
            f"{folder} must be yours and closed to others, who could drive the server: chmod 700 {folder}"
        )
