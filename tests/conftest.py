import baselines  # noqa: F401, I001  before torch: it sets how OpenMP waits
import dexgrasp_envs.sim.mujoco  # noqa: F401  before mujoco: it chooses the OpenGL

from collections.abc import Iterator
from ctypes.util import find_library
from typing import Any

import gymnasium
import pytest

from dexgrasp_envs.registration import STATE_ID
from dexgrasp_envs.vector_env import DexGraspVectorEnv
from tests.vector_envs import ROWS, Make


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gl") and not (find_library("EGL") or find_library("OSMesa")):
        pytest.skip("no OpenGL: apt-get install libegl1 or libosmesa6")


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes environments of `ROWS` rows, and closes them."""
    made: list[gymnasium.vector.VectorEnv] = []

    def make_one(env_id: str = STATE_ID, **options: Any) -> DexGraspVectorEnv:
        made.append(gymnasium.make_vec(env_id, **{"num_envs": ROWS, "threads": 1, **options}))
        envs = made[-1].unwrapped
        assert isinstance(envs, DexGraspVectorEnv)
        return envs

    yield make_one
    for envs in made:
        envs.close()
