"""What differs from episode to episode beyond object, place and posture, and its levels.

A part of `config.EnvConfig`; by default there is nothing.
"""

import dataclasses
import math
from dataclasses import dataclass

from .sensor_config import Range

ADR_LEVELS = 50
"""The last level of automatic domain randomisation; the first is 0."""


@dataclass(frozen=True)
class RandomisationConfig:
    """What differs from episode to episode beyond object, place and posture: ranges at level `ADR_LEVELS`.

    They grow linearly with the level of the episode: at level 0 every factor is 1 and all else 0, whatever is said
    here. All draws are uniform; what is no range is the half width of one about 0. Nothing is randomised by default.
    """

    friction: Range = (1.0, 1.0)
    """Factor of the sliding friction of all contacts of the object."""
    mass: Range = (1.0, 1.0)
    """Factor of the object's mass, weight and inertia."""
    stiffness: Range = (1.0, 1.0)
    """Factor of the stiffness of each joint's servo."""
    damping: Range = (1.0, 1.0)
    """Factor of the damping of each joint's servo."""
    joint_friction: Range = (1.0, 1.0)
    """Factor of the viscous friction of each joint (dry friction would cost MuJoCo 40 % of a step)."""
    push: float = 0.0
    """Acceleration along each axis by a random force on the object's centre while it is lifted, m/s^2."""
    push_seconds: float = 0.5
    """How long such a force stays as it is, s; the same at all levels."""
    spawn_extent: tuple[float, float] = (0.0, 0.0)
    """Added to the half widths of the spawn rectangle (x, y), m."""
    spawn_tilt: float = 0.0
    """The object is turned about a horizontal axis of any direction, rad."""
    arm_noise: float = 0.0
    """Added to `SpawnConfig.arm_noise`, rad."""
    finger_noise: float = 0.0
    """Added to `SpawnConfig.finger_noise`, rad."""
    start_velocity: float = 0.0
    """Velocity of each joint at the start, rad/s."""
    object_position_noise: float = 0.0
    """Error of the object's position along each axis that is observed, drawn for each step, m."""
    object_position_bias: float = 0.0
    """The same, drawn for each episode, m."""
    object_rotation_noise: float = 0.0
    """Error of the object's rotation about each axis that is observed, drawn for each step, rad."""
    object_rotation_bias: float = 0.0
    """The same, drawn for each episode, rad."""
    joint_position_noise: float = 0.0
    """Error of each joint that is observed, drawn for each step, rad; palm and finger tips follow from it."""
    joint_position_bias: float = 0.0
    """The same, drawn for each episode, rad."""
    joint_velocity_noise: float = 0.0
    """Error of each joint's velocity that is observed, drawn for each step, rad/s."""
    joint_velocity_bias: float = 0.0
    """The same, drawn for each episode, rad/s."""
    camera_position: float = 0.0
    """Added to `CameraConfig.position_jitter`, m."""
    camera_rotation: float = 0.0
    """Added to `CameraConfig.rotation_jitter`, degrees."""

    @property
    def physical(self) -> bool:
        """Whether simulations differ, the place where they start apart."""
        return self._differs("friction", "mass", "stiffness", "damping", "joint_friction", "start_velocity")

    @property
    def seen(self) -> bool:
        """Whether what is observed of object and joints has errors."""
        errors = [f.name for f in dataclasses.fields(self) if f.name.endswith(("_noise", "_bias"))]
        return self._differs(*(name for name in errors if name.startswith(("object_", "joint_"))))

    @property
    def nominal(self) -> bool:
        """Whether a level makes no difference."""
        return not self._differs(*(f.name for f in dataclasses.fields(self) if f.name != "push_seconds"))

    def _differs(self, *names: str) -> bool:
        return any(getattr(self, name) != getattr(RandomisationConfig, name) for name in names)


RANDOMISATIONS: dict[str, RandomisationConfig] = {
    "none": RandomisationConfig(),
    "paper": RandomisationConfig(
        friction=(0.5, 1.2),
        mass=(0.5, 3.0),
        stiffness=(0.5, 2.0),
        damping=(0.5, 2.0),
        joint_friction=(0.0, 5.0),
        push=10.0,
        spawn_extent=(0.06, 0.09),
        spawn_tilt=math.pi,
        arm_noise=0.07,
        finger_noise=0.20,
        start_velocity=1.0,
        object_position_noise=0.03,
        object_position_bias=0.02,
        object_rotation_noise=0.1,
        object_rotation_bias=0.08,
        joint_position_noise=0.08,
        joint_position_bias=0.08,
        joint_velocity_noise=0.18,
        joint_velocity_bias=0.08,
        camera_position=0.03,
        camera_rotation=3.0,
    ),
}
"""Randomisations by name: the default; that of DextrAH, as far as it fits our world (docs/environment.md says how)."""
