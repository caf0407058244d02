"""What identifies the world that an environment computes."""

import hashlib
import json

from .config import EnvConfig
from .objects import ObjectSet
from .robots.robot import Robot
from .scene.bodies import COLLIDES
from .scene.scene import Scene

REVISION = 2
"""Raised by hand when a change of code, not of figures, changes what an environment computes beyond rounding."""


def fingerprints(config: EnvConfig, scene: Scene, robot: Robot, objects: ObjectSet) -> tuple[str, str]:
    """16 hexadecimal digits of revision, configuration, robot, scene and objects; and without what is observed."""
    inertials = [obj.inertial for obj in objects.objects]
    world = repr((scene, robot, objects, inertials, sorted(sorted(pair) for pair in COLLIDES)))
    task = {name: value for name, value in json.loads(config.to_json()).items() if name != "observation"}
    return _hash(config.to_json(), world), _hash(json.dumps(task, sort_keys=True), world)


def _hash(*texts: str) -> str:
    return hashlib.sha256("\n".join((str(REVISION), *texts)).encode()).hexdigest()[:16]
