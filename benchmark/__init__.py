"""Benchmark suites: each writes one JSON record of measured figures, ratios taken within one run."""

import dexgrasp_envs  # noqa: F401  before any import of mujoco: it chooses the OpenGL
