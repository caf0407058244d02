import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from benchmark import envpool_peer


class FakePool:
    """Counts what it is asked for; takes actions in float32."""

    action_space = SimpleNamespace(shape=(3,), dtype=np.float32)
    spec = SimpleNamespace(config=SimpleNamespace(frame_skip=5))

    def __init__(self):
        self.actions, self.resets, self.closed = [], 0, False

    def reset(self):
        self.resets += 1

    def step(self, action):
        self.actions.append(action)

    def close(self):
        self.closed = True


def test_without_envpool_there_is_no_rate(monkeypatch):
    monkeypatch.setattr(envpool_peer, "find_spec", lambda name: None)
    assert envpool_peer.envpool_rate(2, 3, 1, 1) is None


def test_every_round_replays_the_same_actions(monkeypatch):
    pool, module = FakePool(), ModuleType("envpool")
    module.make_gymnasium = lambda env_id, **options: pool
    monkeypatch.setitem(sys.modules, "envpool", module)
    monkeypatch.setattr(envpool_peer, "find_spec", lambda name: module)
    found = envpool_peer.envpool_rate(num_envs=2, steps=3, rounds=2, threads=1)
    assert pool.resets == 2 and pool.closed and len(pool.actions) == 6
    np.testing.assert_array_equal(pool.actions[:3], pool.actions[3:])
    assert pool.actions[0].shape == (2, 3) and pool.actions[0].dtype == np.float32
    assert found["substeps_per_second"] == pytest.approx(5 * found["env_steps_per_second"])
