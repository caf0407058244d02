"""`dexgrasp keys`: new keys of a server and its client."""

import sys
from pathlib import Path

import tyro

from ..errors import DexGraspError


def keys(folder: tyro.conf.Positional[Path]) -> int:
    """Write new keys, with which a server on another machine admits its clients and nobody else.

    Commands to copy:

        dexgrasp keys my_keys
        scp -r my_keys simulator:
        ssh simulator dexgrasp serve DexGrasp/KukaAllegro-Depth-v0 --num-envs 64 --bind 'tcp://*:5555' --keys my_keys

    and in the learner `gymnasium.make_vec(..., remote="tcp://simulator:5555", keys="my_keys")`. A server needs only
    server.secret and client.public of these files (more clients: client-NAME.public), a client only client.secret and
    server.public. Secret keys are for their owners' eyes only.

    Args:
        folder: Where to; it must not hold keys already.
    """
    from ..remote.keys import write_keys

    try:
        for path in write_keys(folder):
            print(path)
    except DexGraspError as error:
        print(f"dexgrasp keys: {error}", file=sys.stderr)
        return 1
    return 0
