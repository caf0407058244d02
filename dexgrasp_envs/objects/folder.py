"""An object set from a folder of mesh files, with convex pieces from coacd, kept in a cache."""

import contextlib
import hashlib
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError
from ..scene.bodies import Inertial
from .mesh import ObjectMesh, digest_of
from .object_set import DENSITY, GraspObject, ObjectSet, of_mesh
from .solids import without_rounding

SUFFIXES = (".obj", ".stl", ".ply")
"""Kinds of files that are read."""
SMALLEST, LARGEST = 0.02, 0.25
"""Bounds of an object's longest side, m."""
MOST_BYTES, MOST_TRIANGLES = 64 << 20, 200_000
"""Of a file."""
MOST_PIECES = 16
"""Convex pieces of an object."""
_PIECE_VERTICES = 128
_CONCAVITY = 0.05
_SMALLEST_PIECE = 1e-9
"""Pieces of less than this volume are left out, m^3: the compiler takes no flat ones."""
_VERSION = b"1"
"""Raised by hand whenever what is made of a file changes."""


class Unusable(Exception):
    """A file that gives no object; the message says why."""


def load_folder(folder: Path) -> ObjectSet:
    """The usable meshes of a folder, by name of file; warns of the others, which the set lists as `rejected`.

    Raises:
        ConfigError: There is no such folder, or no usable mesh in it.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {str(folder)!r} of meshes; name an existing one, or a set without '/'")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not files:
        raise ConfigError(f"folder {str(folder)!r} holds no meshes; put {', '.join(SUFFIXES)} files there")
    objects: list[GraspObject] = []
    rejected: list[tuple[str, str]] = []
    for path in files:
        try:
            objects.append(of_mesh(path.name, _read(path)))
        except Unusable as error:
            rejected.append((path.name, str(error)))
    reasons = "; ".join(f"{name}: {reason}" for name, reason in rejected)
    if not objects:
        raise ConfigError(f"no mesh of folder {str(folder)!r} can be used: {reasons}")
    if rejected:
        warnings.warn(f"left out of folder {str(folder)!r}: {reasons}", stacklevel=2)
    return ObjectSet(folder.name, tuple(objects), tuple(rejected))


def cache_folder() -> Path:
    """Where convex pieces are kept, by the content of their file."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dexgrasp_envs" / "meshes"


def _read(path: Path) -> ObjectMesh:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unusable(f"larger than {MOST_BYTES >> 20} MiB")
        content = path.read_bytes()
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror}") from error
    kept = cache_folder() / f"{hashlib.sha256(_VERSION + path.suffix.lower().encode() + content).hexdigest()}.npz"
    arrays = _from_cache(kept)
    if arrays is None:
        arrays = _made_of(_closed(path))
        _to_cache(kept, arrays)
    starts = np.cumsum(arrays["piece_sizes"])[:-1]
    numbers = arrays["inertial"].tolist()
    mass, (x, y, z), (xx, yy, zz, xy, xz, yz) = numbers[0], numbers[1:4], numbers[4:]
    return ObjectMesh(
        arrays["vertices"],
        arrays["faces"],
        tuple(np.split(arrays["piece_vertices"], starts)),
        Inertial(mass, (x, y, z), (xx, yy, zz, xy, xz, yz)),
        digest_of(*(arrays[name] for name in sorted(arrays))),
    )


def _closed(path: Path) -> Any:
    """The file's surface as a trimesh, closed and outward, after what repairs are possible."""
    import trimesh

    try:
        # Materials would open other files.
        mesh: Any = trimesh.load(path, force="mesh", skip_materials=True, process=False)
    except Exception as error:  # whatever the readers of three formats raise on broken files
        raise Unusable(f"cannot be read: {type(error).__name__}: {str(error)[:200]}") from error
    if not len(getattr(mesh, "faces", ())):
        raise Unusable("holds no triangles")
    if len(mesh.faces) > MOST_TRIANGLES:
        raise Unusable(f"has {len(mesh.faces)} triangles, more than {MOST_TRIANGLES}: simplify it")
    if not np.isfinite(mesh.vertices).all():
        raise Unusable("has vertices that are not finite")
    longest = float(mesh.extents.max())
    if not SMALLEST <= longest <= LARGEST:
        small = "small" if longest < SMALLEST else "large"
        raise Unusable(
            f"too {small}: {longest:.3g} m long, objects are {SMALLEST} to {LARGEST} m; lengths must be in metres"
        )
    mesh.merge_vertices()
    mesh.update_faces(mesh.nondegenerate_faces() & mesh.unique_faces())
    mesh.remove_unreferenced_vertices()
    if not mesh.is_watertight:
        trimesh.repair.fill_holes(mesh)
    trimesh.repair.fix_normals(mesh)
    if not mesh.is_watertight:
        raise Unusable("not watertight, and its holes cannot be closed: repair it first")
    if mesh.volume < 1e-3 * float(np.prod(mesh.extents)) or mesh.volume < 1e-7:
        raise Unusable(f"encloses no volume ({1e6 * mesh.volume:.3g} cm^3)")
    mesh.apply_translation(-mesh.bounds.mean(0))
    return mesh


def _made_of(mesh: Any) -> dict[str, npt.NDArray[Any]]:
    mesh.density = DENSITY
    center, tensor = without_rounding(np.array(mesh.center_mass), np.array(mesh.moment_inertia))
    ((xx, xy, xz), (_, yy, yz), (_, _, zz)) = tensor.tolist()
    pieces = _pieces(mesh)
    return {
        "vertices": np.asarray(mesh.vertices, np.float64),
        "faces": np.asarray(mesh.faces, np.int32),
        "piece_sizes": np.array([len(points) for points in pieces], np.int64),
        "piece_vertices": np.concatenate(pieces),
        "inertial": np.array([mesh.mass, *center, xx, yy, zz, xy, xz, yz]),
    }


def _pieces(mesh: Any) -> list[npt.NDArray[np.float64]]:
    """Vertices of the hulls of convex pieces."""
    import coacd
    import trimesh

    if mesh.is_convex or mesh.volume > 0.98 * mesh.convex_hull.volume:
        parts = [np.asarray(mesh.vertices)]
    else:
        coacd.set_log_level("error")
        found = coacd.run_coacd(
            coacd.Mesh(np.asarray(mesh.vertices), np.asarray(mesh.faces)),
            threshold=_CONCAVITY,
            max_convex_hull=MOST_PIECES,
            resolution=1000,
            mcts_iterations=60,
            seed=0,
        )
        parts = [np.asarray(vertices) for vertices, _ in found]
    pieces = []
    for points in parts:
        with contextlib.suppress(Exception):  # qhull refuses flat parts, which nothing could touch anyway
            hull = trimesh.convex.convex_hull(points)
            if hull.volume > _SMALLEST_PIECE:
                pieces.append(_thinned(np.asarray(hull.vertices, np.float64)))
    if not pieces:
        raise Unusable("cannot be decomposed into convex pieces")
    return pieces


def _thinned(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """At most `_PIECE_VERTICES` of the points: the farthest in directions that cover the sphere evenly."""
    if len(points) <= _PIECE_VERTICES:
        return points
    k = np.arange(_PIECE_VERTICES) + 0.5
    z, turn = 1 - 2 * k / _PIECE_VERTICES, np.pi * (1 + 5**0.5) * k
    level = np.sqrt(1 - z * z)
    directions = np.stack([level * np.cos(turn), level * np.sin(turn), z], 1)
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    farthest = (np.concatenate([axes, directions]) @ (points - points.mean(0)).T).argmax(1)
    return points[np.unique(farthest)]


def _from_cache(path: Path) -> dict[str, npt.NDArray[Any]] | None:
    """What was kept; None if nothing was, or nothing that can be read."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
    except Exception:  # numpy and zipfile raise many kinds on a file that was cut short
        return None
    return arrays if set(arrays) == {"vertices", "faces", "piece_sizes", "piece_vertices", "inertial"} else None


def _to_cache(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Keep it, unless the disk refuses; a file that is there is whole."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez_compressed(file, allow_pickle=False, **arrays)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
