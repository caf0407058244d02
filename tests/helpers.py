"""What tests of several rooms share."""

import functools
from collections.abc import Sequence

import mujoco
import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial.transform import Rotation

from dexgrasp_envs import objects
from dexgrasp_envs.config import EnvConfig, PhysicsConfig
from dexgrasp_envs.objects import GraspObject, ObjectSet
from dexgrasp_envs.robots.body_poses import BodyPoses
from dexgrasp_envs.robots.kuka_allegro import kuka_allegro
from dexgrasp_envs.robots.rotations import frame_pose, rotate
from dexgrasp_envs.scene.scene import Scene
from dexgrasp_envs.scene.tabletop import tabletop
from dexgrasp_envs.sim.mujoco.backend import MujocoBackend
from dexgrasp_envs.sim.mujoco.compile import compile_model
from dexgrasp_envs.types import SimState, StartState

ROBOT = kuka_allegro()
OBJECTS = objects.load("primitives12")
START_POSTURE = (*ROBOT.home, *ROBOT.hand_nominal)
EPISODE = EnvConfig().episode


def default_scene() -> Scene:
    return tabletop(ROBOT.bodies, EPISODE.goal, EPISODE.success_radius)


def body_poses(joint_pos: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions [N, B, 3] and rotations [N, B, 3, 3] of the robot's bodies, of the type of its joints [N, J]."""
    shape = (len(joint_pos), len(ROBOT.bodies), 3)
    pos, rot = joint_pos.new_empty(shape), joint_pos.new_empty((*shape, 3))
    BodyPoses(ROBOT.bodies)(joint_pos.numpy(), pos.numpy(), rot.numpy())
    return pos, rot


def palm_pose(joint_pos: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Grasp centre [N, 3] and palm rotation [N, 3, 3]."""
    positions, rotations = body_poses(joint_pos)
    body = ROBOT.body_names.index(ROBOT.palm.body)
    pos, rot = frame_pose(ROBOT.palm, positions[:, body], rotations[:, body])
    return pos + rotate(rot, torch.tensor(ROBOT.grasp_center).to(rot)), rot


def angles_between(one: torch.Tensor, other: torch.Tensor) -> npt.NDArray[np.float64]:
    """How far rotations [N, 3, 3] are turned against each other, rad."""
    return (Rotation.from_matrix(one.numpy()) * Rotation.from_matrix(other.numpy()).inv()).magnitude()


@functools.cache
def compiled(obj: GraspObject) -> mujoco.MjModel:
    """The default scene's model with one object; not to be changed."""
    return compile_model(default_scene(), ROBOT, obj, PhysicsConfig())


def make_sim(
    num_envs: int, physics: PhysicsConfig | None = None, scene: Scene | None = None, chosen: ObjectSet = OBJECTS
) -> MujocoBackend:
    return MujocoBackend(scene or default_scene(), ROBOT, chosen, physics or PhysicsConfig(), num_envs, threads=1)


def start_state(
    object_index: Sequence[int],
    object_pos: npt.ArrayLike,
    object_quat: npt.ArrayLike = (1.0, 0.0, 0.0, 0.0),
    joint_pos: npt.ArrayLike = START_POSTURE,
) -> StartState:
    """A start state; whatever is given once holds for all rows."""
    n = len(object_index)

    def rows(value: npt.ArrayLike, size: int) -> torch.Tensor:
        return torch.from_numpy(np.broadcast_to(np.asarray(value, np.float32), (n, size)).copy())

    return StartState(
        torch.tensor(list(object_index)), rows(joint_pos, len(START_POSTURE)), rows(object_pos, 3), rows(object_quat, 4)
    )


def hold(sim: MujocoBackend, seconds: float, physics: PhysicsConfig | None = None) -> None:
    """Step with the start posture as set-points."""
    physics = physics or PhysicsConfig()
    targets = torch.tensor(START_POSTURE).expand(sim.num_envs, physics.substeps, -1)
    for _ in range(round(seconds / physics.timestep / physics.substeps)):
        sim.step(targets)


def random_rotations(n: int, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """Orthonormal right-handed matrices [n, 3, 3]."""
    q, _ = np.linalg.qr(generator.normal(size=(n, 3, 3)))
    q[:, :, 0] *= np.linalg.det(q)[:, None]
    return q


def random_sim_state(n: int, seed: int) -> SimState:
    """Numbers of the right shapes and sizes, without physical sense."""
    generator = np.random.default_rng(seed)
    joints, bodies, partners = len(ROBOT.joints), len(ROBOT.bodies) + 1, len(ROBOT.fingers) + 2

    def tensor(array: npt.NDArray[np.float64]) -> torch.Tensor:
        return torch.from_numpy(array.astype(np.float32))

    return SimState(
        joint_pos=tensor(generator.uniform(-1.5, 1.5, (n, joints))),
        joint_vel=tensor(generator.uniform(-2, 2, (n, joints))),
        body_pos=tensor(generator.uniform([0.3, -0.4, 0.25], [0.8, 0.4, 0.9], (n, bodies, 3))),
        body_rot=tensor(random_rotations(n * bodies, generator).reshape(n, bodies, 3, 3)),
        object_vel=tensor(generator.uniform(-2, 2, (n, 6))),
        contact_count=tensor(generator.integers(0, 3, (n, partners)).astype(float)),
        contact_force=tensor(generator.uniform(-5, 5, (n, partners, 3))),
        diverged=torch.zeros(n, dtype=torch.bool),
    )
