"""Signs of life while the client does something else, such as learning."""

import contextlib
import threading

import zmq

from .keys import ClientKeys
from .sockets import open_socket, receive, send
from .wire import Header, Kind


class Heartbeat(threading.Thread):
    """Keeps the leases of some servers, each an (endpoint, lease), until it is stopped.

    It has connections of its own: a ZeroMQ socket belongs to one thread.
    """

    def __init__(
        self,
        context: "zmq.Context[zmq.Socket[bytes]]",
        leases: list[tuple[str, int]],
        period: float,
        keys: ClientKeys | None = None,
    ):
        super().__init__(name="dexgrasp-heartbeat", daemon=True)
        self._context = context
        self._leases = leases
        self._period = period
        self._keys = keys
        self._stop_now = threading.Event()

    def run(self) -> None:
        """Send a sign of life every period; the answers tell nothing that a call would not."""
        sockets = [open_socket(self._context, zmq.DEALER) for _ in self._leases]
        try:
            for socket, (endpoint, _) in zip(sockets, self._leases, strict=True):
                if self._keys is not None:
                    self._keys.identify(socket)
                socket.connect(endpoint)
            while not self._stop_now.wait(self._period):
                for socket, (_, lease) in zip(sockets, self._leases, strict=True):
                    with contextlib.suppress(zmq.Again):
                        while True:
                            receive(socket)
                    with contextlib.suppress(zmq.Again):
                        send(socket, [Header(Kind.PING, lease).pack()])
        finally:
            for socket in sockets:
                socket.close(linger=0)

    def stop(self) -> None:
        """End, and free the sockets."""
        self._stop_now.set()
        self.join(5.0)
