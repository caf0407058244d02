"""Signs of life while the client does something else, such as learning."""

import contextlib
import threading

import zmq

from .keys import ClientKeys
from .sockets import open_socket, receive, send
from .wire import Header, Kind


class Heartbeat(threading.Thread):
    """Keeps one lease of a server until it is stopped.

    It has a connection of its own: a ZeroMQ socket belongs to one thread.
    """

    def __init__(
        self,
        context: "zmq.Context[zmq.Socket[bytes]]",
        endpoint: str,
        lease: int,
        period: float,
        keys: ClientKeys | None = None,
    ):
        super().__init__(name="dexgrasp-heartbeat", daemon=True)
        self._context = context
        self._endpoint = endpoint
        self._lease = lease
        self._period = period
        self._keys = keys
        self._stop_now = threading.Event()

    def run(self) -> None:
        """Send a sign of life every period; the answers tell nothing that a call would not."""
        socket = open_socket(self._context, zmq.DEALER)
        try:
            if self._keys is not None:
                self._keys.identify(socket)
            socket.connect(self._endpoint)
            while not self._stop_now.wait(self._period):
                with contextlib.suppress(zmq.Again):
                    while True:
                        receive(socket)
                with contextlib.suppress(zmq.Again):
                    send(socket, [Header(Kind.PING, self._lease).pack()])
        finally:
            socket.close(linger=0)

    def stop(self) -> None:
        """End, and free the socket."""
        self._stop_now.set()
        self.join(5.0)
