"""The configuration of an environment: frozen dataclasses with canonical JSON both ways.

That JSON is the command line (tyro), the handshake of a remote server and the hash in every result row.
"""

import dataclasses
import hashlib
import json
import math
import typing
from dataclasses import dataclass, field
from typing import Any, Self

from .controller_config import FabricConfig as FabricConfig
from .controller_config import JointDeltaConfig as JointDeltaConfig
from .errors import ConfigError
from .randomisation_config import ADR_LEVELS as ADR_LEVELS
from .randomisation_config import RANDOMISATIONS as RANDOMISATIONS
from .randomisation_config import RandomisationConfig as RandomisationConfig
from .sensor_config import ColourConfig, DepthNoiseConfig, Range

Vec3 = tuple[float, float, float]


@dataclass(frozen=True)
class PhysicsConfig:
    """Rates and solver settings (a grasping policy was measured to keep its success under finer ones)."""

    timestep: float = 1.0 / 120.0
    """Length of a physics substep, s."""
    substeps: int = 8
    """Physics substeps per action: 8 at 120 Hz is a 15 Hz policy."""
    iterations: int = 20
    """Most Newton iterations of the constraint solver; with 5, squeezed objects are now and then pierced by 3 cm."""
    ls_iterations: int = 8
    """Line-search iterations of the constraint solver."""
    tolerance: float = 1e-6
    """Relative tolerance at which the constraint solver stops."""
    friction: float = 1.0
    """Sliding friction coefficient of every contact."""
    contact_impedance: tuple[float, float] = (0.95, 0.99)
    """Impedance of contacts at zero and at full penetration (1 mm); MuJoCo's 0.9, 0.95 let fingers sink in by 6 mm."""
    object_damping: float = 5e-4
    """Damping of the object's free joint, N s/m and N m s/rad; stands in for rolling friction."""


@dataclass(frozen=True)
class SpawnConfig:
    """Where and how an episode starts."""

    center: tuple[float, float] = (0.56, 0.0)
    """Centre of the spawn rectangle on the table (x, y), m."""
    half_extent: tuple[float, float] = (0.10, 0.15)
    """Half widths of the spawn rectangle (x, y), m."""
    upright_share: float = 0.5
    """Share of episodes that start upright with random yaw; the others start with a random orientation."""
    arm_noise: float = 0.08
    """Half width of the uniform noise on the arm's start posture, rad."""
    finger_noise: float = 0.15
    """Half width of the uniform noise on the fingers' start posture, rad."""
    arm_offset: tuple[float, ...] = field(default_factory=lambda: (0.0,) * 7, metadata={"omit_default": True})
    """Added to the arm's home, which gives the start posture, rad; targets begin at the home in any case."""


@dataclass(frozen=True)
class ControlConfig:
    """From actions to joint targets: relative palm pose and hand synergies through a second-order governor."""

    position_step: float = 0.04
    """Motion of the palm target for an action of 1, m."""
    rotation_step: float = 0.15
    """Rotation of the palm target for an action of 1, rad."""
    workspace_low: Vec3 = (0.40, -0.24, 0.265)
    """Lower corner of the box that the grasp-centre target stays in, m."""
    workspace_high: Vec3 = (0.72, 0.24, 0.80)
    """Upper corner of the box that the grasp-centre target stays in, m."""
    rotation_limit: Vec3 = (0.9, 0.6, 0.6)
    """Largest (yaw, pitch, roll) of the palm target from nominal, rad."""
    palm_tilt: float = 0.9
    """Downward tilt of the fingers in the nominal palm orientation, rad."""
    ik_iterations: int = 2
    """Damped least-squares iterations per action."""
    ik_damping: float = 0.003
    """Square of the damping factor lambda of the least-squares step."""
    ik_null_gain: float = 0.05
    """Null-space gain towards the home posture, per iteration."""
    ik_max_position: float = 0.12
    """The position error is clamped to this length, m."""
    ik_max_rotation: float = 0.5
    """The rotation error is clamped to this angle, rad."""
    joint_margin: float = 0.03
    """Distance that commanded joints keep from their limits, rad."""
    arm_bandwidth: float = 10.0
    """Natural frequency of the critically damped governor, arm, rad/s."""
    hand_bandwidth: float = 20.0
    """Natural frequency of the critically damped governor, hand, rad/s."""
    arm_max_velocity: tuple[float, ...] = (1.5, 1.5, 1.7, 1.7, 2.2, 2.4, 2.4)
    """Velocity limit of each commanded arm joint, rad/s."""
    hand_max_velocity: float = 6.0
    """Velocity limit of each commanded hand joint, rad/s."""
    arm_max_acceleration: tuple[float, ...] = (12.0, 12.0, 12.0, 12.0, 16.0, 16.0, 16.0)
    """Acceleration limit of each commanded arm joint, rad/s^2."""
    hand_max_acceleration: float = 150.0
    """Acceleration limit of each commanded hand joint, rad/s^2."""
    arm_lead: float = 0.06
    """The arm command starts each action within this of the measured joint, rad (more: objects are shot away)."""
    hand_lead: float = 0.8
    """The hand command starts each action within this of the measured joint, rad (this is the grip force)."""
    synergies: str = field(default="hand", metadata={"omit_default": True})
    """One of `SYNERGIES`: made by hand, or principal components of grasps."""


@dataclass(frozen=True)
class RewardConfig:
    """Weights and scales of the reward terms; an untouched object earns exactly nothing from `goal` and `lift`."""

    scale: float = 0.1
    """Multiplies the sum of all terms."""
    reach: float = 1.0
    """Weight of exp(-reach_sharpness * largest distance of palm and finger tips to the object)."""
    reach_sharpness: float = 6.0
    """1/m."""
    contact: float = 1.0
    """Weight of 0.5 [thumb and another finger touch] + 0.25 [thumb touches] + 0.25 [any finger touches]."""
    goal: float = 5.0
    """Weight of exp(-goal_sharpness d) less its value for the same object at rest below."""
    goal_sharpness: float = 6.0
    """1/m."""
    lift: float = 4.0
    """Weight of the share of the way from rest to the goal that the object has come."""
    success: float = 2.0
    """Paid while the object is within the success radius."""
    curl: float = -0.01
    """Weight of the squared distance of the finger joints from their nominal posture, 1/rad^2."""


@dataclass(frozen=True)
class EpisodeConfig:
    """Goal, success, failure and length of an episode."""

    seconds: float = 10.0
    """Time limit, s."""
    goal: Vec3 = (0.55, 0.0, 0.65)
    """Where the object's centre is to be held, m."""
    success_radius: float = 0.10
    """Success is the object's centre within this distance of the goal, m."""
    lift_height: float = 0.10
    """Lifted is the object's centre this far above its lowest height so far, m."""
    lost_low: Vec3 = (0.2, -0.55, 0.20)
    """Lower corner of the box outside which the object is lost, m."""
    lost_high: Vec3 = (0.95, 0.55, 1.5)
    """Upper corner of the box outside which the object is lost, m."""


@dataclass(frozen=True)
class CameraConfig:
    """A pinhole camera with square pixels; +x of the image to the right, +y down."""

    mount: str = "world"
    """What it is fixed to: "world", or a body of the robot."""
    position: Vec3 = (0.38, -0.78, 0.58)
    """Where it is, in the frame of its mount, m."""
    target: Vec3 = (0.54, 0.0, 0.46)
    """A point that it looks at, same frame, m."""
    up: Vec3 = (0.0, 0.0, 1.0)
    """A direction that appears upwards in the image, same frame."""
    fovy: float = 46.0
    """Vertical field of view, degrees."""
    near: float = 0.02
    """Nothing nearer is seen, m."""
    far: float = 2.0
    """Depth beyond this is invalid, m."""
    position_jitter: float = 0.0
    """Half width of the uniform displacement along each axis, drawn for each episode, m."""
    rotation_jitter: float = 0.0
    """Half width of the uniform rotation about each of its axes, drawn for each episode, degrees."""


CAMERAS: dict[str, CameraConfig] = {
    "right": CameraConfig(),
    "front": CameraConfig(position=(1.1, -0.42, 0.72), target=(0.53, 0.0, 0.42), fovy=42.0),
    "paper": CameraConfig(
        position=(0.724, 0.689, 0.637), target=(0.606, -0.297, 0.519), up=(1.0, 0.0, 0.0), fovy=48.0, far=1.5
    ),
    "wrist": CameraConfig(
        mount="palm_link", position=(0.10, 0.0088, -0.10), target=(0.08, 0.0088, 0.08), up=(1.0, 0.0, 0.0), fovy=80.0
    ),
}
"""Cameras by name: the default, at the robot's right, from which hand and arm hide the object least; one that faces the
robot; the paper's, turned by half a turn about z into our frame; one on the palm."""


@dataclass(frozen=True)
class LightConfig:
    """Light and colours of the pair, drawn for each episode uniformly between two bounds, which may be equal.

    One light from far away, which casts hard shadows, and the same light from all sides.
    """

    azimuth: Range = (-100.0, -100.0)
    """Where the light comes from, about z: 0 is along x, degrees."""
    elevation: Range = (55.0, 55.0)
    """Its height above the horizon, degrees."""
    intensity: Range = (0.85, 0.85)
    """What it adds to a surface that faces it; 1 shows a colour as it is."""
    ambient: Range = (0.25, 0.25)
    """What light from all sides adds to every surface."""
    tint: float = 0.0
    """Each part's red, green and blue are multiplied by factors within this of 1."""


LIGHTS: dict[str, LightConfig] = {
    "fixed": LightConfig(),
    "random": LightConfig((-180.0, 180.0), (35.0, 85.0), (0.5, 1.1), (0.1, 0.45), 0.4),
}
"""Lights by name: the default, the same in all episodes; one that differs in each."""


@dataclass(frozen=True)
class StereoConfig:
    """The rectified pair of colour images: the left one is taken by `ObservationConfig.camera`."""

    baseline: float = 0.055
    """Distance of the right camera from the left one along the image's x axis, m."""
    light: LightConfig = field(default_factory=LightConfig)
    """Light, and tints of the parts."""
    colour: ColourConfig = field(default_factory=ColourConfig, metadata={"omit_default": True})
    """Textures, and what the camera makes of colours."""


STEREO_GROUPS = ("left", "right")
"""Observation groups of colour images, uint8 (3, H, W)."""
IMAGE_GROUPS = ("depth", *STEREO_GROUPS)
"""Observation groups that are images."""
GROUPS = ("state", *IMAGE_GROUPS, "privileged")
"""Observation groups besides `proprio`, in their order."""
DEPTH_FORMATS = ("uint16", "float32", "uint8")
"""How depth can be observed: dtypes by name."""


@dataclass(frozen=True)
class ObservationConfig:
    """What is observed besides proprioception."""

    groups: tuple[str, ...] = ()
    """Some of `GROUPS`; an id adds its own."""
    camera: CameraConfig = field(default_factory=CameraConfig)
    """Where images are taken from."""
    image_size: tuple[int, int] = (120, 160)
    """(height, width) of an image, pixels."""
    image_period: int = 1
    """An image is taken at every n-th step of an episode, its start included, and repeated in between."""
    depth_format: str = "uint16"
    """One of `DEPTH_FORMATS`: units of 0.1 mm, metres, or the far distance in 255 parts."""
    stereo: StereoConfig = field(default_factory=StereoConfig, metadata={"omit_default": True})
    """The groups `left` and `right`."""
    depth_noise: DepthNoiseConfig = field(default_factory=DepthNoiseConfig, metadata={"omit_default": True})
    """Noise of the group `depth`."""


CONTROLLERS = ("governor", "fabric", "joint_delta")
"""Controllers by name: palm and synergies through inverse kinematics and a governor, or through a geometric fabric;
every joint by itself through the governor."""
SYNERGIES = ("hand", "pca")
"""Bases of the hand's synergies by name."""
TARGETS = ("relative", "absolute")
"""How a fabric reads the palm's part of an action."""
RATES = {"15hz": 8, "60hz": 2}
"""Rates of actions by name, as physics substeps an action at 120 Hz: the default, and the paper's."""


@dataclass(frozen=True)
class EnvConfig:
    """Everything that decides what an environment computes; how many, how fast and where is not part of it."""

    objects: str = "primitives12"
    """Name of the object set, see `dexgrasp_envs.objects.names()`, or a folder/ of meshes."""
    observation: ObservationConfig = field(default_factory=ObservationConfig)
    physics: PhysicsConfig = field(default_factory=PhysicsConfig)
    spawn: SpawnConfig = field(default_factory=SpawnConfig)
    control: ControlConfig = field(default_factory=ControlConfig)
    reward: RewardConfig = field(default_factory=RewardConfig)
    episode: EpisodeConfig = field(default_factory=EpisodeConfig)
    controller: str = field(default="governor", metadata={"omit_default": True})
    """One of `CONTROLLERS`."""
    joint_delta: JointDeltaConfig = field(default_factory=JointDeltaConfig, metadata={"omit_default": True})
    """Of the controller `joint_delta`."""
    fabric: FabricConfig = field(default_factory=FabricConfig, metadata={"omit_default": True})
    """Of the controller `fabric`."""
    randomisation: RandomisationConfig = field(default_factory=RandomisationConfig, metadata={"omit_default": True})
    """Of dynamics, starts, observations and the camera, by level."""

    @property
    def max_steps(self) -> int:
        """Length of an episode in actions."""
        return round(self.episode.seconds / (self.physics.timestep * self.physics.substeps))

    def replace(self, **changes: Any) -> Self:
        """A copy with top-level fields changed; `ConfigError` for an unknown one."""
        known = [f.name for f in dataclasses.fields(self)]
        for name in changes:
            if name not in known:
                raise ConfigError(f"unknown configuration field {name!r}; the fields are {', '.join(known)}")
        return dataclasses.replace(self, **changes)

    def at_rate(self, name: str) -> Self:
        """A copy whose actions come at one of `RATES`, and move the palm's target with the same speed as here."""
        if name not in RATES:
            raise ConfigError(f"unknown rate {name!r}; the rates are {', '.join(RATES)}")
        share = RATES[name] / self.physics.substeps
        control = dataclasses.replace(
            self.control,
            position_step=self.control.position_step * share,
            rotation_step=self.control.rotation_step * share,
        )
        return self.replace(physics=dataclasses.replace(self.physics, substeps=RATES[name]), control=control)

    def canonical(self) -> Self:
        """The same configuration with every field in its declared type; `ConfigError` names one that cannot be."""
        return _build(type(self), dataclasses.asdict(self), "config")

    def observing(self, *groups: str) -> Self:
        """A copy with these observation groups besides those it has, in the order of `GROUPS`."""
        wanted = (*self.observation.groups, *groups)
        for name in wanted:
            if name not in GROUPS:
                raise ConfigError(f"unknown observation group {name!r}; the groups are {', '.join(GROUPS)}")
        ordered = tuple(name for name in GROUPS if name in wanted)
        return dataclasses.replace(self, observation=dataclasses.replace(self.observation, groups=ordered))

    def to_json(self) -> str:
        """Canonical JSON: declared types, sorted keys, no spaces, every field present.

        Only fields that came later, such as `observation.stereo`, are left out where they are the default, so that what
        does without them keeps its hash.
        """
        return json.dumps(_plain(self.canonical()), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`; `ConfigError` names an unknown, missing or ill-typed field."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise ConfigError(f"the configuration is not JSON: {error}") from error
        return _build(cls, data, "config")

    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]


def _omitted(kind: Any) -> dict[str, Any]:
    """The fields of a dataclass that JSON leaves out where they have the default, and that default."""
    marked = (f for f in dataclasses.fields(kind) if "omit_default" in f.metadata)
    return {f.name: f.default if f.default_factory is dataclasses.MISSING else f.default_factory() for f in marked}


def _plain(config: Any) -> Any:
    """Nested dicts of a dataclass, without the fields that are left out."""
    if not dataclasses.is_dataclass(config):
        return config
    omitted = _omitted(config)
    values = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    return {k: _plain(value) for k, value in values.items() if k not in omitted or value != omitted[k]}


def _data(value: Any) -> Any:
    """Plain data of a value, whole."""
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


def _build(kind: Any, data: Any, where: str) -> Any:
    """Rebuild a value of the annotated type `kind` from plain data, strictly."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        if isinstance(data, dict):
            data = {name: _data(value) for name, value in _omitted(kind).items()} | data
        if not isinstance(data, dict) or set(data) != set(hints):
            got = sorted(data) if isinstance(data, dict) else type(data).__name__
            raise ConfigError(f"{where} must hold exactly the fields {sorted(hints)}, got {got}")
        return kind(**{name: _build(hint, data[name], f"{where}.{name}") for name, hint in hints.items()})
    if typing.get_origin(kind) is tuple:
        items = typing.get_args(kind)
        if not isinstance(data, list | tuple) or (items[-1] is not Ellipsis and len(data) != len(items)):
            size = "any number of" if items[-1] is Ellipsis else len(items)
            raise ConfigError(f"{where} must be a list of {size} values, got {data!r}")
        return tuple(_build(items[0], value, f"{where}[{i}]") for i, value in enumerate(data))
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        if not math.isfinite(data):
            raise ConfigError(f"{where} must be finite, got {data!r}")
        return float(data)
    if type(data) is not kind:
        raise ConfigError(f"{where} must be {kind.__name__}, got {data!r}")
    return data
