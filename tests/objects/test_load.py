"""Object sets by name."""

import pytest

from dexgrasp_envs import objects
from dexgrasp_envs.errors import ConfigError


def test_every_listed_name_loads() -> None:
    assert "primitives12" in objects.names()
    assert [objects.load(name).name for name in objects.names()] == list(objects.names())


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'teapots'.*primitives12"):
        objects.load("teapots")
