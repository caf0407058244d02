"""Checks of OpenGL: each way draws one real frame in a process of its own, because a bad driver may crash or hang."""

import os
import subprocess
import sys

from .check import Check, CheckFailed, Finding, Status

_DEADLINE = 60.0
"""Seconds that one frame may take, the start of the process included."""

_FRAME = """
import mujoco
from OpenGL import GL

SPHERE = "<mujoco><worldbody><light pos='0 0 2'/><geom size='0.2'/></worldbody></mujoco>"
model = mujoco.MjModel.from_xml_string(SPHERE)
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
renderer = mujoco.Renderer(model, height=48, width=64)
renderer.update_scene(data)
if renderer.render().max() == 0:
    raise SystemExit("the frame is black")
print(GL.glGetString(GL.GL_RENDERER).decode(), "with OpenGL", GL.glGetString(GL.GL_VERSION).decode())
renderer.close()
"""


def _frame_by(library: str) -> Finding:
    """Draw one frame with `MUJOCO_GL=library`."""
    environment = {key: value for key, value in os.environ.items() if key != "PYOPENGL_PLATFORM"}
    try:
        drawn = subprocess.run(
            [sys.executable, "-c", _FRAME],
            env=environment | {"MUJOCO_GL": library},
            capture_output=True,
            text=True,
            timeout=_DEADLINE,
        )
    except subprocess.TimeoutExpired as error:
        raise CheckFailed(f"no frame within {_DEADLINE:g} s") from error
    if drawn.returncode != 0:
        lines = drawn.stderr.strip().splitlines() or [f"the process ended with {drawn.returncode}"]
        raise CheckFailed(lines[-1])
    return Finding(Status.OK, drawn.stdout.strip())


EGL = Check(
    "OpenGL by EGL",
    lambda: _frame_by("egl"),
    fix="apt-get install libegl1 (for a GPU, the libraries of its driver)",
)
OSMESA = Check("OpenGL by OSMesa", lambda: _frame_by("osmesa"), fix="apt-get install libosmesa6")
GLFW = Check(
    "OpenGL by GLFW",
    lambda: _frame_by("glfw"),
    fix="needs a screen: apt-get install xvfb libgl1, then xvfb-run -a COMMAND; EGL and OSMesa need none",
)
CGL = Check("OpenGL by CGL", lambda: _frame_by("cgl"), fix="needs a desktop session: log in, or run without rendering")

WAYS = (CGL,) if sys.platform == "darwin" else (EGL, OSMESA, GLFW)
"""The ways to OpenGL on this platform."""
