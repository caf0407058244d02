from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from dexgrasp_envs.errors import ProtocolError
from dexgrasp_envs.remote.operations import Operations
from dexgrasp_envs.remote.replies import check_reply
from tests.remote.envs import cartpole, image_env, text_env

BOX = spaces.Box(-1, 1, (3,), np.float32)
OBS = np.zeros((2, 3), np.float32)
FLAGS = np.zeros(2, bool)
STEP = {"obs": OBS, "rewards": np.zeros(2), "terminated": FLAGS, "truncated": FLAGS, "infos": {}, "final_obs": None}


@pytest.mark.parametrize("make", [cartpole, image_env, text_env])
def test_what_operations_give_passes(make: Any) -> None:
    env = make(2)
    space = env.single_observation_space
    operations = Operations(env)
    check_reply("reset", operations.run("reset", {"seed": 0, "options": None}), space, 2)
    check_reply("observe", operations.run("observe", {}), space, 2)
    ended = 0
    while not ended:
        reply = operations.run("step", {"actions": env.action_space.sample()})
        check_reply("step", reply, space, 2)
        ended += reply["final_obs"] is not None


def test_a_plain_step_passes() -> None:
    check_reply("step", STEP, BOX, 2)
    check_reply("step", {**STEP, "final_obs": {"index": np.array([1]), "obs": OBS[:1]}}, BOX, 2)
    check_reply("step", {**STEP, "final_obs": {"index": np.zeros(0, int), "obs": None}}, BOX, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("obs", OBS.astype(np.float64)),
        ("obs", OBS[:1]),
        ("obs", OBS.tolist()),
        ("obs", {"obs": OBS}),
        ("rewards", 1.0),
        ("rewards", np.zeros(3)),
        ("rewards", np.array([None, None])),
        ("terminated", np.zeros(2)),
        ("truncated", np.zeros((2, 1), bool)),
        ("infos", None),
        ("final_obs", 5),
        ("final_obs", {"index": [0], "obs": OBS[:1]}),
        ("final_obs", {"index": np.array([2]), "obs": OBS[:1]}),
        ("final_obs", {"index": np.array([-1]), "obs": OBS[:1]}),
        ("final_obs", {"index": np.array([1, 0]), "obs": OBS}),
        ("final_obs", {"index": np.array([0]), "obs": OBS}),
    ],
)
def test_a_step_with_another_part_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ProtocolError, match=name):
        check_reply("step", {**STEP, name: value}, BOX, 2)


@pytest.mark.parametrize("name", STEP)
def test_a_step_without_a_part_is_refused(name: str) -> None:
    with pytest.raises(ProtocolError, match="must have"):
        check_reply("step", {key: value for key, value in STEP.items() if key != name}, BOX, 2)


@pytest.mark.parametrize(
    ("space", "obs"),
    [
        (spaces.Dict({"a": BOX}), {"b": OBS}),
        (spaces.Dict({"a": BOX}), OBS),
        (spaces.Tuple((BOX,)), (OBS, OBS)),
        (spaces.Tuple((BOX,)), OBS),
        (spaces.Text(3), ("a",)),
        (spaces.Text(3), ("a", 5)),
    ],
)
def test_observations_of_another_structure_are_refused(space: Any, obs: Any) -> None:
    with pytest.raises(ProtocolError, match="obs"):
        check_reply("observe", {"obs": obs}, space, 2)


@pytest.mark.parametrize("state", [None, [], {"a": 5}, {"a": np.zeros(3)}])
def test_a_state_without_rows_is_refused(state: Any) -> None:
    with pytest.raises(ProtocolError, match="state"):
        check_reply("get_state", state, BOX, 2)


@pytest.mark.parametrize("images", [5, [np.zeros((2, 2, 3))]])
def test_images_that_are_not_one_a_row_are_refused(images: Any) -> None:
    with pytest.raises(ProtocolError, match="images"):
        check_reply("render", images, BOX, 2)
