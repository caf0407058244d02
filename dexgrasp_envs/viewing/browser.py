"""A live view in the browser, by viser: robot, table and object of every environment, and what they see."""

import logging
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..errors import MissingPackage
from ..objects import ObjectSet
from ..scene.bodies import Geom
from ..scene.scene import OBJECT, Scene
from ..types import SimState
from .panes import Picture, enlarged
from .shapes import mesh_of

LOOPBACK = "127.0.0.1"
"""Whoever reaches the port may watch, so only this machine does; from another one, `ssh -L 8080:localhost:8080`."""
SPACING = 2.0
"""Distance between environments, m."""
PANE_HEIGHT = 240
"""Height of images in the panel, pixels; small ones are enlarged without smoothing."""


class BrowserView:
    """Serves a page with the environments until it is closed; a context manager.

    Raises:
        MissingPackage: viser is not installed.
    """

    def __init__(self, scene: Scene, objects: ObjectSet, num_envs: int, port: int):
        """Port 0 means any free one; where `port` is taken, the next free one is used, see `url`."""
        try:
            import viser
        except ImportError as error:
            raise MissingPackage(
                "the live view takes viser: pip install 'dexgrasp_envs[view]', or write a video with --out"
            ) from error
        # It reports every page that is opened.
        logging.getLogger("websockets").setLevel(logging.WARNING)
        self._server = viser.ViserServer(LOOPBACK, port, label="dexgrasp", verbose=False)
        self._objects = objects
        self._shown: list[int | None] = [None] * num_envs
        self._shapes: list[list[Any]] = [[] for _ in range(num_envs)]
        side = int(np.ceil(np.sqrt(num_envs)))
        rows = np.arange(num_envs)
        self._origins = SPACING * np.stack([rows // side, rows % side, np.zeros(num_envs)], 1)
        self._panes: dict[str, Any] = {}
        try:
            self._bodies = [self._add_env(i, scene) for i in range(num_envs)]
            self._server.scene.add_grid("/floor", infinite_grid=True, plane_opacity=1.0, cell_size=0.1)
            camera = self._server.initial_camera
            camera.position, camera.look_at = np.array(scene.camera.pos), np.array(scene.camera.target)
            camera.fov = float(np.radians(scene.camera.fovy))
            self._words = self._server.gui.add_markdown("")
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Where to look."""
        return f"http://{LOOPBACK}:{self._server.get_port()}"

    def show(self, sim: SimState, object_index: npt.NDArray[np.int64], panes: dict[str, Picture], words: str) -> None:
        """Move everything to where it is in `sim`, with the objects [N], the images by name and a line of Markdown."""
        from viser.transforms import SO3

        with self._server.atomic():
            for i, frames in enumerate(self._bodies):
                self._give_object(i, int(object_index[i]))
                positions = sim.body_pos[i].numpy()
                turns = SO3.from_matrix(sim.body_rot[i].numpy().astype(np.float64)).wxyz
                for frame, position, turn in zip(frames, positions, turns, strict=True):
                    frame.position, frame.wxyz = position, turn
            for name, picture in panes.items():
                image = enlarged(picture, max(PANE_HEIGHT, picture.shape[0]))
                if name in self._panes:
                    self._panes[name].image = image
                else:
                    self._panes[name] = self._server.gui.add_image(image, label=name)
            self._words.content = words
        self._server.flush()

    def close(self) -> None:
        """Stop serving; may be called twice."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add_env(self, i: int, scene: Scene) -> list[Any]:
        """Everything of one environment; returns the frames that move, in the order of `SimState`."""
        self._frame(f"/env{i}", self._origins[i])
        for fixture in scene.fixtures:
            self._frame(f"/env{i}/{fixture.name}", np.asarray(fixture.pos))
            self._add_geoms(f"/env{i}/{fixture.name}", fixture.geoms)
        self._server.scene.add_icosphere(
            f"/env{i}/goal", scene.goal_radius, (64, 191, 89), opacity=0.2, position=scene.goal, cast_shadow=False
        )
        moving = [self._frame(f"/env{i}/{body.name}", np.zeros(3)) for body in scene.robot]
        for body in scene.robot:
            self._add_geoms(f"/env{i}/{body.name}", body.geoms)
        return [*moving, self._frame(f"/env{i}/{OBJECT}", np.zeros(3))]

    def _give_object(self, i: int, index: int) -> None:
        if self._shown[i] != index:
            obj = self._objects.objects[index]
            meshes = (
                [mesh_of(geom) for geom in obj.geoms] if obj.mesh is None else [(obj.mesh.vertices, obj.mesh.faces)]
            )
            # Another object may have fewer.
            for shape in self._shapes[i]:
                shape.remove()
            self._shapes[i] = self._add_meshes(f"/env{i}/{OBJECT}", obj.geoms, meshes)
            self._shown[i] = index

    def _frame(self, name: str, position: npt.NDArray[np.floating]) -> Any:
        return self._server.scene.add_frame(name, show_axes=False, position=position)

    def _add_geoms(self, parent: str, geoms: Iterable[Geom]) -> None:
        """Add shapes to a frame."""
        listed = tuple(geoms)
        self._add_meshes(parent, listed, [mesh_of(geom) for geom in listed])

    def _add_meshes(self, parent: str, geoms: Iterable[Geom], meshes: Iterable[tuple[Any, Any]]) -> list[Any]:
        handles = []
        for k, (geom, (vertices, faces)) in enumerate(zip(geoms, meshes, strict=True)):
            red, green, blue = (round(255 * value) for value in geom.rgba[:3])
            handles.append(
                self._server.scene.add_mesh_simple(
                    f"{parent}/{k}", vertices, faces, color=(red, green, blue), wxyz=geom.quat, position=geom.pos
                )
            )
        return handles
