from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dexgrasp_envs.errors import (
    ActionError,
    ClosedError,
    ConfigError,
    HandshakeError,
    ProtocolError,
    RemoteError,
    ResetNeeded,
    ServerBusy,
    ServerLost,
    StateError,
)
from dexgrasp_envs.remote.client import RemoteVectorEnv
from tests.remote.conftest import Connect, Serve
from tests.remote.envs import StatefulEnv, cartpole, image_env
from tests.vector_envs import assert_same_infos, same

MODES = pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.name)


def assert_same_run(local: SyncVectorEnv, remote: RemoteVectorEnv, steps: int) -> None:
    """Both give the same bits from a seeded reset on."""
    ours, theirs = remote.reset(seed=3), local.reset(seed=3)
    assert same(ours[0], theirs[0])
    assert_same_infos(ours[1], theirs[1])
    ended = 0
    local.action_space.seed(0)
    for _ in range(steps):
        actions = local.action_space.sample()
        ours, theirs = remote.step(actions), local.step(actions)
        assert same(ours[:4], theirs[:4])
        assert_same_infos(ours[4], theirs[4])
        done = theirs[2] | theirs[3]
        ended += int(done.sum())
        if local.autoreset_mode is AutoresetMode.DISABLED and done.any():
            both = [env.reset(options={"reset_mask": done.copy()}) for env in (remote, local)]
            assert same(both[0][0], both[1][0])
            assert_same_infos(both[0][1], both[1][1])
    assert ended > 2


@MODES
def test_one_server_gives_the_bits_of_a_local_environment(serve: Serve, connect: Connect, mode: AutoresetMode) -> None:
    assert_same_run(cartpole(3, mode), connect(serve(cartpole(3, mode))), 60)


@MODES
def test_two_servers_are_one_of_double_size(serve: Serve, connect: Connect, mode: AutoresetMode) -> None:
    remote = connect(serve(cartpole(1, mode)), serve(cartpole(3, mode)))
    assert_same_run(cartpole(4, mode), remote, 60)


@MODES
def test_images_in_chunks_and_infos_of_all_kinds_are_the_same(
    serve: Serve, connect: Connect, mode: AutoresetMode
) -> None:
    remote = connect(serve(image_env(2, mode)), serve(image_env(1, mode)), shared_memory=False)
    assert_same_run(image_env(3, mode), remote, 12)


def test_final_rows_are_final_obs_and_final_info(serve: Serve, connect: Connect) -> None:
    remote = connect(serve(image_env(2)), serve(image_env(2)))
    remote.reset(seed=0)
    remote.action_space.seed(0)
    for _ in range(20):
        *_, infos = remote.step(remote.action_space.sample())
        rows = remote.final_rows
        assert rows is not None
        assert rows.index.tolist() == np.flatnonzero(infos.get("_final_obs", np.zeros(4))).tolist()
        for k, row in enumerate(rows.index):
            assert same({name: values[k] for name, values in rows.obs.items()}, infos["final_obs"][row])
            assert rows.info["sum"][k] == infos["final_info"]["sum"][row]
        if len(rows.index) > 1:
            return
    raise AssertionError("no two rows ever ended together")


def test_spaces_and_metadata_are_the_servers(serve: Serve, connect: Connect) -> None:
    local, remote = image_env(3), connect(serve(image_env(2)), serve(image_env(1)))
    assert remote.num_envs == 3
    for name in ("single_observation_space", "observation_space", "single_action_space", "action_space", "metadata"):
        assert getattr(remote, name) == getattr(local, name)
    assert remote.render_mode is None


def test_each_step_gives_fresh_arrays(serve: Serve, connect: Connect) -> None:
    remote = connect(serve(image_env(2)))
    first, _ = remote.reset(seed=0)
    copy = first["image"].copy()
    second = remote.step(remote.action_space.sample())[0]
    assert not np.shares_memory(first["image"], second["image"])
    np.testing.assert_array_equal(first["image"], copy)
    assert second["image"].flags.writeable


def test_options_are_split_by_rows(serve: Serve, connect: Connect) -> None:
    remote = connect(serve(image_env(1)), serve(image_env(1)))
    _, infos = remote.reset(seed=0, options={"start": [1.0, 2.0]})
    assert infos["sum"].tolist() == [1.0, 2.0]


def test_a_server_without_rows_to_reset_keeps_its_observation(serve: Serve, connect: Connect) -> None:
    env = StatefulEnv(2)
    remote = connect(serve(cartpole(2)), serve(env))
    before, _ = remote.reset(seed=0)
    after, infos = remote.reset(seed=9, options={"reset_mask": np.array([True, True, False, False])})
    np.testing.assert_array_equal(after[2:], before[2:])
    assert (after[:2] != before[:2]).any(1).all()
    assert infos == {}


def test_states_are_joined_and_split(serve: Serve, connect: Connect) -> None:
    remote = connect(serve(StatefulEnv(1)), serve(StatefulEnv(2)))
    remote.reset(seed=0)
    state = remote.get_state()
    assert state["pole"].shape == (3, 4)
    first = remote.step(np.array([0, 1, 0]))
    remote.set_state(state)
    assert same(remote.step(np.array([0, 1, 0]))[:4], first[:4])


@pytest.mark.parametrize("state", [None, {"pole": np.zeros((2, 4))}, {"pole": np.full((3, 4), np.nan)}])
def test_a_state_that_does_not_fit_is_refused(serve: Serve, connect: Connect, state: object) -> None:
    remote = connect(serve(StatefulEnv(1)), serve(StatefulEnv(2)))
    remote.reset(seed=0)
    with pytest.raises(StateError):
        remote.set_state(state)
    remote.step(np.zeros(3, int))


def test_after_a_new_state_a_partial_reset_needs_rows_of_every_server(serve: Serve, connect: Connect) -> None:
    remote = connect(serve(StatefulEnv(1)), serve(StatefulEnv(1)))
    remote.reset(seed=0)
    remote.set_state(remote.get_state())
    with pytest.raises(ResetNeeded, match="after set_state"):
        remote.reset(options={"reset_mask": np.array([True, False])})


def test_images_for_people_come_from_all_servers(serve: Serve, connect: Connect) -> None:
    class Painted(StatefulEnv):
        render_mode = "rgb_array"

        def render(self) -> tuple:
            return tuple(np.full((2, 3, 3), i, np.uint8) for i in range(self.num_envs))

    def painted(count: int) -> Painted:
        env = Painted(count)
        env.render_mode = "rgb_array"
        return env

    remote = connect(serve(painted(1)), serve(painted(2)))
    images = remote.render()
    assert images is not None and [int(image.max()) for image in images] == [0, 0, 1]


def test_without_a_render_mode_there_are_no_images(serve: Serve, connect: Connect) -> None:
    class Blind(StatefulEnv):
        def render(self) -> None:
            return None

    assert connect(serve(Blind(2))).render() is None


def test_stepping_before_a_reset_is_refused(serve: Serve, connect: Connect) -> None:
    with pytest.raises(ResetNeeded, match="nothing was stepped"):
        connect(serve(cartpole())).step(np.zeros(2, int))


def test_the_first_reset_must_be_whole(serve: Serve, connect: Connect) -> None:
    with pytest.raises(ResetNeeded, match="first reset"):
        connect(serve(cartpole())).reset(options={"reset_mask": np.array([True, False])})


@pytest.mark.parametrize("mask", [np.zeros(2, bool), np.ones(3, bool), np.ones(2), "all"])
def test_an_impossible_reset_mask_is_refused(serve: Serve, connect: Connect, mask: object) -> None:
    remote = connect(serve(cartpole()))
    remote.reset(seed=0)
    with pytest.raises(ConfigError, match="reset_mask"):
        remote.reset(options={"reset_mask": mask})


def test_finished_rows_must_be_reset_where_autoreset_is_disabled(serve: Serve, connect: Connect) -> None:
    first, second = (cartpole(1, AutoresetMode.DISABLED) for _ in range(2))
    remote = connect(serve(first), serve(second))
    remote.reset(seed=0)
    while True:
        done = remote.step(np.array([0, 1]))[2]
        if done.any():
            break
    with pytest.raises(ResetNeeded, match=rf"environments \[{int(np.argmax(done))}"):
        remote.step(np.array([0, 1]))
    remote.reset(options={"reset_mask": done})
    remote.step(np.array([0, 1]))


def test_bad_actions_step_no_server(serve: Serve, connect: Connect) -> None:
    first, second = StatefulEnv(1), StatefulEnv(1)
    remote = connect(serve(first), serve(second))
    remote.reset(seed=0)
    with pytest.raises(ActionError):
        remote.step(np.array([0.0, np.nan]))
    assert first.steps == second.steps == 0
    remote.step(np.zeros(2, int))


def test_what_the_environment_raises_is_raised_here(serve: Serve, connect: Connect) -> None:
    env = StatefulEnv()
    remote = connect(serve(env))
    remote.reset(seed=0)
    env.failure = ActionError("not this one")
    with pytest.raises(ActionError, match="not this one") as raised:
        remote.step(np.zeros(2, int))
    assert "call 2" in raised.value.__notes__[0]
    env.failure = None
    remote.step(np.zeros(2, int))


def test_after_a_failure_in_the_midst_of_a_step_everything_must_be_reset(serve: Serve, connect: Connect) -> None:
    env = StatefulEnv()
    remote = connect(serve(env))
    remote.reset(seed=0)
    env.failure = ZeroDivisionError("oh")
    with pytest.raises(RemoteError, match="ZeroDivisionError: oh"):
        remote.step(np.zeros(2, int))
    env.failure = None
    with pytest.raises(ResetNeeded):
        remote.step(np.zeros(2, int))
    with pytest.raises(ResetNeeded):
        remote.reset(options={"reset_mask": np.array([True, False])})
    remote.reset()
    remote.step(np.zeros(2, int))


def test_a_reply_that_is_not_as_the_server_says_ends_the_step_of_all(serve: Serve, connect: Connect) -> None:
    class Odd(StatefulEnv):
        def step(self, actions: Any) -> Any:
            obs, rewards, *rest = super().step(actions)
            return obs, rewards[:1], *rest

    envs = connect(serve(StatefulEnv()), serve(Odd()))
    envs.reset(seed=0)
    with pytest.raises(ProtocolError, match="rewards must be 2 numbers"):
        envs.step(np.zeros(4, int))
    with pytest.raises(ResetNeeded, match="different steps"):
        envs.step(np.zeros(4, int))


def test_servers_that_got_out_of_step_must_be_reset(serve: Serve, connect: Connect) -> None:
    first, second = StatefulEnv(1), StatefulEnv(1)
    remote = connect(serve(first), serve(second))
    remote.reset(seed=0)
    second.failure = ActionError("not this one")
    with pytest.raises(ActionError):
        remote.step(np.zeros(2, int))
    assert (first.steps, second.steps) == (1, 0)
    with pytest.raises(ResetNeeded, match="different steps"):
        remote.step(np.zeros(2, int))


def test_options_that_cannot_travel_are_refused_and_nothing_is_lost(serve: Serve, connect: Connect) -> None:
    remote = connect(serve(cartpole(1)), serve(cartpole(1)))
    with pytest.raises(RemoteError, match="object, which does not travel"):
        remote.reset(options={"x": object()})
    remote.reset(seed=0)


def test_a_server_with_a_client_is_busy(serve: Serve, connect: Connect) -> None:
    server = serve(cartpole())
    connect(server)
    with pytest.raises(ServerBusy, match="has a client"):
        connect(server)


def test_closing_frees_the_server(serve: Serve, connect: Connect) -> None:
    server = serve(cartpole())
    remote = connect(server)
    remote.close()
    with pytest.raises(ClosedError):
        remote.reset()
    connect(server).reset(seed=0)


def test_an_environment_that_is_forgotten_frees_the_server(serve: Serve, connect: Connect) -> None:
    server = serve(cartpole())
    RemoteVectorEnv([server.endpoint]).reset(seed=0)
    connect(server).reset(seed=0)


def test_a_server_that_is_not_as_expected_is_refused_and_freed(serve: Serve, connect: Connect) -> None:
    server = serve(cartpole(), {"env_id": "CartPole-v1", "config": {"a": {"b": 1}}})
    with pytest.raises(HandshakeError, match=r"config\.a\.b is 1, expected 2"):
        connect(server, expect={"env_id": "CartPole-v1", "config": {"a": {"b": 2}}})
    connect(server, expect={"env_id": "CartPole-v1", "config": {"a": {"b": 1}}})


@pytest.mark.parametrize("name", ["env_id", "config_hash", "version"])
def test_identities_are_pinned(serve: Serve, connect: Connect, name: str) -> None:
    server = serve(cartpole(), {"env_id": "one", "config_hash": "one"})
    with pytest.raises(HandshakeError, match=f"{name} is "):
        connect(server, expect={name: "another"})


def test_servers_that_differ_are_refused(serve: Serve, connect: Connect) -> None:
    first, second = serve(cartpole(1)), serve(cartpole(1, AutoresetMode.NEXT_STEP))
    with pytest.raises(HandshakeError, match="autoreset_mode is 'NextStep', expected 'SameStep'"):
        connect(first, second)


def test_servers_with_other_spaces_are_refused(serve: Serve, connect: Connect) -> None:
    with pytest.raises(HandshakeError, match="observation_space"):
        connect(serve(cartpole(1)), serve(image_env(1)))


@pytest.mark.parametrize("endpoints", [[], "tcp://127.0.0.1:5555"])
def test_endpoints_must_be_a_list(endpoints: object) -> None:
    with pytest.raises(ConfigError, match="list"):
        RemoteVectorEnv(endpoints)


def test_a_server_that_stops_is_lost_and_stays_lost(serve: Serve, connect: Connect) -> None:
    server = serve(cartpole())
    remote = connect(server)
    remote.reset(seed=0)
    server.stop()
    server.close()
    with pytest.raises(ServerLost, match=r"goodbye|silent"):
        remote.step(np.zeros(2, int))
    with pytest.raises(ClosedError, match="failed before"):
        remote.reset()
