import time
import weakref
from itertools import pairwise

import pytest

from dexgrasp_envs.errors import RemoteError
from dexgrasp_envs.remote import reconnect
from dexgrasp_envs.remote.reconnect import GivenUp, Reconnect
from tests.remote.conftest import eventually


def test_attempts_are_made_until_one_succeeds_at_growing_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnect, "FIRST_DELAY", 0.05)
    monkeypatch.setattr(reconnect, "LONGEST_DELAY", 0.2)
    times: list[float] = []

    def attempt(given_up: GivenUp) -> str:
        times.append(time.monotonic())
        if len(times) < 5:
            raise RemoteError("not yet") if len(times) % 2 else OSError("no memory")
        return "there"

    looking = Reconnect(attempt)
    looking.start()
    looking.join(10)
    assert looking.found == "there" and looking.reason == "no memory"
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert all(wait >= least for wait, least in zip(waits, (0.05, 0.1, 0.2, 0.2), strict=True))


def test_it_is_given_up_in_the_midst_of_an_attempt() -> None:
    def attempt(given_up: GivenUp) -> None:
        while not given_up():
            time.sleep(0.01)
        raise RemoteError("given up")

    looking = Reconnect(attempt)
    looking.start()
    assert looking.stop() is None and not looking.is_alive()


def test_a_failed_attempt_keeps_nothing_alive(without_collections: None) -> None:
    class Large:
        pass

    made: list[weakref.ref[Large]] = []

    def attempt(given_up: GivenUp) -> None:
        large = Large()
        made.append(weakref.ref(large))
        raise RemoteError("not yet")

    looking = Reconnect(attempt)
    looking.start()
    assert eventually(lambda: len(made) > 1)
    looking.stop()
    assert all(large() is None for large in made)
