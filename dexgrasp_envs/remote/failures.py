"""Errors as plain data, so that what a server raises is raised again at the client."""

from typing import Any

from .. import errors
from ..errors import DexGraspError, RemoteError

_LONGEST = 16_384
"""Characters of a message that travel."""


def failure_to_data(error: BaseException) -> dict[str, Any]:
    """Name of the class and message of an error."""
    return {"type": type(error).__name__, "message": str(error)[:_LONGEST], "ours": isinstance(error, DexGraspError)}


def failure_from_data(data: Any, where: str) -> DexGraspError:
    """The same error, of its class if it is one of ours, else a RemoteError; a note says where it was raised."""
    if not isinstance(data, dict):
        return RemoteError(f"{where} failed without saying how")
    name, message = str(data.get("type")), str(data.get("message"))
    kind = getattr(errors, name, None) if data.get("ours") is True else None
    if not (isinstance(kind, type) and issubclass(kind, DexGraspError)):
        return RemoteError(f"{where}: {name}: {message}")
    error = kind(message)
    error.add_note(f"raised by {where}")
    return error
