import time

import pytest

from dexgrasp_envs.remote.counters import Counters


def test_time_is_added_whatever_comes_of_it() -> None:
    counters = Counters()
    with counters.timing("env"):
        time.sleep(0.02)
    once = counters.env
    with pytest.raises(ZeroDivisionError), counters.timing("env"):
        time.sleep(0.02)
        _ = 1 / 0
    assert counters.env > once >= 0.02
    assert counters.idle == counters.serialise == 0


def test_data_are_plain_and_know_the_uptime() -> None:
    data = Counters(started=time.monotonic() - 5, steps=3).as_data()
    assert data["steps"] == 3 and 5 <= data["uptime"] < 10 and "started" not in data
