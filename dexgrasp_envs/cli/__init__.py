"""The command `dexgrasp`: one file a command."""

from collections.abc import Sequence

import tyro

from . import doctor, keys, launch, list_ids, serve, stats, view

_DESCRIPTION = """Gymnasium environments for dexterous grasping.

Examples:

    dexgrasp list             which environments there are
    dexgrasp doctor           what works on this machine, and how to mend the rest
    dexgrasp doctor --json    the same for a program
    dexgrasp serve --help     environments for a learner in another process
    dexgrasp launch --help    such environments on the machines of a Ray cluster
    dexgrasp view --help      watch a policy, live in the browser or as a video
    dexgrasp stats --help     what a running server does with its time
    dexgrasp keys my_keys     keys with which servers on other machines admit nobody else
"""


def main(args: Sequence[str] | None = None) -> int:
    """Run one command with `args` (default: the command line) and return its exit code."""
    code: int = tyro.extras.subcommand_cli_from_dict(
        {
            "list": list_ids.list_ids,
            "doctor": doctor.doctor,
            "serve": serve.serve,
            "launch": launch.launch,
            "keys": keys.keys,
            "stats": stats.stats,
            "view": view.view,
        },
        prog="dexgrasp",
        description=_DESCRIPTION,
        args=args,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    return code
