import baselines  # noqa: F401, I001  before torch: it sets how OpenMP waits
import dexgrasp_envs.sim.mujoco  # noqa: F401  before mujoco: it chooses the OpenGL

from ctypes.util import find_library

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gl") and not (find_library("EGL") or find_library("OSMesa")):
        pytest.skip("no OpenGL: apt-get install libegl1 or libosmesa6")
