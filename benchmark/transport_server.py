"""The other end of what `transport` measures: `python -m benchmark.transport_server`, which ends with its parent."""

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import gymnasium
import tyro
import zmq

from dexgrasp_envs.remote.child import READY
from dexgrasp_envs.remote.keys import ServerKeys
from dexgrasp_envs.remote.parent_watch import end_with_parent
from dexgrasp_envs.remote.server import SimServer

from .image_batch import SIDE, DrawnBatch, ImageBatch

CHUNK = 1 << 20
"""Bytes of a message in the chunked form."""
Way = Literal["ours", "drawn", "pickle", "frame", "chunks"]
"""This package's server, of images that are there or are drawn; the usual one, a REP socket and pickle; or bytes, in
one message or in many."""
BARE: tuple[Way, Way] = ("frame", "chunks")


def main(
    way: tyro.conf.Positional[Way],
    num_envs: int,
    pipe: int,
    bind: str = "tcp://127.0.0.1:*",
    env_id: str = "",
    groups: int = 1,
    seconds: float = 0.0,
    keys: Path | None = None,
) -> None:
    """Serve `num_envs` environments, of an id, or of images whose step takes `seconds`."""
    end_with_parent(pipe, Path("/"))
    if way in ("ours", "drawn"):
        make = DrawnBatch if way == "drawn" else ImageBatch
        envs = [make(num_envs // groups, seconds / groups) for _ in range(groups)]
        server_keys = None if keys is None else ServerKeys.load(keys)
        with SimServer(envs, [{}] * groups, bind, keys=server_keys) as server:
            print(READY, server.endpoint, flush=True)
            server.serve()
        return
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.REP if way == "pickle" else zmq.PAIR)
    socket.bind(bind)
    print(READY, socket.get_string(zmq.LAST_ENDPOINT), flush=True)
    if way == "pickle":
        _pickle(socket, gymnasium.make_vec(env_id, num_envs) if env_id else ImageBatch(num_envs))
    else:
        _bytes(socket, num_envs * SIDE * SIDE if way == "frame" else CHUNK, num_envs * SIDE * SIDE)


def _pickle(socket: "zmq.Socket[bytes]", env: Any) -> None:
    while True:
        # Pickle is what this peer is about; its only client is the benchmark that started it, on the loopback.
        name, arguments = pickle.loads(socket.recv())
        result = env.reset(seed=arguments) if name == "reset" else env.step(arguments)
        socket.send(pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL), copy=False)


def _bytes(socket: "zmq.Socket[bytes]", size: int, total: int) -> None:
    data = memoryview(os.urandom(total))
    while True:
        socket.recv()
        for offset in range(0, total, size):
            socket.send(data[offset : offset + size], copy=False)


@contextlib.contextmanager
def serving(way: Way, num_envs: int, *options: str) -> Iterator[tuple[str, int]]:
    """A server in a child process: endpoint and process id."""
    yield from _started(
        [sys.executable, "-m", "benchmark.transport_server", way, "--num-envs", str(num_envs), *options]
    )


@contextlib.contextmanager
def serving_id(env_id: str, num_envs: int, *options: str) -> Iterator[tuple[str, int]]:
    """`dexgrasp serve` in a child process, over tcp: endpoint and process id."""
    command = [sys.executable, "-m", "dexgrasp_envs.cli", "serve", env_id, "--num-envs", str(num_envs)]
    yield from _started([*command, "--bind", "tcp://127.0.0.1:*", *options])


def _started(command: Sequence[str]) -> Iterator[tuple[str, int]]:
    pipe, held = os.pipe()
    option = "--pipe" if "benchmark.transport_server" in command else "--parent-pipe"
    process = subprocess.Popen([*command, option, str(pipe)], stdout=subprocess.PIPE, text=True, pass_fds=[pipe])
    try:
        assert process.stdout is not None
        word, _, endpoint = process.stdout.readline().strip().partition(" ")
        if word != READY:
            raise RuntimeError(f"{' '.join(command)} did not start")
        yield endpoint, process.pid
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        os.close(pipe)
        os.close(held)


if __name__ == "__main__":
    tyro.cli(main)
