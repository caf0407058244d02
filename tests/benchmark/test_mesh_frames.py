from benchmark.mesh_frames import OUTLINES, SECTIONS, mesh_env


def test_all_outlines_become_objects(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    env = mesh_env(2)
    objects = env.objects.objects
    assert [obj.name for obj in objects] == [f"{name}.ply" for name in sorted(OUTLINES)] and not env.objects.rejected
    assert all(obj.mesh is not None and len(obj.mesh.faces) >= 8 * SECTIONS for obj in objects)
    env.close()
