"""Groups of environments: the same bits as without, each steppable while another waits."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from dexgrasp_envs.errors import ClosedError, HandshakeError, OutOfTurn, ServerBusy
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.server import SimServer
from dexgrasp_envs.remote.wire import Header, Kind
from tests.remote.conftest import Connect, Raw, Serve
from tests.remote.envs import COUNTING, CountingEnv, StatefulEnv, cartpole, image_env
from tests.remote.test_client import assert_same_run
from tests.vector_envs import same

ServeGroups = Callable[..., SimServer]
SECONDS = 0.2


@pytest.fixture
def counting(serve: Serve) -> ServeGroups:
    """Serves counting environments: each argument is a group's (first index, number)."""

    def serve_groups(*groups: tuple[int, int], **options: float) -> SimServer:
        envs = [CountingEnv(number, first, **options) for first, number in groups]
        return serve(envs, [COUNTING] * len(envs))

    return serve_groups


def test_groups_together_are_one_environment(serve: Serve, connect: Connect) -> None:
    assert_same_run(cartpole(3), connect(serve([cartpole(1), cartpole(2)], [{}] * 2)), 60)


def test_images_of_two_groups_are_the_bits_of_one_environment(serve: Serve, connect: Connect) -> None:
    assert_same_run(image_env(3), connect(serve([image_env(2), image_env(1)], [{}] * 2)), 12)


def test_the_rows_of_a_group_are_contiguous_over_servers(counting: ServeGroups, connect: Connect) -> None:
    remote = connect(counting((0, 2), (3, 1)), counting((2, 1), (4, 2)))
    assert [group.rows for group in remote.groups] == [slice(0, 3), slice(3, 6)]
    assert remote.reset(seed=0)[0]["who"][:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert [group.reset(seed=0)[0]["who"][:, 0].tolist() for group in remote.groups] == [[0, 1, 2], [3, 4, 5]]


def test_a_group_steps_alone_and_gives_the_same_bits(serve: Serve, connect: Connect) -> None:
    remote, local = connect(serve([image_env(1), image_env(1)], [{}] * 2)), image_env(2)
    local.action_space.seed(0)
    first = [group.reset(seed=5)[0] for group in remote.groups]
    theirs, _ = local.reset(seed=5)
    for _ in range(3):
        assert all(same(obs["image"], theirs["image"][k : k + 1]) for k, obs in enumerate(first))
        actions = local.action_space.sample()
        theirs = local.step(actions)[0]
        for k, group in enumerate(remote.groups):
            group.send(tuple(part[k : k + 1] for part in actions))
        first = [group.recv()[0] for group in remote.groups]


def test_an_environment_without_groups_is_one(counting: ServeGroups, connect: Connect) -> None:
    (group,) = connect(counting((0, 2))).groups
    assert group.num_envs == 2 and group.rows == slice(0, 2)


def test_thinking_and_stepping_overlap(counting: ServeGroups, connect: Connect) -> None:
    def run(remote: RemoteVectorEnv, groups: list) -> float:
        """Steps of a policy that sleeps, with one step of each group under way while it does."""
        for group in groups:
            group.reset(seed=0)
            group.send(np.zeros((group.num_envs, 1)))
        before = time.monotonic()
        for _ in range(4):
            for group in groups:
                group.recv()
                time.sleep(SECONDS * group.num_envs / remote.num_envs)
                group.send(np.zeros((group.num_envs, 1)))
        seconds = time.monotonic() - before
        for group in groups:
            group.recv()
        return seconds

    whole, halves = counting((0, 4), seconds=SECONDS), counting((0, 2), (2, 2), seconds=SECONDS / 2)
    one, two = connect(whole), connect(halves)
    # More than once, since a busy machine oversleeps.
    assert any(run(one, [one]) / run(two, two.groups) > 1.5 for _ in range(3))


def test_a_group_under_way_must_be_received_first(counting: ServeGroups, connect: Connect) -> None:
    remote = connect(counting((0, 1), (1, 1)))
    remote.reset(seed=0)
    first, second = remote.groups
    first.send(np.zeros((1, 1)))
    for call in (lambda: first.send(np.zeros((1, 1))), first.reset, remote.get_state):
        with pytest.raises(OutOfTurn, match="under way"):
            call()
    second.step(np.zeros((1, 1)))
    first.recv()
    with pytest.raises(OutOfTurn, match="send"):
        first.recv()
    assert remote.step(np.zeros((2, 1)))[0]["who"][:, 3].tolist() == [2, 2]


def test_an_error_in_one_group_leaves_the_other(serve: Serve, connect: Connect) -> None:
    bad = StatefulEnv(1)
    first, second = connect(serve([bad, StatefulEnv(1)], [{}] * 2)).groups
    for group in (first, second):
        group.reset(seed=0)
    bad.failure = ZeroDivisionError("oh")
    with pytest.raises(Exception, match="oh"):
        first.step(np.zeros(1, int))
    second.step(np.zeros(1, int))


def test_groups_end_with_their_environment(counting: ServeGroups, connect: Connect) -> None:
    remote = connect(counting((0, 1), (1, 1)))
    remote.close()
    with pytest.raises(ClosedError):
        remote.groups[1].reset(seed=0)


def test_all_groups_have_a_client_of_their_own(counting: ServeGroups, connect: Connect, raw: Raw) -> None:
    server = counting((0, 1), (1, 1))
    client = raw(server)
    client.hello()
    with pytest.raises(ServerBusy):
        connect(server)
    client.close()


def test_a_number_of_groups_can_be_insisted_on(counting: ServeGroups, connect: Connect) -> None:
    with pytest.raises(HandshakeError, match="groups is 1, expected 2"):
        connect(counting((0, 2)), expect={"groups": 2})


def test_a_group_that_is_not_there_is_refused(counting: ServeGroups, raw: Raw) -> None:
    client = raw(counting((0, 2)))
    client.send(Header(Kind.HELLO, call=7), {"host": None, "group": 1})
    _, error = client.receive()
    assert error["type"] == "HandshakeError" and "1 group" in error["message"]
