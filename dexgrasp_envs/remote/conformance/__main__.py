"""`python -m dexgrasp_envs.remote.conformance ENDPOINT`: one line a check; exit status 1 if one failed."""

import argparse
import sys
from collections.abc import Sequence

from ...errors import DexGraspError
from ..keys import ClientKeys
from .report import Report
from .suite import CHECKS, DEADLINE, MOST_STEPS, outcomes

_WIDTH = max(len(check.__name__) for check in CHECKS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a server and print what comes of each check as it ends; 0 if none failed, 1 if one did, 2 if none ran."""
    parser = argparse.ArgumentParser("python -m dexgrasp_envs.remote.conformance", description=__doc__)
    parser.add_argument("endpoint", help="tcp://HOST:PORT or ipc://PATH of a server that has no client")
    parser.add_argument("--env-id", help="what it must serve (default: anything)")
    parser.add_argument("--keys", metavar="FOLDER", help="folder of `dexgrasp keys`, if the server has keys")
    parser.add_argument("--deadline", type=float, default=DEADLINE, help="most seconds for one check (%(default)s)")
    parser.add_argument(
        "--steps", type=int, default=MOST_STEPS, help="steps within which an episode should end (%(default)s)"
    )
    given = parser.parse_args(arguments)
    found = []
    try:
        keys = None if given.keys is None else ClientKeys.load(given.keys)
        for outcome in outcomes(
            given.endpoint, given.env_id, keys=keys, deadline=given.deadline, most_steps=given.steps
        ):
            found.append(outcome)
            print(outcome.line(_WIDTH), flush=True)
    except DexGraspError as error:
        print(error, file=sys.stderr)
        return 2
    report = Report(given.endpoint, tuple(found))
    print(report.totals)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
