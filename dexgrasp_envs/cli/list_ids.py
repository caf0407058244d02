"""`dexgrasp list`: which environments there are."""

from rich.console import Console
from rich.table import Column, Table

from ..config import ACTION_SIZE
from ..registration import IDS, STATE_ID

OBSERVATION_GROUPS = {STATE_ID: ("proprio", "state")}
"""What an environment observes when made without options, by id; written down because asking one would build it."""


def list_ids() -> int:
    """List the environments, what they observe and how they are acted on."""
    table = Table(
        Column("id", overflow="fold"),
        Column("observation groups", overflow="fold"),
        title="Environments",
        caption=f"actions: Box(-1, 1, ({ACTION_SIZE},), float32), 6 palm pose + 5 hand synergies\n"
        "privileged=True adds the group privileged, for a critic",
    )
    for env_id in IDS:
        table.add_row(env_id, ", ".join(OBSERVATION_GROUPS[env_id]))
    Console().print(table)
    return 0
