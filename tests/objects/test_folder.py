"""Sets from folders of meshes."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import ConvexHull

from dexgrasp_envs import objects
from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.objects import folder as folder_module
from dexgrasp_envs.objects.folder import MOST_PIECES, SUFFIXES, cache_folder, load_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder()


@pytest.fixture
def meshes(tmp_path: Path) -> Path:
    path = tmp_path / "meshes"
    path.mkdir()
    return path


def block(path: Path, size: tuple[float, float, float] = (0.04, 0.03, 0.08)) -> None:
    trimesh.creation.box(size).apply_translation([1.0, 2.0, 3.0]).export(path)


def reason(meshes: Path, name: str) -> str:
    """Why a file was left out beside one that was not."""
    block(meshes / "good.stl")
    with pytest.warns(UserWarning, match=name):
        found = load_folder(meshes)
    assert found.names == ("good.stl",)
    return dict(found.rejected)[name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_convex_mesh_is_centred_and_weighs_what_it_must(meshes: Path, suffix: str) -> None:
    block(meshes / f"block{suffix}")
    (obj,) = objects.load(f"{meshes}/").objects
    np.testing.assert_allclose(obj.half_extents, (0.02, 0.015, 0.04), atol=1e-6)
    assert obj.name == f"block{suffix}" and obj.colliders == 1 and not obj.is_round
    mass = 500.0 * 0.04 * 0.03 * 0.08
    assert obj.inertial.mass == pytest.approx(mass, rel=1e-5)
    expected = mass / 12 * np.array([0.03**2 + 0.08**2, 0.04**2 + 0.08**2, 0.04**2 + 0.03**2])
    np.testing.assert_allclose(obj.inertial.inertia, [*expected, 0, 0, 0], rtol=1e-5)
    assert obj.inertial.pos == (0.0, 0.0, 0.0)


def test_what_was_made_of_a_file_is_kept_by_its_content(
    meshes: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block(meshes / "one.stl")
    first = load_folder(meshes)
    assert len(list(cache.glob("*.npz"))) == 1
    (meshes / "one.stl").rename(meshes / "two.stl")
    monkeypatch.delattr(folder_module, "_made_of")
    second = load_folder(meshes)
    assert second.names == ("two.stl",) and second.objects[0].mesh.digest == first.objects[0].mesh.digest


def test_a_cached_file_that_was_cut_short_is_made_anew(meshes: Path, cache: Path) -> None:
    block(meshes / "one.stl")
    first = load_folder(meshes).objects[0].mesh.digest
    (kept,) = cache.glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:100])
    assert load_folder(meshes).objects[0].mesh.digest == first
    assert np.load(kept)["vertices"].shape == (8, 3)


def test_a_cache_that_cannot_be_written_is_done_without(
    meshes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    block(meshes / "one.stl")
    assert len(load_folder(meshes)) == 1


@pytest.mark.parametrize(
    ("size", "words"), [((40.0, 30.0, 80.0), "too large: 80 m"), ((0.004, 0.003, 0.008), "too small: 0.008 m")]
)
def test_sizes_that_are_not_in_metres_are_named(meshes: Path, size: tuple[float, float, float], words: str) -> None:
    block(meshes / "odd.stl", size)
    assert words in reason(meshes, "odd.stl") and "metres" in reason(meshes, "odd.stl")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("words.obj", b"v 0 0 zzz\nf 1 2 3\n", "cannot be read"),
        ("empty.stl", b"", "no triangles"),
        ("points.ply", b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n0\n", "cannot be read"),
        ("nan.obj", b"v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "not finite"),
        ("flat.obj", b"v 0 0 0\nv .05 0 0\nv 0 .05 0\nf 1 2 3\nf 1 3 2\n", "not watertight"),
        ("noise.stl", bytes(range(256)) * 8, "no triangles"),
    ],
)
def test_broken_files_are_left_out_with_the_reason(meshes: Path, name: str, content: bytes, words: str) -> None:
    (meshes / name).write_bytes(content)
    assert words in reason(meshes, name)


def test_a_small_hole_is_closed_and_a_large_one_is_named(meshes: Path) -> None:
    ball = trimesh.creation.icosphere(2, 0.03)
    for name, missing in (("small.stl", 1), ("large.stl", 60)):
        left = ball.copy()
        left.update_faces(np.arange(len(ball.faces)) >= missing)
        left.export(meshes / name)
    with pytest.warns(UserWarning):
        found = load_folder(meshes)
    assert found.names == ("small.stl",)
    assert "not watertight" in dict(found.rejected)["large.stl"]


def test_a_file_with_too_many_triangles_is_named(meshes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "MOST_TRIANGLES", 100)
    trimesh.creation.icosphere(2, 0.03).export(meshes / "fine.stl")
    assert "320 triangles" in reason(meshes, "fine.stl")


def test_a_folder_without_usable_meshes_is_an_error_that_says_why(meshes: Path) -> None:
    with pytest.raises(ConfigError, match="holds no meshes"):
        objects.load(f"{meshes}/")
    (meshes / "empty.stl").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"empty\.stl: holds no triangles"):
        objects.load(f"{meshes}/")


def test_a_folder_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no folder"):
        objects.load("nowhere/to/be/found/")


@pytest.mark.slow
def test_a_hollow_mesh_is_decomposed_into_pieces_that_leave_the_hole_open(meshes: Path) -> None:
    trimesh.creation.torus(0.04, 0.012, major_sections=24, minor_sections=12).export(meshes / "ring.stl")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (obj,) = load_folder(meshes).objects
    pieces = [ConvexHull(points) for points in obj.mesh.pieces]
    assert 4 <= len(pieces) <= MOST_PIECES
    # Inside the tube there is something, in the hole nothing.
    middle = np.array([[0.04 * np.cos(a), 0.04 * np.sin(a), 0.0] for a in np.linspace(0, 6, 20)])
    assert np.any([inside(piece, middle) for piece in pieces], axis=0).mean() > 0.9
    assert not any(inside(piece, np.zeros((1, 3)))[0] for piece in pieces)
    assert sum(piece.volume for piece in pieces) == pytest.approx(obj.inertial.mass / 500, rel=0.35)


def inside(hull: ConvexHull, points: np.ndarray) -> np.ndarray:
    """[n] bool."""
    return (points @ hull.equations[:, :3].T + hull.equations[:, 3] <= 0.0).all(1)
