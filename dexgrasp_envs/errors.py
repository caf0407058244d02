"""The exception classes: what was wrong, what was expected, what to do."""


class DexGraspError(Exception):
    """Base class of every error that this package raises on purpose."""


class ConfigError(DexGraspError, ValueError):
    """An option is unknown, impossible, or does not fit the others."""


class ActionError(DexGraspError, ValueError):
    """An action has the wrong shape or dtype or is not finite; nothing was stepped."""


class ResetNeeded(DexGraspError, RuntimeError):
    """The environment must be reset before this call; nothing was stepped."""


class OutOfTurn(DexGraspError, RuntimeError):
    """`send` and `recv` take turns for each group of environments; nothing was done."""


class ClosedError(DexGraspError, RuntimeError):
    """The environment was closed before this call."""


class StateError(DexGraspError, ValueError):
    """A saved state does not fit this environment; nothing was changed."""


class CheckpointError(DexGraspError, ValueError):
    """A checkpoint is unreadable, foreign, or made for something else."""


class RenderingError(DexGraspError, RuntimeError):
    """No OpenGL context could be made; the message says what to install."""


class MissingPackage(DexGraspError, ImportError):
    """An optional package is not installed; the message says how to install it."""


class RemoteError(DexGraspError, RuntimeError):
    """Something failed at, or on the way to, a simulator server; the message names the server."""


class ServerLost(RemoteError, ConnectionError):
    """A server ended, fell silent, or gave up this client's lease."""


class HandshakeError(RemoteError):
    """A server runs another protocol, environment, configuration or version than the client expects."""


class ProtocolError(RemoteError):
    """A message is malformed, over its bounds or out of order."""


class ServerBusy(RemoteError):
    """The server already has a client."""


class DeadlineExceeded(RemoteError, TimeoutError):
    """A server did not answer in time."""
