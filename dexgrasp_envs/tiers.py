"""The evaluation distribution in three tiers of difficulty, which are changes of a configuration."""

import dataclasses
from dataclasses import dataclass, field
from typing import Literal

from .config import EnvConfig, SpawnConfig
from .errors import ConfigError
from .sensor_config import DEPTH_NOISES, DepthNoiseConfig

TierName = Literal["easy", "full", "hard"]
"""Their names."""


@dataclass(frozen=True)
class Tier:
    """What a tier decides; everything else, such as the place of the camera, is that of the policy."""

    objects: str
    """Name of the object set."""
    spawn: SpawnConfig = field(default_factory=SpawnConfig)
    """How episodes start."""
    depth_noise: DepthNoiseConfig = DEPTH_NOISES["off"]
    """Noise of the group `depth`."""
    position_jitter: float = 0.0
    """Of the camera, see `CameraConfig`, m."""
    rotation_jitter: float = 0.0
    """Of the camera, see `CameraConfig`, degrees."""


HIDING = (-0.325, 0.123, -0.328, -0.286, 0.156, -0.398, -0.207)
"""Takes the arm from its home to between the default camera and the table: the hand is at (0.45, -0.30, 0.36) m, turned
to the camera by 0.5 rad. On average 57 % of what is to be seen of the object is hidden there, in more than half of the
episodes most of it; nothing is touched."""
TIERS: dict[str, Tier] = {
    "easy": Tier("primitives12"),
    "full": Tier("train"),
    "hard": Tier(
        "test",
        SpawnConfig(center=(0.57, 0.04), half_extent=(0.13, 0.20), arm_offset=HIDING),
        DEPTH_NOISES["paper"],
        0.03,
        3.0,
    ),
}
"""`easy`: the 12 primitives, as episodes usually start. `full`: the 152 objects. `hard`: held-out objects in a wider
area, hidden from the default camera by the arm at the start, with noise and jitter of depth cameras as in the paper."""


def on_tier(config: EnvConfig, name: str) -> EnvConfig:
    """A configuration with what a tier decides; `ConfigError` for the name of an unknown one."""
    if name not in TIERS:
        raise ConfigError(f"tier must be one of {', '.join(map(repr, TIERS))}, got {name!r}")
    tier = TIERS[name]
    camera = dataclasses.replace(
        config.observation.camera, position_jitter=tier.position_jitter, rotation_jitter=tier.rotation_jitter
    )
    observation = dataclasses.replace(config.observation, camera=camera, depth_noise=tier.depth_noise)
    return config.replace(objects=tier.objects, spawn=tier.spawn, observation=observation)
