import pytest

from benchmark import mesh_frames
from benchmark.mesh_frames import OUTLINES, SECTIONS, mesh_env


@pytest.mark.parametrize("names", [["bottle"], pytest.param(sorted(OUTLINES), marks=pytest.mark.slow)], ids=len)
def test_outlines_become_objects(names, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(mesh_frames, "OUTLINES", {name: OUTLINES[name] for name in names})
    env = mesh_env(2)
    objects = env.objects.objects
    assert [obj.name for obj in objects] == [f"{name}.ply" for name in names] and not env.objects.rejected
    assert all(obj.mesh is not None and len(obj.mesh.faces) >= 8 * SECTIONS for obj in objects)
    env.close()
