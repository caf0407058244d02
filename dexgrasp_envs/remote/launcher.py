"""Starting servers as child processes of this one."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import ConfigError, DeadlineExceeded, RemoteError
from .parent_watch import FOLDER_PREFIX

READY = "READY"
"""First word of the line that a server prints when it can be connected to; the endpoint follows."""
_TAIL = 2000
"""Bytes of a child's stderr that are shown when it fails."""
_GRACE = 5.0
"""Time for a child to end by itself before it is killed, s."""


class Children:
    """Servers in child processes, on ipc sockets in a folder of their own.

    They end, and the folder goes, with `close`, with this process, or with whatever fails in between.

    Args:
        commands: For each child the arguments of `dexgrasp serve`, without `--bind`.
        files: Text files to write into the folder first; `{folder}` in an argument becomes its path.
        deadline: Most seconds until all are ready.

    Raises:
        RemoteError: A child ended before it was ready; with the end of what it wrote to stderr.
        DeadlineExceeded: A child was not ready in time.
    """

    def __init__(self, commands: Sequence[Sequence[str]], files: dict[str, str] | None = None, deadline: float = 300.0):
        self._parent = os.getpid()
        self.folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
        self.endpoints: list[str] = []
        """Where to connect to, in the order of the commands."""
        self._processes: list[subprocess.Popen[str]] = []
        self._pipe, self._held = os.pipe()
        try:
            for name, text in (files or {}).items():
                (self.folder / name).write_text(text)
            for number, command in enumerate(commands):
                self._start(number, [argument.replace("{folder}", str(self.folder)) for argument in command])
            end = time.monotonic() + deadline
            for number in range(len(commands)):
                self._await_ready(number, end)
        except BaseException:
            self.close()
            raise
        self.checks: list[Callable[[], str | None]] = [self._check(number) for number in range(len(commands))]
        """For each child a function that says how it ended, None while it runs."""

    def close(self) -> None:
        """End the children, and remove the folder; may be called twice."""
        if os.getpid() != self._parent:
            # A fork of the parent: the children are not its own.
            return
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        end = time.monotonic() + _GRACE
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))
            if process.poll() is None:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()
        if self._held >= 0:
            os.close(self._held)
            os.close(self._pipe)
            self._held = -1
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, number: int, command: Sequence[str]) -> None:
        endpoint = f"ipc://{self.folder}/{number}"
        if len(endpoint) > 100:
            raise ConfigError(f"{endpoint} is too long for a socket; set TMPDIR to a shorter folder")
        arguments = ["serve", *command, "--bind", endpoint, "--parent-pipe", str(self._pipe)]
        with (self.folder / f"{number}.stderr").open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "dexgrasp_envs.cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                pass_fds=[self._pipe],
            )
        self._processes.append(process)
        self.endpoints.append(endpoint)

    def _await_ready(self, number: int, end: float) -> None:
        process = self._processes[number]
        assert process.stdout is not None
        # One line is all that comes through this pipe, so that what select says holds for readline too.
        if not select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
            raise DeadlineExceeded(f"simulator {number} is not ready in time.{self._tail(number)}")
        line = process.stdout.readline()
        if not line.startswith(READY):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))
            raise RemoteError(f"simulator {number} {_ending(process)} before it was ready.{self._tail(number)}")

    def _check(self, number: int) -> Callable[[], str | None]:
        def check() -> str | None:
            process = self._processes[number]
            return None if process.poll() is None else f"its process {_ending(process)}.{self._tail(number)}"

        return check

    def _tail(self, number: int) -> str:
        with (self.folder / f"{number}.stderr").open("rb") as stderr:
            stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - _TAIL))
            text = stderr.read().decode(errors="replace").strip()
        return f" Its last words:\n{text}\n" if text else ""


def _ending(process: "subprocess.Popen[str]") -> str:
    code = process.poll()
    if code is None:
        return "closed its output"
    return f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
