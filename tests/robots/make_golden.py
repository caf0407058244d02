"""Writes golden_kinematics.npz: link poses by a plain forward kinematics of the raw URDF, apart from the package.

    python tests/robots/make_golden.py kuka_allegro_touch_sensor.urdf

The URDF is that of the public kuka_allegro_description (BSD).
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import numpy.typing as npt

POSTURES = 100
Matrix = npt.NDArray[np.float64]


def numbers(element: ET.Element | None, key: str, default: str) -> Matrix:
    return np.array((default if element is None else element.get(key, default)).split(), float)


def turn(axis: Matrix, angle: float) -> Matrix:
    """Rotation about an axis, from the definition: what is along it stays, what is across it turns."""
    axis = axis / np.linalg.norm(axis)
    columns = []
    for e in np.eye(3):
        along = axis * (axis @ e)
        columns.append(along + np.cos(angle) * (e - along) + np.sin(angle) * np.cross(axis, e))
    return np.stack(columns, 1)


def placed(rotation: Matrix, position: Matrix) -> Matrix:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, position
    return pose


def main(urdf: Path, output: Path) -> None:
    joints = ET.parse(urdf).getroot().findall("joint")
    moving = [joint for joint in joints if joint.get("type") == "revolute"]
    limits = [joint.find("limit") for joint in moving]
    low = np.array([numbers(limit, "lower", "0")[0] for limit in limits])
    high = np.array([numbers(limit, "upper", "0")[0] for limit in limits])
    joint_pos = np.random.default_rng(0).uniform(low, high, (POSTURES, len(moving)))
    parents = {joint.find("parent").get("link") for joint in joints}
    children = [joint.find("child").get("link") for joint in joints]
    (root,) = parents - set(children)
    poses = []
    for angles in joint_pos:
        angle = dict(zip((joint.get("name") for joint in moving), angles, strict=True))
        world = {root: np.eye(4)}
        while len(world) <= len(joints):
            for joint in joints:
                parent, child = joint.find("parent").get("link"), joint.find("child").get("link")
                if parent in world and child not in world:
                    roll, pitch, yaw = numbers(joint.find("origin"), "rpy", "0 0 0")
                    x, y, z = np.eye(3)
                    fixed = turn(z, yaw) @ turn(y, pitch) @ turn(x, roll)
                    pose = placed(fixed, numbers(joint.find("origin"), "xyz", "0 0 0"))
                    if joint.get("name") in angle:
                        axis = numbers(joint.find("axis"), "xyz", "1 0 0")
                        pose = pose @ placed(turn(axis, angle[joint.get("name")]), np.zeros(3))
                    world[child] = world[parent] @ pose
        poses.append([world[child] for child in children])
    array = np.array(poses, np.float32)
    np.savez_compressed(
        output,
        joint_names=np.array([joint.get("name") for joint in moving]),
        joint_pos=joint_pos,
        link_names=np.array(children),
        positions=array[..., :3, 3],
        rotations=array[..., :3, :3],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).with_name("golden_kinematics.npz"))
