"""Why a connection does not come about, where silence would only be a missed deadline."""

import zmq
from zmq.utils.monitor import recv_monitor_message

_UNKNOWN = "does not know this client's key: copy client.public into the server's folder of keys and start it again"
_DISAGREE = (
    "and this client do not agree on keys: pass keys=FOLDER, with its server.public, if and only if it has --keys"
)
_REASONS = {
    int(zmq.EVENT_HANDSHAKE_FAILED_AUTH): _UNKNOWN,
    int(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL): _DISAGREE,
    # The other end hung up: it may have seen first that the two disagree.
    int(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL): _DISAGREE,
}


class HandshakeWatch:
    """Watches a socket that is about to connect."""

    def __init__(self, socket: "zmq.Socket[bytes]"):
        self._socket = socket
        self._events = socket.get_monitor_socket(sum(_REASONS))

    def failure(self) -> str | None:
        """What went wrong, to follow the server's name; None if nothing did yet."""
        if not self._events.poll(0):
            return None
        return _REASONS[int(recv_monitor_message(self._events)["event"])]

    def close(self) -> None:
        """Watch no more."""
        self._socket.disable_monitor()
        self._events.close(linger=0)
