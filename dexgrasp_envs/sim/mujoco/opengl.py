"""Which OpenGL MuJoCo draws with, chosen before mujoco is imported."""

import ctypes.util
import os
import sys


def choose_opengl() -> None:
    """Set MUJOCO_GL, unless the user has: EGL where its library is found, else OSMesa.

    MuJoCo would otherwise try GLFW, which fails without a display.
    """
    if "MUJOCO_GL" in os.environ or sys.platform != "linux":
        return
    if ctypes.util.find_library("EGL"):
        os.environ["MUJOCO_GL"] = "egl"
    elif ctypes.util.find_library("OSMesa"):
        os.environ["MUJOCO_GL"] = "osmesa"
