"""Who may connect: ZeroMQ's authentication protocol (RFC 27, ZAP) with a list of public keys."""

import contextlib

import zmq
from zmq.utils import z85

from .sockets import open_socket

_MECHANISM = b"CURVE"


class Gate:
    """Answers ZeroMQ, for all sockets of a context that ask, whether a key may come in.

    Args:
        context: The context of the sockets; it can have one gate.
        allowed: Public keys, Z85.
    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", allowed: frozenset[bytes]):
        self.socket = open_socket(context, zmq.REP)
        """Readable when there is somebody to `judge`; it belongs to the thread that does so."""
        self.socket.bind("inproc://zeromq.zap.01")
        self._allowed = {z85.decode(key) for key in allowed}

    def judge(self) -> None:
        """Answer those who wait."""
        with contextlib.suppress(zmq.Again):
            while True:
                version, request, _domain, _address, _route, mechanism, *credentials = self.socket.recv_multipart(
                    zmq.NOBLOCK
                )
                known = mechanism == _MECHANISM and len(credentials) == 1 and credentials[0] in self._allowed
                verdict = (b"200", b"OK") if known else (b"400", b"unknown key")
                self.socket.send_multipart([version, request, *verdict, b"", b""])
