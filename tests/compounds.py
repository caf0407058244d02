"""Objects of several primitives for tests, and a set that mixes them with single ones."""

import numpy as np

from dexgrasp_envs.objects import ObjectSet, centred
from dexgrasp_envs.scene.bodies import Geom, Shape
from tests.helpers import OBJECTS

TURNED = (float(np.cos(0.4)), 0.0, float(np.sin(0.4)), 0.0)
HAMMER = centred(
    "hammer", [Geom(Shape.CYLINDER, (0.012, 0.07)), Geom(Shape.BOX, (0.05, 0.015, 0.015), (0.0, 0.0, 0.085))]
)
"""Two parts that touch."""
MUG = centred(
    "mug",
    [
        Geom(Shape.CYLINDER, (0.035, 0.045)),
        Geom(Shape.BOX, (0.02, 0.006, 0.006), (0.055, 0.0, 0.02)),
        Geom(Shape.BOX, (0.02, 0.006, 0.006), (0.055, 0.0, -0.02)),
        Geom(Shape.BOX, (0.006, 0.006, 0.026), (0.081, 0.0, 0.0)),
    ],
)
"""Its centre of mass lies beside its origin; its handle's boxes overlap a little."""
TILTED = centred(
    "tilted",
    [
        Geom(Shape.BOX, (0.02, 0.03, 0.04)),
        Geom(Shape.CAPSULE, (0.01, 0.04), (0.03, 0.01, 0.02), TURNED),
        Geom(Shape.SPHERE, (0.02,), (0.0, 0.0, 0.06)),
    ],
)
"""Its principal axes lie beside those of its frame; all its parts overlap."""
MIXED = ObjectSet("mixed", (HAMMER, OBJECTS.objects[0], MUG, TILTED, OBJECTS.objects[8]))
