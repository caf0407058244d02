import mmap
import os

from benchmark.memory import memory_per_env, resident
from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.registration import STATE_ID


def test_memory_that_is_used_is_seen():
    before = resident(os.getpid())
    # Not from the heap, which may have as much to spare.
    with mmap.mmap(-1, 64 << 20) as block:
        block.write(bytes([1]) * len(block))
        assert 60 < resident(os.getpid()) - before < 140


def test_an_environment_takes_some_memory():
    assert 0 < memory_per_env(STATE_ID, EnvConfig().to_json()) < 1000
