"""Pictures for people: MuJoCo's OpenGL renderer."""

import mujoco
import numpy as np
import numpy.typing as npt
from mujoco.batch import Batch

from ...errors import RenderingError
from ...scene.scene import ViewCamera

WIDTH, HEIGHT = 640, 480
"""Size of a rendered picture, pixels."""
_failures: list[str] = []


class OffscreenRenderer:
    """Draws single simulations of a batch; the OpenGL context is made at the first picture."""

    def __init__(self, camera: ViewCamera):
        self._camera = free_camera(camera)
        self._option = mujoco.MjvOption()
        self._renderer: mujoco.Renderer | None = None

    def render(self, batch: Batch, row: int) -> npt.NDArray[np.uint8]:
        """One picture of simulation `row`, uint8 [HEIGHT, WIDTH, 3]. RenderingError if there is no OpenGL."""
        # The simulation's own model, whose object differs from that of the batch.
        model, data = batch.get_model(row), batch.get_data(row)
        mujoco.mj_forward(model, data)
        if self._renderer is None:
            self._renderer = _make_renderer(batch.model)
        # Not `Renderer.update_scene`, which would read the geoms of the batch's model.
        mujoco.mjv_updateScene(
            model, data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._renderer.scene
        )
        return self._renderer.render()

    def close(self) -> None:
        """Free the OpenGL context; may be called twice."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def _make_renderer(model: mujoco.MjModel) -> mujoco.Renderer:
    if _failures:
        # A second attempt after a failure aborts the process, inside MuJoCo.
        raise RenderingError(_failures[0])
    try:
        return mujoco.Renderer(model, HEIGHT, WIDTH)
    except Exception as error:
        _failures.append(
            f"MuJoCo found no OpenGL ({error}). Install one with `apt-get install libegl1` or `apt-get install"
            " libosmesa6`, and import dexgrasp_envs before mujoco, which reads MUJOCO_GL at its first import;"
            " `dexgrasp doctor` tells what works."
        )
        raise RenderingError(_failures[0]) from error


def free_camera(view: ViewCamera) -> mujoco.MjvCamera:
    """MuJoCo's free camera at a place, looking at another; its field of view is the model's."""
    camera = mujoco.MjvCamera()
    offset = np.subtract(view.target, view.pos)
    camera.lookat[:] = view.target
    camera.distance = float(np.linalg.norm(offset))
    camera.azimuth = float(np.degrees(np.arctan2(offset[1], offset[0])))
    camera.elevation = float(np.degrees(np.arcsin(offset[2] / camera.distance)))
    return camera
