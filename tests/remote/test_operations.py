import gymnasium
import numpy as np
import pytest

from dexgrasp_envs.errors import ActionError, ProtocolError, RemoteError, ResetNeeded
from dexgrasp_envs.remote.operations import Operations
from tests.remote.envs import CountingEnv, StatefulEnv, WritingEnv, cartpole, image_env


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(ProtocolError, match="unknown operation 'close'; there are reset, step"):
        Operations(cartpole()).run("close", {})


def test_what_the_environment_lacks_is_named() -> None:
    with pytest.raises(RemoteError, match="has no get_state"):
        Operations(cartpole()).run("get_state", {})


def test_observing_repeats_the_last_observation() -> None:
    operations = Operations(cartpole())
    with pytest.raises(ResetNeeded):
        operations.run("observe", {})
    reset = operations.run("reset", {"seed": 1, "options": None})
    np.testing.assert_array_equal(operations.run("observe", {})["obs"], reset["obs"])


def test_a_new_state_was_not_observed() -> None:
    operations = Operations(StatefulEnv())
    operations.run("reset", {"seed": 1, "options": None})
    operations.run("set_state", {"state": operations.run("get_state", {})})
    with pytest.raises(ResetNeeded):
        operations.run("observe", {})


def test_last_observations_go_as_rows() -> None:
    env = image_env(3)
    operations = Operations(env)
    operations.run("reset", {"seed": 0, "options": None})
    for _ in range(20):
        reply = operations.run("step", {"actions": env.action_space.sample()})
        if reply["final_obs"] is not None:
            break
    index = reply["final_obs"]["index"]
    assert 0 < len(index) <= 3 and "final_obs" not in reply["infos"]
    np.testing.assert_array_equal(np.flatnonzero(reply["terminated"]), index)
    assert reply["final_obs"]["obs"]["image"].shape == (len(index), 1, 800, 700)


@pytest.mark.parametrize("actions", [np.zeros(1, int), np.zeros(3, int), np.zeros(2), ["left", "right"], None])
def test_actions_that_do_not_fit_step_nothing(actions: object) -> None:
    env = StatefulEnv()
    operations = Operations(env)
    operations.run("reset", {"seed": 0, "options": None})
    with pytest.raises(ActionError, match="must "):
        operations.run("step", {"actions": actions})
    assert env.steps == 0


def test_only_what_an_environment_names_can_be_called() -> None:
    env = CountingEnv(2)
    operations = Operations(env)
    operations.run("call", {"name": "set_level", "args": [[3, 4]]})
    assert env.level.tolist() == [3, 4]
    for name in ("close", "_begin", "set_levels", None):
        with pytest.raises(RemoteError, match=r"cannot be called from afar; of .* there are set_level"):
            operations.run("call", {"name": name, "args": []})
    with pytest.raises(RemoteError, match="there are none"):
        Operations(cartpole()).run("call", {"name": "close", "args": []})


def test_an_environment_is_told_where_to_write_before_each_reset_and_step() -> None:
    env = WritingEnv(2)
    operations = Operations(env)
    places = {("first",): np.zeros((2, 1, 200, 300), np.uint8), ("pair", 0): np.zeros(1)}
    reply = operations.run("reset", {"seed": 0, "options": None}, places)
    assert reply["obs"]["first"] is places["first",] and places["first",].any()
    assert operations.run("observe", {}, {})["obs"]["first"] is places["first",]
    reply = operations.run("step", {"actions": np.zeros(2, int)})
    assert not np.shares_memory(reply["obs"]["first"], places["first",])


def test_nothing_is_kept_of_what_a_client_saw_that_has_gone() -> None:
    env = WritingEnv(2)
    operations = Operations(env)
    operations.run("reset", {"seed": 0, "options": None}, {("first",): np.zeros((2, 1, 200, 300), np.uint8)})
    operations.forget()
    assert env.into == {}
    with pytest.raises(ResetNeeded):
        operations.run("observe", {})


def test_an_environment_in_a_wrapper_which_may_keep_observations_is_not_told_where_to_write() -> None:
    env = WritingEnv(2)
    operations = Operations(gymnasium.vector.VectorWrapper(env))
    operations.run("reset", {"seed": 0, "options": None}, {("first",): np.zeros((2, 1, 200, 300), np.uint8)})
    assert env.into == {}
