"""`dexgrasp list`: which environments there are."""

from rich.console import Console
from rich.table import Column, Table

from ..registration import ID_GROUPS


def list_ids() -> int:
    """List the environments, what they observe and how they are acted on."""
    table = Table(
        Column("id", overflow="fold"),
        Column("observation groups", overflow="fold"),
        title="Environments",
        caption="actions: Box(-1, 1, (11,), float32), 6 palm pose + 5 hand synergies\n"
        'controller="joint_delta": Box(-1, 1, (23,), float32), one entry for each joint\n'
        'groups=("state",) adds a group, privileged=True the one for a critic',
    )
    for env_id, groups in ID_GROUPS.items():
        table.add_row(env_id, ", ".join(("proprio", *groups)))
    Console().print(table)
    return 0
