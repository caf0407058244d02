"""A network that loses, doubles, delays, truncates, reorders or hangs up: the right bits, or a typed error in time."""

import time
from typing import Any

import numpy as np
import pytest

from dexgrasp_envs.errors import DexGraspError, ServerLost
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.limits import Deadlines
from tests.remote.conftest import Serve
from tests.remote.envs import cartpole
from tests.remote.hostile import proxies
from tests.remote.hostile.proxies import CuttingProxy, MessageProxy, Reordering

DEADLINES = Deadlines(connect=20.0, call=20.0, heartbeat=0.05, window=15.0)
STEPS = pytest.mark.parametrize("steps", [20, pytest.param(1000, marks=pytest.mark.slow)])
MOST = 25.0
"""Most seconds until a call must have an outcome, good or bad: its deadline and some for a busy machine."""


def assert_right_bits(endpoint: str, steps: int) -> None:
    local, remote = cartpole(2), RemoteVectorEnv([endpoint], deadlines=DEADLINES)
    try:
        assert _same(remote.reset(seed=1)[0], local.reset(seed=1)[0])
        local.action_space.seed(0)
        for _ in range(steps):
            actions = local.action_space.sample()
            ours, theirs = remote.step(actions), local.step(actions)
            assert all(map(_same, ours[:4], theirs[:4]))
    finally:
        remote.close()
        local.close()


def _same(first: Any, second: Any) -> bool:
    return bool(np.array_equal(first, second))


@pytest.mark.parametrize("fault", [proxies.dropping, proxies.doubling, proxies.delaying], ids=lambda f: f.__name__)
@STEPS
def test_what_is_lost_doubled_or_late_changes_no_bits(serve: Serve, fault: proxies.Fault, steps: int) -> None:
    with MessageProxy(serve(cartpole(2), window=2.0).endpoint, fault, fault) as proxy:
        assert_right_bits(proxy.endpoint, steps)


@STEPS
def test_connections_that_are_cut_change_no_bits(serve: Serve, steps: int) -> None:
    with CuttingProxy(serve(cartpole(2), window=2.0).endpoint, 2_500, 4_000) as proxy:
        assert_right_bits(proxy.endpoint, steps)
        assert proxy.cuts


@pytest.mark.parametrize("name", ["truncated", "reordered"])
# Fewer: a call whose answer never comes takes as long as its deadline.
@pytest.mark.parametrize("steps", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_what_is_truncated_or_reordered_is_a_typed_error_in_time_or_right(serve: Serve, name: str, steps: int) -> None:
    there, back = (Reordering() if name == "reordered" else proxies.truncating for _ in range(2))
    window = 0.5
    server = serve(cartpole(2), window=window)
    done = 0
    end = time.monotonic() + 20 * steps
    with MessageProxy(server.endpoint, there, back) as proxy:
        while done < steps:
            assert time.monotonic() < end
            done += _steps_until_an_error(proxy.endpoint, steps)
    # The server itself took no harm; a goodbye that was held back never came.
    time.sleep(1.2 * window)
    assert_right_bits(server.endpoint, 3)


def _steps_until_an_error(endpoint: str, steps: int) -> int:
    """How many steps went well, or failed as they should, until the environment had to be made anew."""
    local, done, start = cartpole(2), 0, time.monotonic()
    try:
        remote = RemoteVectorEnv([endpoint], deadlines=DEADLINES)
    except DexGraspError:
        assert time.monotonic() - start < MOST
        return 0
    try:
        while done < steps:
            done, start = done + 1, time.monotonic()
            try:
                assert _same(remote.reset(seed=1)[0], local.reset(seed=1)[0])
                assert _same(remote.step(np.zeros(2, int))[0], local.step(np.zeros(2, int))[0])
            except ServerLost:
                return done
            except DexGraspError:
                if done % 5 == 0:
                    return done
            assert time.monotonic() - start < 2 * MOST
        return done
    finally:
        remote.close()
