"""Gymnasium environments for dexterous grasping with an arm and a hand, from state, depth and stereo images."""

from .registration import register_envs

register_envs()
