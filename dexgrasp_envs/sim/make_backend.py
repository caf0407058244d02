"""Back ends by name."""

from ..config import PhysicsConfig
from ..errors import ConfigError
from ..objects import ObjectSet
from ..robots.robot import Robot
from ..scene.scene import Scene
from ..types import SimBackend

BACKENDS = ("mujoco",)
"""Names that `make_backend` knows."""


def make_backend(
    name: str,
    scene: Scene,
    robot: Robot,
    objects: ObjectSet,
    physics: PhysicsConfig,
    num_envs: int,
    threads: int,
    randomised: bool = False,
) -> SimBackend:
    """A batch of `num_envs` simulations; `threads` 0 means one per core. ConfigError for an unknown name.

    With `randomised`, resets may give each simulation `Dynamics` of its own.
    """
    if name not in BACKENDS:
        raise ConfigError(f"backend must be one of {', '.join(map(repr, BACKENDS))}, got {name!r}")
    if threads < 0:
        raise ConfigError(f"threads must be 0 (one per core) or more, got {threads}")
    from .mujoco.backend import MujocoBackend

    return MujocoBackend(scene, robot, objects, physics, num_envs, threads, randomised)
