"""How a suite says what it is doing now."""

from collections.abc import Callable

Tell = Callable[[str], None]
"""Takes a few words on what is measured now."""


def silent(_: str) -> None:
    """Tells nobody."""
