import numpy as np
import pytest

from benchmark import transport
from dexgrasp_envs.remote.client import RemoteVectorEnv


def test_batches_of_all_ways_are_compared_with_bare_copies():
    figures = transport.batches(batch=2, steps=1, rounds=1)
    took = figures["milliseconds"]
    assert figures["shared_memory_to_memcpy"] == pytest.approx(took["shared memory"] / took["memcpy"])
    assert figures["shared_memory_views_to_memcpy"] == pytest.approx(took["shared memory, views"] / took["memcpy"])
    added = took["drawn into shared memory"] - took["drawn in process"]
    assert figures["drawn_into_shared_memory_adds_memcpys"] == pytest.approx(added / took["memcpy"])
    assert figures["tcp_to_best_pyzmq"] == pytest.approx(took["tcp"] / min(took["pyzmq, frame"], took["pyzmq, chunks"]))


def test_two_groups_sleep_while_the_other_is_stepped(monkeypatch):
    monkeypatch.setattr(transport, "THINKING", 0.2)
    one, two = (transport.overlap_with_sleep(groups, batch=2, rounds=3) for groups in (1, 2))
    assert one / two > 1.5


def test_memory_of_both_ends_is_watched():
    figures = transport.memory(steps=10, batch=1)
    assert len(figures) == 8 and min(figures.values()) > 1.0


def test_pickled_environments_are_the_same():
    with transport.serving("pickle", 1) as (endpoint, _), transport.serving("ours", 1) as (ours, _):
        pickled, remote = transport.Pickled(endpoint, 1), RemoteVectorEnv([ours])
        np.testing.assert_array_equal(pickled.reset(0)[0]["image"], remote.reset(seed=0)[0]["image"])
        pickled.close()
        remote.close()


@pytest.mark.slow
def test_the_suite_runs_whole():
    figures = transport.transport(num_envs=2, steps=2, rounds=1, batch=1, soak=10)
    rates = figures["depth_env_steps_per_second"]
    assert figures["tcp_to_in_process"] == rates["tcp"] / rates["in process"]
    assert figures["overlap_with_network"]["ratio"] > 0
