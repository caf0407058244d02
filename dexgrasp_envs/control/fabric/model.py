"""The robot and the parameters of its fabric as the compiled kernels take them: arrays and numbers, float64."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...config import ControlConfig, FabricConfig
from ...robots.robot import Robot
from ...robots.rotations import rotation_from_quat
from ...scene.tabletop import TABLE_TOP
from ..servos import per_joint
from .spheres import Sphere, robot_spheres

ARM_BARRIER_MASS = 0.05
"""Scale of the barriers at the arm's limits, kg m^2: of the size of what the palm's points add to its joints."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Chain(NamedTuple):
    """The moving links, one for each joint; a body that does not move by itself belongs to the link that carries it."""

    parent: Ints
    """[J] link that carries the joint; -1 for the base."""
    turn: Floats
    """[J, 3, 3] joint frame at angle 0 in its parent link's frame; the joint turns about its z."""
    place: Floats
    """[J, 3] m."""
    arm: int
    """The first joints belong to the arm."""
    low: Floats
    """[J] limits, rad."""
    high: Floats
    """[J]."""
    home: Floats
    """[A] posture of the arm that the geometry bends towards, rad."""
    palm: int
    """Link of the palm."""
    points: Floats
    """[7, 3] palm points in that link's frame: the grasp centre, and one on each side along the palm's axes, m."""
    sphere_link: Ints
    """[P]."""
    sphere_center: Floats
    """[P, 3] in the link's frame, m."""
    sphere_radius: Floats
    """[P] m."""
    link_reach: Floats
    """[J] how far the spheres of a link reach from its origin, m."""
    pairs: Ints
    """[Q, 2] spheres that keep apart."""
    table: float
    """Height of the plane that spheres stay above, m."""


class Terms(NamedTuple):
    """Numbers of the terms; see `FabricConfig`."""

    palm_mass: float
    palm_stiffness: float
    palm_damping: float
    palm_reach: float
    arm_mass: float
    arm_damping: float
    hand_mass: float
    homing: float
    hand_stiffness: Floats
    """[H, H] of the hand's attractors."""
    hand_damping: Floats
    """[H, H]."""
    limit_range: float
    limit_mass: Floats
    """[J]."""
    limit_gain: Floats
    """[J]."""
    body_range: float
    body_mass: float
    body_gain: float
    body_braking: float
    body_damping: float


class Limits(NamedTuple):
    """What commands never exceed, [J] each."""

    low: Floats
    """rad."""
    high: Floats
    velocity: Floats
    """rad/s."""
    acceleration: Floats
    """rad/s^2."""
    jerk: Floats
    """rad/s^3."""


def make_chain(robot: Robot, point_distance: float) -> Chain:
    """The links of a robot, with palm points at a distance from the grasp centre, m."""
    frames = _link_frames(robot)
    moving = [body for body in robot.bodies if body.joint is not None]
    assert all(body.joint is not None and body.joint.axis == (0.0, 0.0, 1.0) for body in moving)
    carried = [frames[body.parent or ""] for body in moving]
    local = [(rotation_from_quat(body.quat).numpy(), np.array(body.pos)) for body in moving]
    limits = np.array([joint.limits for joint in robot.joints])
    palm, turn, place = frames[robot.palm.body]
    palm_turn = turn @ rotation_from_quat(robot.palm.quat).numpy()
    offsets = np.array(robot.grasp_center) + point_distance * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
    spheres = robot_spheres(robot)
    on_link = [frames[sphere.body] for sphere in spheres]
    links = np.array([link for link, _, _ in on_link])
    centers = np.array([p + t @ np.array(s.center) for s, (_, t, p) in zip(spheres, on_link, strict=True)])
    radii = np.array([sphere.radius for sphere in spheres])
    reach = np.zeros(len(moving))
    np.maximum.at(reach, links, np.linalg.norm(centers, axis=1) + radii)
    return Chain(
        parent=np.array([link for link, _, _ in carried]),
        turn=np.array([t @ r for (_, t, _), (r, _) in zip(carried, local, strict=True)]),
        place=np.array([p + t @ x for (_, t, p), (_, x) in zip(carried, local, strict=True)]),
        arm=robot.arm_joints,
        low=limits[:, 0].copy(),
        high=limits[:, 1].copy(),
        home=np.array(robot.home),
        palm=palm,
        points=place + turn @ np.array(robot.palm.pos) + offsets @ palm_turn.T,
        sphere_link=links,
        sphere_center=centers,
        sphere_radius=radii,
        link_reach=reach,
        pairs=_pairs(robot, spheres),
        table=TABLE_TOP,
    )


def make_terms(robot: Robot, config: FabricConfig) -> Terms:
    """Masses, stiffnesses and dampings; attractors are critically damped."""
    mass, width = 1.0 / 7.0, config.palm_bandwidth
    basis = np.linalg.qr(np.array(robot.synergies).T)[0]
    span = basis @ basis.T
    rest = np.eye(len(span)) - span
    synergy, posture = config.synergy_bandwidth, config.posture_bandwidth
    inertia = np.array([ARM_BARRIER_MASS] * robot.arm_joints + [config.hand_mass] * len(span))
    return Terms(
        palm_mass=mass,
        palm_stiffness=mass * width**2,
        palm_damping=2.0 * mass * width,
        palm_reach=config.palm_reach,
        arm_mass=config.arm_mass,
        arm_damping=config.arm_mass * config.arm_damping,
        hand_mass=config.hand_mass,
        homing=config.arm_mass * config.homing,
        hand_stiffness=config.hand_mass * (synergy**2 * span + posture**2 * rest),
        hand_damping=config.hand_mass * 2.0 * (synergy * span + posture * rest),
        limit_range=config.limit_range,
        limit_mass=config.limit_mass * inertia,
        limit_gain=config.limit_gain * inertia,
        body_range=config.body_range,
        body_mass=config.body_mass,
        body_gain=config.body_gain,
        body_braking=config.body_braking,
        body_damping=config.body_damping,
    )


def make_limits(robot: Robot, control: ControlConfig, config: FabricConfig) -> Limits:
    """Limits of positions, velocities, accelerations and jerks."""
    limits = np.array([joint.limits for joint in robot.joints])
    return Limits(
        low=limits[:, 0] + control.joint_margin,
        high=limits[:, 1] - control.joint_margin,
        velocity=per_joint(robot, control.arm_max_velocity, control.hand_max_velocity).double().numpy(),
        acceleration=per_joint(robot, config.arm_max_acceleration, config.hand_max_acceleration).double().numpy(),
        jerk=per_joint(robot, config.arm_max_jerk, config.hand_max_jerk).double().numpy(),
    )


def _link_frames(robot: Robot) -> dict[str, tuple[int, Floats, Floats]]:
    """For each body (and "", the world) the moving link that carries it, and its rotation and place in that frame."""
    frames: dict[str, tuple[int, Floats, Floats]] = {"": (-1, np.eye(3), np.zeros(3))}
    joints = 0
    for body in robot.bodies:
        if body.joint is not None:
            frames[body.name] = (joints, np.eye(3), np.zeros(3))
            joints += 1
        else:
            link, turn, place = frames[body.parent or ""]
            local = rotation_from_quat(body.quat).numpy()
            frames[body.name] = (link, turn @ local, place + turn @ np.array(body.pos))
    return frames


def _pairs(robot: Robot, spheres: tuple[Sphere, ...]) -> Ints:
    """The sphere at the thumb's tip against those at the other fingers' tips."""
    tips = []
    for tip in robot.tips:
        distances = [
            float(np.linalg.norm(np.subtract(sphere.center, tip.pos))) if sphere.body == tip.body else np.inf
            for sphere in spheres
        ]
        tips.append(int(np.argmin(distances)))
    return np.array([(tips[-1], other) for other in tips[:-1]])
