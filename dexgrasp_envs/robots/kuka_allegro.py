"""KUKA LBR iiwa 7 with an Allegro hand, assembled from its tables of figures."""

import functools
import math

from ..scene.bodies import IDENTITY, Body, Hinge, Quat, Vec3
from .kuka_allegro_links import LINKS, Link
from .kuka_allegro_shapes import SHAPES
from .kuka_allegro_synergies import PCA_SYNERGIES
from .robot import Frame, Robot

ARM_STIFFNESS = (1500.0, 1500.0, 1000.0, 1000.0, 500.0, 300.0, 200.0)
"""Servo stiffness, N m/rad. These servo figures are ours: stiffer than the real controllers, they held in training."""
ARM_SERVO_DAMPING = (150.0, 150.0, 100.0, 100.0, 40.0, 25.0, 15.0)
"""Servo damping, N m s/rad."""
ARM_ARMATURE = (0.3, 0.3, 0.2, 0.2, 0.1, 0.05, 0.05)
"""kg m^2."""
ARM_EFFORT = (300.0, 300.0, 300.0, 300.0, 100.0, 60.0, 40.0)
"""N m."""
ARM_DAMPING = 1.0
"""Passive joint damping, N m s/rad."""
HAND_STIFFNESS, HAND_SERVO_DAMPING, HAND_ARMATURE, HAND_DAMPING, HAND_EFFORT = 3.0, 0.2, 0.003, 0.01, 0.7
"""As above, for every joint of the hand."""

FINGERS = ("index", "middle", "ring", "thumb")
TIP_CENTER: Vec3 = (0.0510, 0.0059, 0.0)
"""Centre of a finger's tip pad in its last link's frame, m."""
THUMB_TIP_CENTER: Vec3 = (0.0660, 0.0056, 0.0)
"""Centre of the thumb's tip pad in its last link's frame, m."""

HOME = (0.0, -0.115, 0.0, -1.519, 0.0, 1.067, 2.322)
"""Start posture of the arm, elbow up, rad: fingers forward, tilted 0.9 rad down, the grasp centre at `HOME_CENTER`."""
HOME_CENTER: Vec3 = (0.5, 0.0, 0.52)
"""m; high enough that no object spawns inside the hand."""
_FINGER_NOMINAL = (0.0, 0.55, 0.55, 0.45)
_THUMB_NOMINAL = (1.2, 0.45, 0.45, 0.45)
_STILL = (0.0, 0.0, 0.0, 0.0)
SYNERGIES = (
    (0.0, 0.75, 0.65, 0.55) * 3 + (0.0, 0.15, 0.35, 0.35),  # flexion
    _STILL * 3 + (0.0, 0.45, 0.55, 0.55),  # thumb flexion
    _STILL * 3 + (-0.6, 0.3, 0.0, 0.0),  # thumb base
    (0.0, 0.5, -0.35, -0.35) * 3 + _STILL,  # proximal against distal
    (0.25, -0.25, 0.0, 0.0) + _STILL + (-0.25, 0.25, 0.0, 0.0) + (0.15, 0.0, 0.0, 0.0),  # spread
)
"""Hand-made synergies, one row each, joints in canonical order."""


@functools.cache
def kuka_allegro(synergies: str = "hand") -> Robot:
    """The robot: 23 joints, 27 bodies, base at the world origin, facing +x; `synergies` made by "hand" or "pca"."""
    return Robot(
        bodies=tuple(_body(link, index) for link, index in zip(LINKS, _joint_indices(), strict=True)),
        arm_joints=7,
        palm=Frame("palm_link", (0.0537, 0.0088, -0.0113), (0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5))),
        grasp_center=(0.06, 0.0, 0.03),
        fingers=FINGERS,
        tips=tuple(
            Frame(f"{name}_link_3", THUMB_TIP_CENTER if name == "thumb" else TIP_CENTER, IDENTITY) for name in FINGERS
        ),
        finger_roots=tuple(f"{name}_link_0" for name in FINGERS),
        home=HOME,
        home_center=HOME_CENTER,
        hand_nominal=_FINGER_NOMINAL * 3 + _THUMB_NOMINAL,
        synergies={"hand": SYNERGIES, "pca": PCA_SYNERGIES}[synergies],
    )


def _joint_indices() -> list[int]:
    """Canonical index of each link's joint (that of the next joint for a fixed link)."""
    indices, count = [], 0
    for link in LINKS:
        indices.append(count)
        count += link.joint is not None
    return indices


def _body(link: Link, index: int) -> Body:
    joint = None
    if link.joint is not None and link.limits is not None:
        arm = index < len(ARM_STIFFNESS)
        joint = Hinge(
            name=link.joint,
            axis=(0.0, 0.0, 1.0),
            limits=link.limits,
            damping=ARM_DAMPING if arm else HAND_DAMPING,
            armature=ARM_ARMATURE[index] if arm else HAND_ARMATURE,
            stiffness=ARM_STIFFNESS[index] if arm else HAND_STIFFNESS,
            servo_damping=ARM_SERVO_DAMPING[index] if arm else HAND_SERVO_DAMPING,
            max_effort=ARM_EFFORT[index] if arm else HAND_EFFORT,
        )
    return Body(
        link.name, link.parent, link.xyz, _quat_from_rpy(link.rpy), joint, link.inertial, SHAPES.get(link.name, ())
    )


def _quat_from_rpy(rpy: Vec3) -> Quat:
    """(w, x, y, z) of Rz(yaw) Ry(pitch) Rx(roll)."""
    (sr, cr), (sp, cp), (sy, cy) = ((math.sin(a / 2), math.cos(a / 2)) for a in rpy)
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )
