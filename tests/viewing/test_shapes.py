import numpy as np
import pytest

from dexgrasp_envs.scene.bodies import Geom, Shape
from dexgrasp_envs.viewing.shapes import mesh_of


@pytest.mark.parametrize(
    ("geom", "half"),
    [
        (Geom(Shape.BOX, (0.1, 0.2, 0.3)), (0.1, 0.2, 0.3)),
        (Geom(Shape.CYLINDER, (0.1, 0.3)), (0.1, 0.1, 0.3)),
        (Geom(Shape.CAPSULE, (0.1, 0.3)), (0.1, 0.1, 0.4)),
        (Geom(Shape.SPHERE, (0.1,)), (0.1, 0.1, 0.1)),
    ],
    ids=lambda value: str(value.shape) if isinstance(value, Geom) else "",
)
def test_a_mesh_fills_the_bounds_of_its_shape(geom: Geom, half: tuple[float, float, float]) -> None:
    vertices, faces = mesh_of(geom)
    assert faces.max() == len(vertices) - 1 and faces.shape[1] == 3
    np.testing.assert_allclose(vertices.max(0), half, atol=1e-3)
    np.testing.assert_allclose(vertices.min(0), -np.array(half), atol=1e-3)
