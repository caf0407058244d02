"""The command `dexgrasp`: one file a command."""

from collections.abc import Sequence

import tyro

from . import doctor, list_ids

_DESCRIPTION = """Gymnasium environments for dexterous grasping.

Examples:

    dexgrasp list             which environments there are
    dexgrasp doctor           what works on this machine, and how to mend the rest
    dexgrasp doctor --json    the same for a program
"""


def main(args: Sequence[str] | None = None) -> int:
    """Run one command with `args` (default: the command line) and return its exit code."""
    code: int = tyro.extras.subcommand_cli_from_dict(
        {"list": list_ids.list_ids, "doctor": doctor.doctor},
        prog="dexgrasp",
        description=_DESCRIPTION,
        args=args,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    return code
