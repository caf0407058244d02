import os

import numpy as np

from benchmark.memory import memory_per_env, resident
from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.registration import STATE_ID


def test_memory_that_is_used_is_seen():
    before = resident(os.getpid())
    block = np.ones(64 << 20, np.uint8)
    assert 60 < resident(os.getpid()) - before < 80
    del block


def test_an_environment_takes_some_memory():
    assert 0 < memory_per_env(STATE_ID, EnvConfig().to_json()) < 1000
