"""PPO baselines: training, evaluation, statistics and plots for the dexterous grasping environments.

OpenMP threads that spin while they wait make torch up to 16 times slower beside another busy process, and a simulator
is one. The variables below are read once, when torch loads its OpenMP runtime, so they are set before any import of it.
"""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
