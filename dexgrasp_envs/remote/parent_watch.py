"""A child process that ends with its parent, however the parent ends."""

import os
import shutil
import threading
from pathlib import Path

FOLDER_PREFIX = "dexgrasp-spawn-"
"""How the names of the folders begin in which a parent keeps its children's sockets."""


def end_with_parent(pipe: int, folder: Path) -> None:
    """End this process when the pipe closes whose read end is `pipe` and whose only write end the parent holds.

    The kernel closes it even if the parent is killed. This works whichever thread started the child; Linux's
    PR_SET_PDEATHSIG would end it when that thread, not the process, ends. The folder is removed if it is a parent's.
    """

    def watch() -> None:
        # Nothing is ever written: this returns at the end of the parent.
        os.read(pipe, 1)
        if folder.name.startswith(FOLDER_PREFIX):
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, name="dexgrasp-parent-watch", daemon=True).start()
