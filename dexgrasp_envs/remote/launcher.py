"""Starting servers as child processes of this one."""

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ..errors import ConfigError
from .child import START_DEADLINE, Child
from .parent_watch import FOLDER_PREFIX
from .supervised import Launched

_GRACE = 5.0
"""Time for a child to end by itself before it is killed, s."""


class Children(Launched[Child]):
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

    def __init__(
        self, commands: Sequence[Sequence[str]], files: dict[str, str] | None = None, deadline: float = START_DEADLINE
    ):
        self._parent = os.getpid()
        self.folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
        self.servers = []
        self._pipe, self._held = os.pipe()
        try:
            for name, text in (files or {}).items():
                (self.folder / name).write_text(text)
            for number, command in enumerate(commands):
                self._start(number, [argument.replace("{folder}", str(self.folder)) for argument in command])
            end = time.monotonic() + deadline
            for child in self.servers:
                child.await_ready(end)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the children, and remove the folder; may be called twice."""
        if os.getpid() != self._parent:
            # A fork of the parent: the children are not its own.
            return
        for child in self.servers:
            child.terminate()
        end = time.monotonic() + _GRACE
        for child in self.servers:
            child.close(end)
        if self._held >= 0:
            os.close(self._held)
            os.close(self._pipe)
            self._held = -1
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, number: int, command: Sequence[str]) -> None:
        endpoint = f"ipc://{self.folder}/{number}"
        if len(endpoint) > 100:
            raise ConfigError(f"{endpoint} is too long for a socket; set TMPDIR to a shorter folder")
        arguments = [*command, "--bind", endpoint, "--parent-pipe", str(self._pipe)]
        self.servers.append(Child(number, endpoint, arguments, self.folder / f"{number}.stderr", self._pipe))
