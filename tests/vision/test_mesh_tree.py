from dexgrasp_envs.vision.mesh_tree import LEAF_TRIANGLES, MeshTrees, mesh_trees
from tests.meshes import RING

TREES = mesh_trees([RING.mesh, RING.mesh])


def leaves(trees: MeshTrees, node: int) -> list[int]:
    """The leaves below a node."""
    first, second = trees.links[node]
    return [node] if first >= 0 else leaves(trees, node + 1) + leaves(trees, int(second))


def test_the_leaves_of_a_mesh_hold_all_its_triangles_once() -> None:
    count = len(RING.mesh.faces)
    for root, start in zip(TREES.roots, (0, count), strict=True):
        ranges = sorted(tuple(TREES.links[leaf]) for leaf in leaves(TREES, root))
        assert [first for first, _ in ranges] == [start, *(last for _, last in ranges[:-1])]
        assert ranges[-1][1] == start + count
        assert max(last - first for first, last in ranges) <= LEAF_TRIANGLES


def test_every_box_holds_what_is_below_it() -> None:
    for node in range(len(TREES.links)):
        for leaf in leaves(TREES, node):
            assert (TREES.boxes[node, :3] <= TREES.boxes[leaf, :3]).all()
            assert (TREES.boxes[node, 3:] >= TREES.boxes[leaf, 3:]).all()
        first, last = TREES.links[node]
        if first >= 0:
            corners = TREES.triangles[first:last]
            assert (corners[:, :3] >= TREES.boxes[node, :3] - 1e-7).all()


def test_no_meshes_give_empty_arrays() -> None:
    trees = mesh_trees([])
    assert trees.roots == () and trees.boxes.shape == (0, 6) and trees.triangles.shape == (0, 9)
