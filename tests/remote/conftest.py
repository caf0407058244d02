import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gymnasium.vector import VectorEnv

from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.limits import Deadlines
from dexgrasp_envs.remote.server import SimServer
from tests.remote.raw_client import RawClient

Serve = Callable[..., SimServer]
Connect = Callable[..., RemoteVectorEnv]
Raw = Callable[[SimServer], RawClient]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves environments, each in a thread of its own, and ends the servers."""
    started: list[tuple[SimServer, threading.Thread, list[VectorEnv]]] = []

    def serve_one(env: Any, identity: Any = None, **options: Any) -> SimServer:
        server = SimServer(env, identity or {"env_id": "test"}, "tcp://127.0.0.1:*", **options)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        started.append((server, thread, env if isinstance(env, list) else [env]))
        return server

    yield serve_one
    for server, thread, envs in started:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()
        server.close()
        for env in envs:
            env.close()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects to servers, and closes the environments."""
    made: list[RemoteVectorEnv] = []

    def connect_one(*servers: SimServer, **options: Any) -> RemoteVectorEnv:
        options.setdefault("deadlines", Deadlines(connect=5.0, call=10.0, heartbeat=0.1, window=5.0))
        made.append(RemoteVectorEnv([server.endpoint for server in servers], **options))
        return made[-1]

    yield connect_one
    for envs in made:
        envs.close()


@pytest.fixture
def raw() -> Iterator[Raw]:
    """Connects to a server by the bare protocol."""
    clients: list[RawClient] = []

    def connect_one(server: SimServer) -> RawClient:
        clients.append(RawClient(server.endpoint))
        return clients[-1]

    yield connect_one
    for client in clients:
        client.close()


@pytest.fixture
def without_collections() -> Iterator[None]:
    """What is in a cycle stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
