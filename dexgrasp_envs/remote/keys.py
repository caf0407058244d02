"""CURVE keys: who may drive a server, and which server a client means to drive.

A folder holds `server.secret`, `server.public`, `client.secret` and `client.public`, each one key of 40 characters.
A server needs the first and the public keys of its clients (`client*.public`), a client the second and third.
"""

import contextlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import zmq

from ..errors import ConfigError
from . import wire

_LENGTH = 40
_LARGEST = wire.CHUNK_BYTES + 33
"""Bytes of the largest encrypted frame: CURVE adds 8 for its command's name, 8 of nonce, 16 of code and 1 of flags."""


@dataclass(frozen=True)
class ServerKeys:
    """What a server needs."""

    secret: bytes = field(repr=False)
    """Its own secret key, Z85."""
    clients: frozenset[bytes]
    """The public keys that may connect, Z85."""

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """From a folder of `write_keys`, or one with `server.secret` and some `client*.public`; ConfigError if not."""
        paths = sorted(Path(folder).glob("client*.public"))
        if not paths:
            raise ConfigError(f"{folder} has no client*.public: nobody could connect. Write keys with `dexgrasp keys`")
        return cls(_load_secret(Path(folder, "server.secret")), frozenset(map(_load, paths)))

    def guard(self, socket: "zmq.Socket[bytes]") -> None:
        """Let a socket, before it is bound, accept only those who prove to have a key; a `Gate` says who may."""
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.MAXMSGSIZE, _LARGEST)
        socket.setsockopt(zmq.CURVE_SECRETKEY, self.secret)
        # Without a gate in its context such a socket would refuse, where by default it lets everybody in.
        socket.setsockopt(zmq.ZAP_DOMAIN, b"dexgrasp")
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)


@dataclass(frozen=True)
class ClientKeys:
    """What a client needs."""

    secret: bytes = field(repr=False)
    """Its own secret key, Z85."""
    server: bytes
    """The server's public key, Z85."""

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """From a folder of `write_keys`, or one with `client.secret` and `server.public`; ConfigError if not."""
        return cls(_load_secret(Path(folder, "client.secret")), _load(Path(folder, "server.public")))

    def identify(self, socket: "zmq.Socket[bytes]") -> None:
        """Let a socket, before it connects, show its key and insist on the server's."""
        socket.setsockopt(zmq.CURVE_SECRETKEY, self.secret)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, zmq.curve_public(self.secret))
        socket.setsockopt(zmq.CURVE_SERVERKEY, self.server)
        socket.setsockopt(zmq.MAXMSGSIZE, _LARGEST)


def write_keys(folder: str | os.PathLike[str]) -> list[Path]:
    """New keys of a server and a client, in a folder that only the user may enter; nothing is overwritten.

    ConfigError if the folder cannot be made, is open to others, or holds keys already.
    """
    folder = Path(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made: {error.strerror}") from None
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        raise ConfigError(f"{folder} is open to others: chmod 700 {folder}, or name a new folder")
    keys = {}
    for name in ("server", "client"):
        keys[f"{name}.public"], keys[f"{name}.secret"] = zmq.curve_keypair()
    written: list[Path] = []
    try:
        for name, key in keys.items():
            _write(folder / name, key)
            written.append(folder / name)
    except OSError as error:
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink()
        raise ConfigError(f"{error.filename}: {error.strerror}; name a folder without keys") from None
    return written


def _write(path: Path, key: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key + b"\n")


def _load_secret(path: Path) -> bytes:
    key = _load(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(f"{path} can be read by others: chmod 600 {path}, or write new keys with `dexgrasp keys`")
    return key


def _load(path: Path) -> bytes:
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; write keys with `dexgrasp keys {path.parent}`") from None
    # What is in the file is not shown: it may be a secret.
    try:
        zmq.curve_public(key)
    except (ValueError, zmq.ZMQError):
        raise ConfigError(f"{path} holds no key: expected {_LENGTH} characters of Z85") from None
    return key
