"""Grasping environments on simulators in other processes: the same bits as in this one."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from dexgrasp_envs.config import EnvConfig
from dexgrasp_envs.errors import ConfigError, DeadlineExceeded, HandshakeError, StateError
from dexgrasp_envs.registration import DEPTH_ID, STATE_ID, STEREO_ID
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.launcher import Children
from dexgrasp_envs.remote.limits import Deadlines
from dexgrasp_envs.remote_env import DexGraspRemoteVectorEnv, make_remote
from dexgrasp_envs.vector_env import DexGraspVectorEnv
from tests.remote.conftest import Serve, serve  # noqa: F401
from tests.vector_envs import LIMIT, Make, actions, assert_same_infos, same

N = 3


@pytest.fixture(scope="module")
def remote() -> Iterator[DexGraspRemoteVectorEnv]:
    """Two simulators, of 2 and 1 environments; reset it first."""
    envs = gymnasium.make_vec(STATE_ID, N, remote="spawn:2", threads=1, privileged=True).unwrapped
    assert isinstance(envs, DexGraspRemoteVectorEnv)
    yield envs
    envs.close()


@pytest.fixture
def local(make: Make) -> DexGraspVectorEnv:
    return make(num_envs=N, privileged=True)


def assert_same_step(remote: DexGraspRemoteVectorEnv, local: DexGraspVectorEnv, number: int) -> np.ndarray:
    """Step both, compare, and say which rows ended."""
    ours, theirs = remote.step(actions(number)), local.step(actions(number))
    assert same(ours[:4], theirs[:4])
    assert_same_infos(ours[4], theirs[4])
    for name in ("index", "obs", "info"):
        assert same(getattr(remote.final_rows, name), getattr(local.final_rows, name))
    return theirs[2] | theirs[3]


def test_two_simulators_give_the_bits_of_one_environment(
    remote: DexGraspRemoteVectorEnv, local: DexGraspVectorEnv
) -> None:
    assert same(remote.reset(seed=7), local.reset(seed=7))
    for number in range(8):
        assert_same_step(remote, local, number)
    mask = np.array([True, False, True])
    ours, theirs = (envs.reset(options={"reset_mask": mask, "object": [3, 4, 5]}) for envs in (remote, local))
    assert same(ours[0], theirs[0])
    assert_same_infos(ours[1], theirs[1])
    for number in range(8, 14):
        assert_same_step(remote, local, number)


def test_ended_rows_and_their_last_observations_are_the_same(
    remote: DexGraspRemoteVectorEnv, local: DexGraspVectorEnv
) -> None:
    for envs in (remote, local):
        envs.reset(seed=1)
        state = envs.get_state()
        state["task.step"][...] = [LIMIT - 1, LIMIT - 2, LIMIT - 2]
        envs.set_state(state)
    assert [assert_same_step(remote, local, number).tolist() for number in range(3)] == [
        [True, False, False],
        [False, True, True],
        [False, False, False],
    ]


def test_a_state_goes_from_one_to_the_other_and_back(remote: DexGraspRemoteVectorEnv, local: DexGraspVectorEnv) -> None:
    local.reset(seed=2)
    local.step(actions(0))
    remote.set_state(local.get_state())
    assert_same_step(remote, local, 1)
    assert same(remote.get_state(), local.get_state())


def test_a_state_of_other_environments_is_refused(remote: DexGraspRemoteVectorEnv) -> None:
    remote.reset(seed=0)
    state = remote.get_state()
    state["env.index"] = state["env.index"][::-1]
    with pytest.raises(StateError, match="other environment indices"):
        remote.set_state(state)


def test_a_reset_option_that_is_wrong_is_refused_as_it_is_locally(remote: DexGraspRemoteVectorEnv) -> None:
    with pytest.raises(ConfigError, match="unknown reset option 'objects'"):
        remote.reset(options={"objects": 1})


def test_what_the_environment_is_called_by_is_the_same(
    remote: DexGraspRemoteVectorEnv, local: DexGraspVectorEnv
) -> None:
    for name in ("config", "fingerprint", "task_fingerprint", "object_names", "metadata", "num_envs", "render_mode"):
        assert getattr(remote, name) == getattr(local, name)
    for name in ("single_observation_space", "observation_space", "single_action_space", "action_space"):
        assert getattr(remote, name) == getattr(local, name)
    assert remote.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


@pytest.mark.slow
@pytest.mark.parametrize("env_id", [DEPTH_ID, STEREO_ID])
def test_images_are_the_same(env_id: str) -> None:
    options = {"image_size": (24, 32), "groups": ("state",), "light": "random"}
    ours = gymnasium.make_vec(env_id, 2, remote="spawn:2", threads=1, **options)
    theirs = gymnasium.make_vec(env_id, 2, threads=1, **options)
    try:
        assert same(ours.reset(seed=0), theirs.reset(seed=0))
        for number in range(3):
            assert same(ours.step(actions(number, 2))[:4], theirs.step(actions(number, 2))[:4])
        assert ours.metadata == theirs.metadata
    finally:
        ours.close()
        theirs.close()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"remote": "spawn:0"}, "must be from 1 to num_envs=2"),
        ({"remote": "spawn:3"}, "must be from 1 to num_envs=2"),
        ({"remote": "spawn"}, "K from 1"),
        ({"remote": "spawn:1", "thread": 1}, "unknown option 'thread'"),
        ({"remote": "spawn:1", "objects": "cubes"}, "objects must be one of"),
        ({"remote": "spawn:1", "output": "torch"}, "output must be one of"),
        ({"remote": "spawn:1", "autoreset_mode": "never"}, "autoreset_mode must be one of"),
        ({"remote": "spawn:1", "render_mode": "human"}, "render_mode must be one of"),
        ({"remote": "tcp://127.0.0.1:9", "threads": 2}, "dexgrasp serve"),
        ({"remote": "spawn:1", "keys": "keys"}, "need none"),
        ({"remote": "spawn:1", "env_groups": 3}, "env_groups must be from 1 to num_envs=2"),
        ({"remote": "spawn:1", "on_server_loss": "ignore"}, "on_server_loss must be one of 'raise', 'wait', 'mask'"),
        ({"remote": "spawn:1", "loss_deadline": 0}, "loss_deadline must be above 0"),
        ({"remote": "tcp://127.0.0.1:9", "keys": "no folder"}, "dexgrasp keys"),
    ],
)
def test_impossible_options_are_refused_before_anything_starts(options: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError) as raised:
        gymnasium.make_vec(STATE_ID, 2, **options)
    assert word in str(raised.value)


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    """Addresses of two running simulators, of 1 and 2 environments."""
    common = [STATE_ID, "--threads", "1"]
    more = [*common, "--num-envs", "2", "--first-env-index", "1"]
    with Children([common, more]) as children:
        yield ",".join(children.endpoints)


def test_running_simulators_are_connected_to(servers: str, make: Make) -> None:
    envs = gymnasium.make_vec(STATE_ID, N, remote=servers)
    assert same(envs.reset(seed=4), make(num_envs=N).reset(seed=4))
    envs.close()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"num_envs": 4}, "num_envs=4, but the servers have 1 + 2"),
        ({"first_env_index": 3}, "server 0 starts at environment 0, expected 3"),
        ({"privileged": True}, "config.observation.groups is ['state'], expected ['state', 'privileged']"),
        ({"config": EnvConfig().replace(objects="primitives12"), "autoreset_mode": "Disabled"}, "autoreset_mode is"),
        ({"render_mode": "rgb_array"}, "render_mode is None"),
    ],
)
def test_simulators_with_other_options_are_refused(servers: str, options: dict[str, Any], word: str) -> None:
    with pytest.raises(HandshakeError) as raised:
        gymnasium.make_vec(STATE_ID, **{"num_envs": N, "remote": servers, **options})
    assert word in str(raised.value)


def test_another_environment_is_refused(servers: str) -> None:
    with pytest.raises(HandshakeError, match="env_id is 'DexGrasp/KukaAllegro-State-v0', expected"):
        gymnasium.make_vec(DEPTH_ID, N, remote=servers)


def test_simulators_in_another_order_are_refused(servers: str) -> None:
    with pytest.raises(HandshakeError, match="another order"):
        gymnasium.make_vec(STATE_ID, N, remote=",".join(servers.split(",")[::-1]))


def test_nobody_there_is_noticed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dexgrasp_envs.remote_env.Deadlines", lambda lost: Deadlines(connect=0.3))
    with pytest.raises(DeadlineExceeded, match="is it running"):
        make_remote(STATE_ID, 2, "tcp://127.0.0.1:9")


@pytest.mark.slow
def test_groups_of_two_simulators_give_the_bits_of_one_environment(make: Make) -> None:
    ours = gymnasium.make_vec(STATE_ID, 5, remote="spawn:2", threads=1, env_groups=2).unwrapped
    assert isinstance(ours, DexGraspRemoteVectorEnv)
    theirs = make(num_envs=5)
    try:
        assert [group.rows for group in ours.groups] == [slice(0, 3), slice(3, 5)]
        assert same(ours.reset(seed=3)[0], theirs.reset(seed=3)[0])
        for number in range(3):
            action = actions(number, 5)
            for group in ours.groups:
                group.send(action[group.rows])
            parts = [group.recv()[:4] for group in ours.groups]
            expected = theirs.step(action)
            for group, part in zip(ours.groups, parts, strict=True):
                assert same(part[0], {name: values[group.rows] for name, values in expected[0].items()})
                assert same(part[1:], tuple(values[group.rows] for values in expected[1:4]))
    finally:
        ours.close()


@pytest.mark.slow
def test_a_lost_simulator_goes_on_with_new_episodes_as_an_environment_would(make: Make) -> None:
    ours = gymnasium.make_vec(STATE_ID, 2, remote="spawn:2", threads=1, on_server_loss="wait").unwrapped
    assert isinstance(ours, DexGraspRemoteVectorEnv)
    theirs = make(num_envs=2)
    try:
        ours.reset(seed=3)
        theirs.reset(seed=3, options={"episode": [0, 2]})
        os.kill(ours._parts[1].address.child._process.pid, signal.SIGKILL)
        obs, _, _, truncated, infos = ours.step(actions(0, 2))
        assert truncated.tolist() == [False, True] and infos["episode_index"].tolist() == [0, 2]
        assert {"success", "lifted", "diverged", "episode_index", "server_lost"} <= ours.final_rows.info.keys()
        row = slice(1, 2)
        start = {name: values[row] for name, values in theirs.reset(seed=3, options={"episode": [0, 2]})[0].items()}
        assert same({name: values[row] for name, values in obs.items()}, start)
    finally:
        ours.close()


def test_images_are_drawn_into_memory_that_the_client_reads(serve: Serve) -> None:  # noqa: F811
    env: Any = gymnasium.make_vec(DEPTH_ID, 2, threads=1)
    server = serve(env)
    with closing(RemoteVectorEnv([server.endpoint])) as envs:
        images = envs.reset(seed=0)[0]["depth"]
        lease = server._io.sessions[0].lease
        assert lease is not None and lease.segment is not None
        assert np.shares_memory(env.unwrapped._into["depth"], lease.segment.bytes)
        np.testing.assert_array_equal(env.unwrapped._into["depth"], images)
