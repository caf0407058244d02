"""What becomes of the rows of a server that is lost."""

from enum import StrEnum
from typing import Any

from ..errors import ConfigError


class LossPolicy(StrEnum):
    """What a client does when a server ends, falls silent or gives up the lease.

    num_envs never changes, and no lost step is done again: it may have been done. The rows' episodes are truncated,
    with their last observation as final one; they begin new episodes, of numbers that were not used.
    """

    RAISE = "raise"
    """Raise ServerLost; the environment cannot be used any more."""
    WAIT = "wait"
    """Wait in the call until the server, or another one in its place, is there."""
    MASK = "mask"
    """Go on with the other rows; the lost ones carry `infos["valid"]` False until a server is there."""


def loss_policy(value: Any) -> LossPolicy:
    """A policy, or its name; ConfigError if it is none."""
    try:
        return LossPolicy(value)
    except ValueError:
        valid = ", ".join(repr(policy.value) for policy in LossPolicy)
        raise ConfigError(f"on_server_loss must be one of {valid}, got {value!r}") from None
