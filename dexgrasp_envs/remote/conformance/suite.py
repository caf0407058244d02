"""All checks, one after the other."""

import time
from collections.abc import Callable, Iterator

import zmq

from ...errors import ConfigError, DexGraspError
from ..keys import ClientKeys
from ..wire import WireError
from . import action_checks, autoreset_checks, call_checks, data_checks, handshake_checks, state_checks
from .report import Failed, Outcome, Report, Skipped, Status
from .session import Session

Check = Callable[[Session], None]
CHECKS: tuple[Check, ...] = (
    *handshake_checks.CHECKS,
    *call_checks.CHECKS,
    *data_checks.CHECKS,
    *action_checks.CHECKS,
    *autoreset_checks.CHECKS,
    *state_checks.CHECKS,
)
"""Each its own function: its name and docstring say what is promised, `Failed` what is not kept."""
DEADLINE = 60.0
MOST_STEPS = 2000


def check(
    endpoint: str,
    env_id: str | None = None,
    *,
    keys: ClientKeys | None = None,
    deadline: float = DEADLINE,
    most_steps: int = MOST_STEPS,
) -> Report:
    """Check whether a server does what docs/wire-protocol.md and Gymnasium promise; it must have no client.

    Of a server with several groups of environments the first is checked.

    Example:
        >>> from dexgrasp_envs.remote.conformance import check
        >>> report = check("tcp://127.0.0.1:5555", "CartPole-v1")
        >>> print(report)
        >>> assert report.ok

    Args:
        endpoint: Its address, tcp://HOST:PORT or ipc://PATH.
        env_id: What it must serve; None for anything.
        keys: This client's key and the server's, if it has keys.
        deadline: Most seconds for one check.
        most_steps: Steps after which no end of an episode is waited for.

    Raises:
        ConfigError: The endpoint is no address.
    """
    return Report(endpoint, tuple(outcomes(endpoint, env_id, keys=keys, deadline=deadline, most_steps=most_steps)))


def outcomes(
    endpoint: str, env_id: str | None, *, keys: ClientKeys | None, deadline: float, most_steps: int
) -> Iterator[Outcome]:
    """The same one by one, while they are checked. If the first fails, the others are skipped."""
    unusable = ""
    for run in CHECKS:
        promise = (run.__doc__ or "").strip().partition("\n")[0]
        if unusable:
            yield Outcome(run.__name__, promise, Status.SKIPPED, unusable)
            continue
        start = time.monotonic()
        status, reason = _run(run, endpoint, keys, env_id, deadline, most_steps)
        yield Outcome(run.__name__, promise, status, reason, time.monotonic() - start)
        if run is CHECKS[0] and status is Status.FAILED:
            unusable = "the first check failed"


def _run(
    run: Check, endpoint: str, keys: ClientKeys | None, env_id: str | None, deadline: float, most_steps: int
) -> tuple[Status, str]:
    try:
        with Session(endpoint, keys, env_id, deadline, most_steps) as session:
            run(session)
    except Skipped as why:
        return Status.SKIPPED, str(why)
    except zmq.ZMQError as error:
        raise ConfigError(f"{endpoint!r} is no address: {error.strerror}; expected tcp://HOST:PORT") from None
    except Failed as why:
        return Status.FAILED, str(why)
    except (DexGraspError, WireError) as error:
        return Status.FAILED, f"what it sent is not of the protocol: {error}"
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        return Status.FAILED, f"what it sent could not be read: {error!r}"
    return Status.PASSED, ""
