"""Gymnasium environments for dexterous grasping with an arm and a hand, from state, depth and stereo images."""

from .registration import register_envs
from .sim.mujoco.opengl import choose_opengl

# Before a user imports mujoco, which reads the choice at its import.
choose_opengl()
register_envs()
