"""One server in a child process, which can be started again when it was lost."""

import contextlib
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import DeadlineExceeded, RemoteError
from .restarts import Restarts

READY = "READY"
"""First word of the line that a server prints when it can be connected to; the endpoint follows."""
START_DEADLINE = 300.0
"""Most seconds until a child is ready."""
_TAIL = 2000
"""Bytes of a child's stderr that are shown when it fails."""
_TICK = 0.1
"""Most seconds until it is noticed that nobody waits any more, s."""


class Child:
    """A server process and those that took its place.

    Args:
        number: Which of its parent's children it is, for messages.
        endpoint: Where it listens; what it says itself once it is ready.
        command: The arguments of `dexgrasp serve`.
        stderr: File for its stderr.
        pipe: File descriptor whose other end the parent holds.
    """

    def __init__(self, number: int, endpoint: str, command: Sequence[str], stderr: Path, pipe: int):
        self.endpoint = endpoint
        self.generation = 0
        """How many times it was started again."""
        self._name = f"simulator {number}"
        self._command = [sys.executable, "-m", "dexgrasp_envs.cli", "serve", *command]
        self._stderr = stderr
        self._pipe = pipe
        self._lock = threading.Lock()
        self._restarts = Restarts(self._name)
        self._closing = False
        self._process = self._start()

    def await_ready(self, end: float, given_up: Callable[[], bool] = lambda: False) -> None:
        """Wait until it can be connected to; RemoteError with its last words, or DeadlineExceeded."""
        process = self._process
        assert process.stdout is not None
        # One line is all that comes through this pipe, so that what select says holds for readline too.
        while not select.select([process.stdout], [], [], max(0.0, min(_TICK, end - time.monotonic())))[0]:
            if given_up() or self._closing:
                raise RemoteError(f"{self._name} is not waited for any more")
            if time.monotonic() >= end:
                raise DeadlineExceeded(f"{self._name} is not ready in time.{self._tail()}")
        word, _, endpoint = process.stdout.readline().strip().partition(" ")
        self.endpoint = endpoint or self.endpoint
        if word != READY:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))
            raise RemoteError(f"{self._name} {_ending(process)} before it was ready.{self._tail()}")

    def ended(self, generation: int = 0) -> str | None:
        """How the process of a generation ended, None while it runs."""
        if generation != self.generation:
            return "it was started again"
        process = self._process
        return None if process.poll() is None else f"its process {_ending(process)}.{self._tail()}"

    def revive(self, generation: int, given_up: Callable[[], bool]) -> None:
        """Start it again, and wait until it is ready, unless somebody else did so since `generation`.

        A process that still runs is killed: whoever calls this has lost it. RemoteError if it was started too often.
        """
        with self._lock:
            if self._closing or generation != self.generation:
                return
            self._restarts.add(self.ended(generation))
            self._kill()
            self._process = self._start()
            self.await_ready(time.monotonic() + START_DEADLINE, given_up)
            # Not before: one that is not ready has to be started again.
            self.generation += 1

    def terminate(self) -> None:
        """Tell it to end, for good."""
        self._closing = True
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def close(self, end: float) -> None:
        """Wait until it has ended, and kill it at the time `end`."""
        with self._lock:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(max(0.0, end - time.monotonic()))
            self._kill()

    def _start(self) -> "subprocess.Popen[str]":
        with self._stderr.open("w") as stderr:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                pass_fds=[self._pipe],
            )

    def _kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _tail(self) -> str:
        with self._stderr.open("rb") as stderr:
            stderr.seek(max(0, stderr.seek(0, 2) - _TAIL))
            text = stderr.read().decode(errors="replace").strip()
        return f" Its last words:\n{text}\n" if text else ""


def _ending(process: "subprocess.Popen[str]") -> str:
    code = process.poll()
    if code is None:
        return "closed its output"
    return f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
