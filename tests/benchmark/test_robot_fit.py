"""The fit is measured on stand-in meshes, since the real ones are not part of the project."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from benchmark.robot_fit import robot_fit
from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.robots.kuka_allegro import kuka_allegro
from dexgrasp_envs.robots.rotations import rotation_from_quat
from dexgrasp_envs.scene.bodies import Geom, Shape


def mesh(geom: Geom, grown: float) -> trimesh.Trimesh:
    """A geom as a mesh in the frame of its body, grown by so many m."""
    if geom.shape is Shape.BOX:
        made = trimesh.creation.box(2 * (np.array(geom.size) + grown))
    elif geom.shape is Shape.CYLINDER:
        made = trimesh.creation.cylinder(geom.size[0] + grown, 2 * (geom.size[1] + grown), sections=64)
    else:
        made = trimesh.creation.capsule(2 * geom.size[1], geom.size[0] + grown, count=(32, 32))
        made.apply_translation(-made.bounds.mean(0))
    placed = np.eye(4)
    placed[:3, :3], placed[:3, 3] = rotation_from_quat(geom.quat).numpy(), geom.pos
    return made.apply_transform(placed)


def description(folder: Path, grown: float) -> Path:
    """A URDF with one mesh a link, made of our own primitives."""
    (folder / "meshes").mkdir()
    links = []
    for body in kuka_allegro().bodies:
        collision = ""
        if body.geoms:
            whole = trimesh.util.concatenate([mesh(geom, grown) for geom in body.geoms])
            whole.export(folder / "meshes" / f"{body.name}.obj")
            collision = f'<collision><geometry><mesh filename="x/meshes/{body.name}.obj"/></geometry></collision>'
        links.append(f'<link name="{body.name}">{collision}</link>')
    (folder / "robot.urdf").write_text(f"<robot name='r'>{''.join(links)}</robot>")
    return folder


@pytest.mark.gl
def test_our_own_shapes_as_meshes_fit_and_grown_ones_fit_less(tmp_path):
    for name in ("same", "grown"):
        (tmp_path / name).mkdir()
    same = robot_fit(description(tmp_path / "same", 0.0), postures=3, seed=0)
    assert same["silhouette_iou_mean"] > 0.98 and same["depth_error_mm_median"] < 0.5
    grown = robot_fit(description(tmp_path / "grown", 0.005), postures=3, seed=0)
    assert grown["silhouette_iou_mean"] < same["silhouette_iou_mean"] - 0.03
    assert 3.0 < grown["depth_error_mm_median"] < 9.0


def test_a_folder_without_the_robot_is_an_error(tmp_path):
    (tmp_path / "other.urdf").write_text("<robot name='r'><link name='a'/></robot>")
    with pytest.raises(ConfigError, match="has all links"):
        robot_fit(tmp_path, postures=1, seed=0)
