import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from dexgrasp_envs.remote.array_pool import ArrayPool
from dexgrasp_envs.remote.obs_batch import ObsBatch
from dexgrasp_envs.remote.wire import Slot

SPACE = batch_space(spaces.Dict({"a": spaces.Box(0, 1, (2,)), "b": spaces.Tuple((spaces.Discrete(3),))}), 5)
SLICES = [slice(0, 2), slice(2, 5)]


def slot(path: tuple, shape: tuple[int, ...], dtype: type = np.float32) -> Slot:
    return Slot(path, np.dtype(dtype), shape, 0)


def test_servers_rows_make_one_array_without_a_copy() -> None:
    batch = ObsBatch(SPACE, ArrayPool())
    places = [batch.place(rows) for rows in SLICES]
    parts = []
    for number, (place, rows) in enumerate(zip(places, SLICES, strict=True)):
        count = rows.stop - rows.start
        a, b = place(slot(("obs", "a"), (count, 2))), place(slot(("obs", "b", 0), (count,), np.int64))
        assert a is not None and b is not None
        a[...] = b[...] = number
        parts.append({"a": a, "b": (b,)})
    joined = batch.join(parts)
    assert joined["a"].ctypes.data == parts[0]["a"].ctypes.data and np.shares_memory(joined["a"], parts[1]["a"])
    assert joined["a"][:, 0].tolist() == [0, 0, 1, 1, 1] and joined["b"][0].tolist() == [0, 0, 1, 1, 1]


def test_each_batch_is_fresh() -> None:
    pool = ArrayPool()
    first, second = (ObsBatch(SPACE, pool).place(slice(0, 5))(slot(("obs", "a"), (5, 2))) for _ in range(2))
    assert first is not None and second is not None and not np.shares_memory(first, second)


def test_what_does_not_fit_the_space_is_joined_as_it_is() -> None:
    batch = ObsBatch(SPACE, ArrayPool())
    assert batch.place(SLICES[0])(slot(("obs", "a"), (2, 2), np.float64)) is None
    parts = [{"a": np.zeros((2, 2)), "b": (np.zeros(2),)}, {"a": np.ones((3, 2)), "b": (np.ones(3),)}]
    joined = batch.join(parts)
    assert joined["a"].dtype == np.float64 and joined["a"].shape == (5, 2)


def test_other_data_are_not_placed() -> None:
    assert ObsBatch(SPACE, ArrayPool()).place(SLICES[0])(slot(("infos", "a"), (2, 2))) is None


def test_texts_are_joined() -> None:
    space = batch_space(spaces.Text(5), 3)
    assert ObsBatch(space, ArrayPool()).join([("a",), ("b", "c")]) == ("a", "b", "c")
