"""A client that sends whatever it is told to, for tests of what a server makes of it."""

from typing import Any

import zmq

from dexgrasp_envs.remote import wire
from dexgrasp_envs.remote.wire import Header, Kind


class RawClient:
    def __init__(self, endpoint: str):
        self._context = zmq.Context()
        self.socket = self._context.socket(zmq.DEALER)
        self.socket.connect(endpoint)
        self.lease = 0

    def close(self) -> None:
        self._context.destroy(linger=0)

    def send(self, header: Header, data: Any = None) -> None:
        """A message whose arrays are small."""
        meta, arrays = wire.encode(data)
        self.socket.send_multipart([header.pack(), meta, b"".join(array.tobytes() for array in arrays)])

    def call(self, number: int, operation: str, **arguments: Any) -> None:
        self.send(Header(Kind.CALL, self.lease, number), {"operation": operation, "arguments": arguments})

    def ping(self) -> tuple[Header, Any]:
        self.socket.send(Header(Kind.PING, self.lease).pack())
        return self.receive()

    def receive(self, seconds: float = 5.0) -> tuple[Header, Any]:
        """The next message; its data, or None for a message without."""
        assert self.socket.poll(int(seconds * 1000)), "no answer"
        header, *frames = self.socket.recv_multipart()
        if len(frames) != 2:
            return Header.unpack(header), None
        head = wire.decode(frames[0], 1 << 20)
        arrays, offset = [], 0
        for slot in head.slots:
            part = frames[1][offset : offset + slot.size]
            arrays.append(wire.np.frombuffer(part, slot.dtype).reshape(slot.shape))
            offset += slot.size
        return Header.unpack(header), head.build(arrays)

    def hello(self, number: int = 7, group: int = 0) -> tuple[Header, Any]:
        self.send(Header(Kind.HELLO, call=number), {"group": group})
        header, data = self.receive()
        if header.kind == Kind.WELCOME:
            self.lease = header.lease
            return header, data["identity"]
        return header, data

    def begin(self, group: int = 0) -> None:
        """Take the lease and reset."""
        self.hello(group=group)
        self.call(1, "reset", seed=0, options=None)
        self.receive()

    def silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes."""
        return not self.socket.poll(int(seconds * 1000))
