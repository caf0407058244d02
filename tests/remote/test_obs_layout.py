import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from dexgrasp_envs.remote.obs_layout import ObsLayout
from dexgrasp_envs.remote.wire import CHUNK_BYTES

IMAGE = spaces.Box(0, 255, (3, 101, 103), np.uint8)
POSE = spaces.Box(-1, 1, (7,))
SPACE = batch_space(spaces.Dict({"image": IMAGE, "pose": POSE, "pair": spaces.Tuple((IMAGE, POSE))}), 5)
BYTES = 5 * 3 * 101 * 103


def test_large_arrays_have_places_that_do_not_overlap() -> None:
    layout = ObsLayout(SPACE, draws=True)
    memory = np.zeros(layout.size, np.uint8)
    arrays = layout.arrays(memory)
    assert list(arrays) == [("image",), ("pair", 0)]
    for number, array in enumerate(arrays.values(), 1):
        assert array.shape == (5, 3, 101, 103) and (array.ctypes.data - memory.ctypes.data) % 64 == 0
        array[...] = number
    assert [(memory == number).sum() for number in (1, 2)] == [BYTES, BYTES]


def test_there_is_room_for_the_observations_of_a_step_that_ends_all_episodes() -> None:
    assert ObsLayout(SPACE, draws=True).shared_bytes >= 4 * BYTES + CHUNK_BYTES


def test_small_observations_need_no_memory() -> None:
    assert (
        ObsLayout(batch_space(POSE, 5), draws=True).shared_bytes
        == ObsLayout(batch_space(POSE, 5), draws=True).size
        == 0
    )


def test_an_observation_that_is_one_array_has_a_place() -> None:
    assert list(ObsLayout(batch_space(IMAGE, 2), draws=True).arrays(np.zeros(1 << 17, np.uint8))) == [()]


def test_an_environment_that_does_not_draw_has_all_the_memory_for_copies() -> None:
    layout = ObsLayout(SPACE, draws=False)
    assert layout.size == 0 and not layout.arrays(np.zeros(0, np.uint8)) and layout.shared_bytes >= 4 * BYTES
