"""Does a server keep its promises? `python -m dexgrasp_envs.remote.conformance ENDPOINT`, or `check` from Python."""

from .report import Outcome, Report, Status
from .suite import check

__all__ = ["Outcome", "Report", "Status", "check"]
