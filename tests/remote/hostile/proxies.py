"""Networks that do to messages, or to the bytes of a connection, what networks should not."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Self

import numpy as np
import zmq

Fault = Callable[[np.random.Generator, list[bytes]], list[list[bytes]]]
"""Makes of one message those that go on."""


def dropping(random: np.random.Generator, frames: list[bytes]) -> list[list[bytes]]:
    return [] if random.random() < 0.2 else [frames]


def doubling(random: np.random.Generator, frames: list[bytes]) -> list[list[bytes]]:
    return [frames, frames] if random.random() < 0.3 else [frames]


def delaying(random: np.random.Generator, frames: list[bytes]) -> list[list[bytes]]:
    if random.random() < 0.2:
        time.sleep(0.1 * random.random())
    return [frames]


def truncating(random: np.random.Generator, frames: list[bytes]) -> list[list[bytes]]:
    if random.random() < 0.2:
        return [[*frames[:-1], frames[-1][: int(random.integers(len(frames[-1]) + 1))]]]
    return [frames[: int(random.integers(1, 1 + len(frames)))] if random.random() < 0.1 else frames]


class Reordering:
    """Holds some messages back until the next one of their direction has passed."""

    def __init__(self) -> None:
        self._held: list[list[bytes]] = []

    def __call__(self, random: np.random.Generator, frames: list[bytes]) -> list[list[bytes]]:
        held, self._held = self._held, []
        if not held and random.random() < 0.2:
            self._held = [frames]
            return []
        return [frames, *held]


class _Proxy(threading.Thread):
    def __init__(self, endpoint: str):
        super().__init__(daemon=True)
        self._behind = endpoint
        self._over = threading.Event()
        self.endpoint = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(10)
        assert not self.is_alive()


class MessageProxy(_Proxy):
    """Passes messages on, after a fault of each direction had its way with them."""

    def __init__(self, endpoint: str, there: Fault, back: Fault, seed: int = 0):
        super().__init__(endpoint)
        self._faults = (there, back)
        self._random = np.random.default_rng(seed)
        self._context: zmq.Context = zmq.Context()
        self._front = self._context.socket(zmq.ROUTER)
        self.endpoint = f"tcp://127.0.0.1:{self._front.bind_to_random_port('tcp://127.0.0.1')}"

    def run(self) -> None:
        backs: dict[bytes, zmq.Socket] = {}
        poller = zmq.Poller()
        poller.register(self._front, zmq.POLLIN)
        while not self._over.is_set():
            ready = dict(poller.poll(20))
            if self._front in ready:
                route, *frames = self._front.recv_multipart()
                if route not in backs:
                    backs[route] = self._context.socket(zmq.DEALER)
                    backs[route].connect(self._behind)
                    poller.register(backs[route], zmq.POLLIN)
                for message in self._faults[0](self._random, frames):
                    backs[route].send_multipart(message)
            for route, back in backs.items():
                if back in ready:
                    for message in self._faults[1](self._random, back.recv_multipart()):
                        self._front.send_multipart([route, *message])
        self._context.destroy(linger=0)


class CuttingProxy(_Proxy):
    """Passes bytes on, and hangs up in the midst of them every so often."""

    def __init__(self, endpoint: str, least: int, most: int, seed: int = 0):
        super().__init__(endpoint)
        self._limits = (least, most)
        self._random = np.random.default_rng(seed)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self._listening.getsockname()[1]}"
        self.cuts = 0

    def run(self) -> None:
        pumps = []
        while not self._over.is_set():
            if select.select([self._listening], [], [], 0.02)[0]:
                pumps.append(threading.Thread(target=self._pump, args=(self._listening.accept()[0],)))
                pumps[-1].start()
        for pump in pumps:
            pump.join()
        self._listening.close()

    def _pump(self, near: socket.socket) -> None:
        host, _, port = self._behind.removeprefix("tcp://").rpartition(":")
        left = int(self._random.integers(*self._limits))
        with near, socket.create_connection((host, int(port))) as far, contextlib.suppress(ConnectionError):
            other = {near: far, far: near}
            while not self._over.is_set():
                for end in select.select([near, far], [], [], 0.02)[0]:
                    data = end.recv(min(left, 4096))
                    if not data:
                        return
                    other[end].sendall(data)
                    left -= len(data)
                    if not left:
                        self.cuts += 1
                        return
