"""What the tests of the vector environment share."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dexgrasp_envs.config import LIGHTS, CameraConfig, EnvConfig, ObservationConfig, StereoConfig
from dexgrasp_envs.env import DexGraspEnv
from dexgrasp_envs.sensor_config import COLOURS, DEPTH_NOISES
from dexgrasp_envs.vector_env import DexGraspVectorEnv

Make = Callable[..., DexGraspVectorEnv]
LIMIT = EnvConfig().max_steps
ROWS = 3
OBJECT_POSE = slice(1 + 23, 1 + 23 + 7)
"""Its place in MuJoCo's state, position and quaternion: after the time and the joints."""
OBJECT_HEIGHT = OBJECT_POSE.start + 2
EYES = EnvConfig(
    observation=ObservationConfig(
        camera=CameraConfig(position_jitter=0.03, rotation_jitter=3.0),
        image_size=(24, 32),
        image_period=2,
        stereo=StereoConfig(light=LIGHTS["random"], colour=COLOURS["random"]),
        depth_noise=DEPTH_NOISES["paper"],
    )
)
"""Small noisy images by a camera that jitters, in random light and colours, at every other step: all that an image can
depend on."""


def actions(step: int, rows: int = ROWS) -> np.ndarray:
    """Random, but the same in each run."""
    return np.random.default_rng(step).uniform(-1, 1, (rows, 11)).astype(np.float32)


def set_steps(env: DexGraspVectorEnv | DexGraspEnv, steps: int | list[int]) -> None:
    """Pretend that the episodes have lasted for so many steps."""
    state = env.get_state()
    state["task.step"][...] = steps
    env.set_state(state)


def place(env: DexGraspVectorEnv | DexGraspEnv, row: int, height: float) -> None:
    """Put the object of a row at some height: -1 is below the table, where it is lost; at 1e11 the engine gives up."""
    state = env.get_state()
    state["sim.state"][row, OBJECT_HEIGHT] = height
    env.set_state(state)


def same(first: Any, second: Any) -> bool:
    """The same keys and bits, in all depths; dtypes may differ in width."""
    if isinstance(first, tuple):
        return all(same(*parts) for parts in zip(first, second, strict=True))
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    return np.array_equal(first, second)


def assert_same_infos(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """The same keys, masks, and values under the masks."""
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        if isinstance(values, dict):
            assert_same_infos(ours[name], values)
        elif name == "final_obs":
            assert ours[name].dtype == object
            for mine, other in zip(ours[name], values, strict=True):
                assert mine is other is None or same(mine, other)
        else:
            mask = theirs.get(f"_{name}", slice(None))
            np.testing.assert_array_equal(ours[name][mask], values[mask], err_msg=name)
