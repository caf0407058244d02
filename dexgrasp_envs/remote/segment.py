"""Memory that a server shares with its client: a sealed memfd, which goes with the last process that has it open.

It has no name that could outlive its processes or be guessed by others. The client opens it by way of the server's
/proc entry, which the kernel allows to the same user in the same container, and maps it for reading only.
"""

import contextlib
import fcntl
import mmap
import os
import secrets
import stat
from pathlib import Path

import numpy as np
import numpy.typing as npt

NONCE_BYTES = 32
"""The segment begins with these; who can say them can read it."""
START = 64
"""Where the arrays begin."""
_NAME = "dexgrasp"
_Bytes = npt.NDArray[np.uint8]


def host() -> str | None:
    """What processes that can share memory have in common; None where they cannot."""
    if not hasattr(os, "memfd_create"):
        return None
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')} {os.geteuid()}"
    except OSError:
        return None


class Segment:
    """The server's end.

    Args:
        size: Bytes for arrays.

    Raises:
        OSError: There is not so much memory.
    """

    def __init__(self, size: int):
        self._file = os.memfd_create(_NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            # Now, not at the first write: what cannot be had then ends the process.
            os.posix_fallocate(self._file, 0, START + size)
            # The client need not fear that the memory shrinks under it.
            fcntl.fcntl(self._file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
            whole: _Bytes = np.frombuffer(mmap.mmap(self._file, START + size), np.uint8)
        except BaseException:
            self.close()
            raise
        self.nonce = secrets.token_bytes(NONCE_BYTES)
        """What a client has to say."""
        whole[:NONCE_BYTES] = np.frombuffer(self.nonce, np.uint8)
        self.bytes: _Bytes = whole[START:]
        """For arrays. The memory lives as long as this array or a view of it, and its client."""

    @property
    def address(self) -> dict[str, int]:
        """What a client needs in order to `attach`."""
        return {"pid": os.getpid(), "descriptor": self._file, "size": len(self.bytes)}

    def close(self) -> None:
        """Let nobody else attach; may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):
            self.close()


def attach(pid: int, descriptor: int, size: int) -> tuple[bytes, _Bytes]:
    """The client's end: nonce, and the bytes for arrays, for reading only. OSError if that cannot be had."""
    path = f"/proc/{pid:d}/fd/{descriptor:d}"
    # Whatever is opened by mistake, it does not block and is not a terminal.
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size != START + size:
            raise OSError(f"{path} is no segment of {size} bytes")
        if not fcntl.fcntl(file, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK:
            raise OSError(f"{path} might shrink")
        whole: _Bytes = np.frombuffer(mmap.mmap(file, START + size, prot=mmap.PROT_READ), np.uint8)
    finally:
        os.close(file)
    return whole[:NONCE_BYTES].tobytes(), whole[START:]
