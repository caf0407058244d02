"""What Ray runs beside each server: it starts the server, tells where it listens and how it ended."""

import importlib
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .child import Child
from .parent_watch import FOLDER_PREFIX

_GRACE, _TICK = 5.0, 0.2
"""Time for a server to end by itself, and between two looks at it, s."""


class ServerHost:
    """One server in a child process of a Ray actor, with which it ends, on the address of the actor's machine.

    Args:
        number: Which server it is, for messages.
        command: The arguments of `dexgrasp serve`; `{folder}` in them becomes the path of a folder of mode 0700.
        files: Names and texts of files in that folder, the server's keys among them; of mode 0600.
        port: Where to listen, "*" for any free port.
    """

    def __init__(self, number: int, command: Sequence[str], files: dict[str, str], port: str):
        self._folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
        for name, text in files.items():
            with open(os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
        machine = importlib.import_module("ray.util").get_node_ip_address()
        # Held open as long as this process lives; the server ends when it closes.
        pipe, self._held = os.pipe()
        arguments = [argument.replace("{folder}", str(self._folder)) for argument in command]
        arguments += ["--bind", f"tcp://{machine}:{port}", "--keys", str(self._folder), "--parent-pipe", str(pipe)]
        self._child = Child(number, "", arguments, self._folder / "stderr", pipe)

    def ready(self, seconds: float) -> str:
        """Wait until it can be connected to; where."""
        self._child.await_ready(time.monotonic() + seconds)
        return self._child.endpoint

    def ended(self) -> str:
        """Wait until the process ends; how it did."""
        while (words := self._child.ended()) is None:
            time.sleep(_TICK)
        return words

    def close(self) -> None:
        """End the server, and remove its folder."""
        self._child.terminate()
        self._child.close(time.monotonic() + _GRACE)
        shutil.rmtree(self._folder, ignore_errors=True)
