"""The table-top scene of the task."""

from .bodies import IDENTITY, Body, CollisionGroup, Geom, Shape, Vec3
from .scene import Scene, ViewCamera

TABLE_TOP = 0.25
"""Height of the table's surface, m (the paper's)."""
TABLE_HALF: Vec3 = (0.4, 0.6, TABLE_TOP / 2)
"""Half extents of the table, a solid block on the floor, m."""
TABLE_CENTER: Vec3 = (0.6, 0.0, TABLE_TOP / 2)
"""Centre of the table, m."""


def tabletop(robot: tuple[Body, ...], goal: Vec3, goal_radius: float) -> Scene:
    """A robot at the origin in front of a table."""
    surface = Geom(Shape.BOX, TABLE_HALF, rgba=(0.72, 0.62, 0.50, 1.0), collision=CollisionGroup.TABLE)
    table = Body("table", None, TABLE_CENTER, IDENTITY, geoms=(surface,))
    camera = ViewCamera(pos=(1.55, -0.85, 1.05), target=(0.45, 0.0, 0.45), fovy=40.0)
    return Scene(robot, (table,), goal, goal_radius, camera)
