"""Observations that an environment draws into the memory that its client reads."""

import threading
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.counters import Counters
from dexgrasp_envs.remote.limits import Deadlines
from dexgrasp_envs.remote.obs_layout import ObsLayout
from dexgrasp_envs.remote.segment import host
from dexgrasp_envs.remote.server import SimServer
from dexgrasp_envs.remote.shared_plane import SharedPlane, SharingPlane
from tests.remote.conftest import Connect, Serve, eventually
from tests.remote.envs import WritingEnv
from tests.remote.test_client import assert_same_run
from tests.remote.test_shared_plane import CHUNKED, HEADER, frames, mapped
from tests.vector_envs import same

pytestmark = pytest.mark.skipif(host() is None, reason="this system has no memfd")
LAYOUT = ObsLayout(WritingEnv(2).observation_space, draws=True)


def planes(halves: int = 1) -> tuple[SharingPlane, SharedPlane, np.ndarray]:
    """Both ends, and the memory between them."""
    segment = np.zeros(halves * LAYOUT.shared_bytes, np.uint8)
    return SharingPlane(CHUNKED, segment, Counters(), LAYOUT, halves), SharedPlane(CHUNKED, segment), segment


def travel(here: SharingPlane, there: SharedPlane, call: int, data: Any) -> Any:
    """What arrives of the data of a reply."""
    (message,) = here.outgoing(HEADER._replace(call=call), data)
    return there.incoming(*frames(message)).data()


@pytest.mark.parametrize("halves", [1, 2])
@pytest.mark.parametrize("call", [6, 7])
def test_what_was_written_where_it_lies_is_not_copied(halves: int, call: int) -> None:
    here, there, segment = planes(halves)
    places = here.places(call)
    assert list(places) == [("first",), ("second",)]
    for number, array in enumerate(places.values(), 1):
        array[...] = number
    obs = {path[0]: array for path, array in places.items()}
    # Whoever writes now raises.
    segment.flags.writeable = False
    back = travel(here, there, call, {"obs": obs})
    assert same(back, {"obs": obs})


def changed(first: np.ndarray, second: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Observations that are not what was drawn, where it was drawn, in order."""
    return {
        "in another order": {"second": second, "first": first},
        "exchanged": {"first": second, "second": first},
        "upside down": {"first": first[:, :, ::-1], "second": second},
        "one twice": {"first": first, "second": first},
        "beside others": {"before": np.full((2, 1 << 16), 3, np.uint8), "first": first, "second": second},
        "of another type": {"first": first.astype(np.int16), "second": second},
    }


@pytest.mark.parametrize("halves", [1, 2])
@pytest.mark.parametrize("how", changed(*np.zeros((2, 1, 1, 1, 1))))
def test_whatever_is_given_back_arrives_also_again_and_leaves_what_was_drawn(halves: int, how: str) -> None:
    here, there, _ = planes(halves)
    first, second = here.places(6).values()
    first[...], second[...] = np.random.default_rng(0).integers(0, 256, (2, *first.shape), np.uint8)
    obs = changed(first, second)[how]
    expected = deepcopy(obs)
    for call in (6, 6, 7, 7):
        assert same(travel(here, there, call, {"obs": obs})["obs"], expected)
        assert same(obs, expected)


def test_of_what_was_drawn_nothing_is_overwritten_by_another_reply() -> None:
    here, there, segment = planes()
    first, second = here.places(6).values()
    first[...], second[...] = 1, 2
    obs = {"first": first, "second": second}
    travel(here, there, 6, {"obs": obs})
    state = {"large": np.full((2, 1 << 16), 7, np.uint8)}
    assert same(travel(here, there, 7, state), state)
    segment.flags.writeable = False
    assert same(travel(here, there, 8, {"obs": obs})["obs"], obs) and (first == 1).all()


@pytest.mark.parametrize("copy", [True, False], ids=["copied", "seen"])
def test_an_environment_that_writes_there_gives_the_bits_of_a_local_one(
    serve: Serve, connect: Connect, copy: bool
) -> None:
    env = WritingEnv(3)
    server = serve(env)
    remote = connect(server, copy=copy)
    assert_same_run(WritingEnv(3), remote, 12)
    lease = server._io.sessions[0].lease
    assert lease is not None and lease.segment is not None
    assert all(np.shares_memory(array, lease.segment.bytes) for array in env.into.values()) and len(env.into) == 2


@pytest.mark.parametrize("copy", [True, False], ids=["copied", "seen"])
def test_the_last_observation_is_there_after_other_calls(serve: Serve, connect: Connect, copy: bool) -> None:
    remote = connect(serve(WritingEnv(2)), serve(WritingEnv(2)), copy=copy)
    before = {name: values.copy() for name, values in remote.reset(seed=0)[0].items()}
    remote.get_state()
    for others in range(3):
        mask = np.array([False, False, True, True])
        obs, _ = remote.reset(seed=others, options={"reset_mask": mask})
        assert same({name: values[:2] for name, values in obs.items()}, {n: v[:2] for n, v in before.items()})


def test_memory_that_an_environment_writes_to_goes_with_the_client(serve: Serve) -> None:
    before = mapped()
    server = serve(WritingEnv(2))
    remote = RemoteVectorEnv([server.endpoint])
    remote.reset(seed=0)
    assert mapped() == before + 2
    remote.close()
    assert eventually(lambda: mapped() == before)


def test_an_environment_can_be_used_on_when_it_is_served_no_more(connect: Connect) -> None:
    before = mapped()
    env = WritingEnv(2)
    with SimServer(env, {}, "tcp://127.0.0.1:*") as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        remote = connect(server)
        remote.reset(seed=0)
        server.stop()
        thread.join(10)
    assert not thread.is_alive() and env.into == {}
    one, other = (env.step(np.zeros(2))[0]["first"] for _ in range(2))
    assert not np.shares_memory(one, other)
    remote.close()
    del server, thread
    assert eventually(lambda: mapped() == before)


def test_an_environment_that_cannot_do_without_memory_does_not_end_its_server(serve: Serve) -> None:
    class Insisting(WritingEnv):
        def observe_into(self, arrays: dict[str, np.ndarray]) -> None:
            self.into = {name: arrays[name] for name in ("first", "second")}

    server = serve(Insisting(2))
    for _ in range(2):
        remote = RemoteVectorEnv([server.endpoint])
        remote.reset(seed=0)
        remote.close()


def test_the_last_observation_of_a_lost_server_is_whole_after_other_calls(serve: Serve, connect: Connect) -> None:
    env = WritingEnv(2)
    remote = connect(serve(env), copy=False, on_server_loss="mask", deadlines=Deadlines(call=0.7))
    before = deepcopy(remote.reset(seed=0)[0])
    remote.get_state()
    hanging = threading.Event()

    def hang_in_the_midst_of_drawing() -> Any:
        env.into["first"][...] = 0
        hanging.wait(10)
        return env.into

    env._observe = hang_in_the_midst_of_drawing  # type: ignore[method-assign]
    *_, truncated, infos = remote.step(np.zeros(2, int))
    hanging.set()
    assert truncated.all() and same(infos["final_obs"][1], {name: values[1] for name, values in before.items()})
