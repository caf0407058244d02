"""What becomes of rows whose server is lost: waited for, or masked until it is back."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import zmq
from gymnasium.vector import AutoresetMode

from dexgrasp_envs.errors import ClosedError, ConfigError, ServerLost
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.connection import Connection
from dexgrasp_envs.remote.launcher import Children
from dexgrasp_envs.remote.limits import Deadlines
from dexgrasp_envs.remote.server import SimServer
from tests.remote.conftest import Connect, eventually
from tests.remote.envs import COUNTING, CountingEnv, cartpole
from tests.remote.processes import children_of
from tests.remote.test_client import MODES

POLICIES = pytest.mark.parametrize("policy", ["wait", "mask"])
QUICK = Deadlines(connect=1.0, call=10.0, heartbeat=0.1, window=5.0, lost=20.0)


class Simulator:
    """A server that can be stopped, and started again at its address with its environment as new."""

    def __init__(self, make: Callable[[], Any], identity: dict[str, Any]):
        self.make, self._identity = make, identity
        self.endpoint = "tcp://127.0.0.1:*"
        self.start()

    def start(self) -> None:
        self.server = SimServer(self.make(), self._identity, self.endpoint)
        self.endpoint = self.server.endpoint
        self._thread = threading.Thread(target=self.server.serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.server.stop()
        self._thread.join(10)
        self.server.close()


@pytest.fixture
def simulate() -> Iterator[Callable[..., Simulator]]:
    made: list[Simulator] = []

    def simulate_one(make: Callable[[], Any], identity: dict[str, Any] = COUNTING) -> Simulator:
        made.append(Simulator(make, identity))
        return made[-1]

    yield simulate_one
    for simulator in made:
        simulator.stop()


@pytest.fixture
def pair(simulate: Callable[..., Simulator], connect: Connect) -> Callable[..., tuple[RemoteVectorEnv, Simulator]]:
    """An environment of two servers, with rows 0 and 1, 2; and the second server."""

    def make(policy: str, mode: AutoresetMode = AutoresetMode.SAME_STEP, **options: Any) -> Any:
        steady = simulate(lambda: CountingEnv(1, 0, mode, **options))
        shaky = simulate(lambda: CountingEnv(2, 1, mode, **options))
        envs = connect(steady, shaky, on_server_loss=policy, deadlines=QUICK)
        envs.reset(seed=3)
        return envs, shaky

    return make


def step(envs: RemoteVectorEnv) -> tuple:
    obs, rewards, terminated, truncated, infos = envs.step(np.zeros((envs.num_envs, 1), np.float32))
    assert not terminated.any()
    return obs["who"], rewards, truncated, infos


def test_by_default_a_loss_is_an_error(pair: Callable) -> None:
    envs, shaky = pair("raise")
    shaky.stop()
    with pytest.raises(ServerLost) as raised:
        step(envs)
    assert "on_server_loss" in raised.value.__notes__[0] and envs.server_losses == 1
    with pytest.raises(ClosedError):
        step(envs)
    shaky.start()


def test_another_policy_is_refused(connect: Connect) -> None:
    with pytest.raises(ConfigError, match="'raise', 'wait', 'mask', got 'hope'"):
        RemoteVectorEnv(["tcp://127.0.0.1:9"], on_server_loss="hope")


def test_who_waits_gets_new_episodes_in_the_same_step(pair: Callable) -> None:
    envs, shaky = pair("wait")
    for _ in range(3):
        last = step(envs)[0]
    shaky.stop()
    threading.Timer(0.5, shaky.start).start()
    obs, rewards, truncated, infos = step(envs)
    # Index, seed, episode and step: the lost step is not done again, episode 1 may have begun.
    assert obs.tolist() == [[0, 3, 0, 4], [1, 3, 2, 0], [2, 3, 2, 0]]
    assert rewards.tolist() == [1, 0, 0] and truncated.tolist() == [False, True, True]
    assert infos["server_lost"].tolist() == infos["_final_obs"].tolist() == [False, True, True]
    assert infos["episode_index"].tolist() == [0, 2, 2]
    assert envs.final_rows is not None and envs.final_rows.index.tolist() == [1, 2]
    np.testing.assert_array_equal(envs.final_rows.obs["who"], last[1:])
    np.testing.assert_array_equal(infos["final_obs"][2]["who"], last[2])
    assert envs.final_rows.info["episode_index"].tolist() == [0, 0]
    assert envs.server_losses == 1
    obs, rewards, truncated, infos = step(envs)
    assert obs[:, 3].tolist() == [5, 1, 1] and rewards.tolist() == [1, 1, 1] and not truncated.any()
    assert "server_lost" not in infos and "valid" not in infos


def test_with_next_step_autoreset_new_episodes_come_in_the_next_step(pair: Callable) -> None:
    envs, shaky = pair("wait", AutoresetMode.NEXT_STEP)
    last = step(envs)[0]
    shaky.stop()
    shaky.start()
    obs, _, truncated, infos = step(envs)
    np.testing.assert_array_equal(obs[1:], last[1:])
    assert truncated.tolist() == [False, True, True] and "final_obs" not in infos
    obs, rewards, truncated, _ = step(envs)
    assert obs[:, 2:].tolist() == [[0, 3], [2, 0], [2, 0]]
    assert rewards.tolist() == [1, 0, 0] and not truncated.any()


def test_without_autoreset_the_lost_rows_are_to_be_reset(pair: Callable) -> None:
    envs, shaky = pair("wait", AutoresetMode.DISABLED)
    step(envs)
    shaky.stop()
    shaky.start()
    _, _, truncated, _ = step(envs)
    assert truncated.tolist() == [False, True, True]
    obs, _ = envs.reset(options={"reset_mask": truncated})
    assert obs["who"][:, 2:].tolist() == [[0, 2], [3, 0], [3, 0]]
    assert step(envs)[0][:, 3].tolist() == [3, 1, 1]


@MODES
def test_masked_rows_stand_still_until_a_server_has_them(pair: Callable, mode: AutoresetMode) -> None:
    envs, shaky = pair("mask", mode)
    last, _, _, infos = step(envs)
    assert infos["valid"].tolist() == [True] * 3
    shaky.stop()
    obs, rewards, truncated, infos = step(envs)
    assert truncated.tolist() == [False, True, True] and rewards.tolist() == [1, 0, 0]
    assert infos["valid"].tolist() == [True, False, False]
    if mode is AutoresetMode.DISABLED:
        envs.reset(options={"reset_mask": truncated})
    for count in range(3, 6):
        obs, rewards, truncated, infos = step(envs)
        np.testing.assert_array_equal(obs[1:], last[1:])
        assert obs[0, 3] == count and rewards.tolist() == [1, 0, 0] and not truncated.any()
        assert infos["valid"].tolist() == [True, False, False]
        assert infos["_episode_index"].tolist() == [True, False, False]
    shaky.start()
    assert eventually(lambda: bool(step(envs)[3]["valid"].all()), 10)
    obs, rewards, truncated, infos = step(envs)
    assert obs[1:, 2:].tolist() == [[2, 1], [2, 1]] and rewards.tolist() == [1, 1, 1] and not truncated.any()


def test_the_first_valid_observation_is_that_of_the_new_episode(pair: Callable) -> None:
    envs, shaky = pair("mask")
    shaky.stop()
    step(envs)
    shaky.start()
    for _ in range(1000):
        obs, rewards, _, infos = step(envs)
        if infos["valid"].all():
            break
        time.sleep(0.01)
    assert obs[1:].tolist() == [[1, 3, 2, 0], [2, 3, 2, 0]] and rewards.tolist() == [1, 0, 0]


def test_with_all_rows_lost_a_step_waits(simulate: Callable[..., Simulator], connect: Connect) -> None:
    only = simulate(lambda: CountingEnv(2))
    envs = connect(only, on_server_loss="mask", deadlines=QUICK)
    envs.reset(seed=0)
    only.stop()
    assert step(envs)[2].all()
    threading.Timer(0.5, only.start).start()
    obs, _, truncated, infos = step(envs)
    assert obs[:, 2:].tolist() == [[2, 0], [2, 0]] and infos["valid"].all() and not truncated.any()


@POLICIES
def test_each_loss_is_counted_and_no_episode_comes_twice(pair: Callable, policy: str) -> None:
    envs, shaky = pair(policy, length=4)
    seen: list[tuple[int, int]] = []
    for _ in range(3):
        for _ in range(6):
            seen += [(int(who[0]), int(who[2])) for who in step(envs)[0] if who[3] == 0]
        shaky.stop()
        shaky.start()
        assert eventually(lambda: bool(step(envs)[3].get("valid", np.array(True)).all()), 10)
    assert envs.server_losses == 3
    assert len(seen) == len(set(seen))


def test_a_server_that_does_not_come_back_is_an_error_in_the_end(
    simulate: Callable[..., Simulator], connect: Connect
) -> None:
    only = simulate(lambda: CountingEnv(1))
    envs = connect(only, on_server_loss="wait", deadlines=Deadlines(connect=0.2, lost=0.5))
    envs.reset(seed=0)
    only.stop()
    with pytest.raises(ServerLost, match=r"did not come back within 0\.5 s"):
        step(envs)
    with pytest.raises(ClosedError):
        step(envs)
    only.start()


def test_another_server_at_the_address_is_not_taken(simulate: Callable[..., Simulator], connect: Connect) -> None:
    only = simulate(lambda: CountingEnv(1))
    envs = connect(only, on_server_loss="wait", deadlines=Deadlines(connect=1.0, lost=2.0))
    envs.reset(seed=0)
    only.stop()
    only.make = lambda: CountingEnv(2)
    only.start()
    with pytest.raises(ServerLost, match="num_envs is 2, expected 1"):
        step(envs)


def test_a_server_that_does_not_observe_as_it_says_is_not_taken(
    simulate: Callable[..., Simulator], connect: Connect
) -> None:
    class Odd(CountingEnv):
        def _observe(self) -> dict[str, np.ndarray]:
            return {"who": self.who.astype(np.float64)}

    only = simulate(lambda: CountingEnv(1))
    envs = connect(only, on_server_loss="wait", deadlines=Deadlines(connect=1.0, lost=2.0))
    envs.reset(seed=0)
    only.stop()
    only.make = lambda: Odd(1)
    only.start()
    with pytest.raises(ServerLost, match=r"obs\['who'\] must be an array of int64"):
        step(envs)


@POLICIES
def test_a_reset_of_all_rows_waits(pair: Callable, policy: str) -> None:
    envs, shaky = pair(policy)
    shaky.stop()
    threading.Timer(0.5, shaky.start).start()
    obs, infos = envs.reset(seed=8)
    assert obs["who"].tolist() == [[0, 8, 0, 0], [1, 8, 0, 0], [2, 8, 0, 0]]
    assert "server_lost" not in infos
    _, _, truncated, infos = step(envs)
    assert not truncated.any() and "server_lost" not in infos


def test_a_loss_in_a_reset_of_some_rows_is_told_in_the_next_step(pair: Callable) -> None:
    envs, shaky = pair("mask")
    last = step(envs)[0]
    shaky.stop()
    obs, infos = envs.reset(options={"reset_mask": np.array([True, True, False])})
    assert obs["who"][0, 2:].tolist() == [1, 0]
    np.testing.assert_array_equal(obs["who"][1:], last[1:])
    assert infos["valid"].all()
    _, _, truncated, infos = step(envs)
    assert truncated.tolist() == [False, True, True] and infos["server_lost"].tolist() == [False, True, True]
    shaky.start()


def test_environments_that_count_no_episodes_get_other_seeds(
    simulate: Callable[..., Simulator], connect: Connect
) -> None:
    only = simulate(lambda: cartpole(2), {"env_id": "CartPole-v1"})
    envs = connect(only, on_server_loss="wait", deadlines=QUICK)
    first, _ = envs.reset(seed=0)
    only.stop()
    only.start()
    second, _, _, truncated, _ = envs.step(np.zeros(2, int))
    assert truncated.all() and not np.isin(second, first).any()


def test_one_group_waits_while_the_other_goes_on(simulate: Callable[..., Simulator], connect: Connect) -> None:
    halves = [simulate(lambda: [CountingEnv(1, 0), CountingEnv(1, 2)], [COUNTING] * 2)]
    halves.append(simulate(lambda: [CountingEnv(1, 1), CountingEnv(1, 3)], [COUNTING] * 2))
    envs = connect(*halves, on_server_loss="mask", deadlines=QUICK)
    envs.reset(seed=0)
    halves[1].stop()
    for group in envs.groups:
        _, _, truncated, infos = step(group)
        assert truncated.tolist() == [False, True] and infos["valid"].tolist() == [True, False]
    assert envs.server_losses == 2
    halves[1].start()
    for group in envs.groups:
        assert eventually(lambda group=group: bool(step(group)[3]["valid"].all()), 10)


def test_a_child_that_is_killed_is_started_again() -> None:
    with Children([["CartPole-v1", "--num-envs", "1"]] * 2) as children:
        envs = RemoteVectorEnv(children.endpoints, children=children.servers, on_server_loss="wait")
        envs.reset(seed=0)
        before = children_of(os.getpid())
        victim = children.servers[0]._process.pid
        os.kill(victim, signal.SIGKILL)
        assert envs.step(np.zeros(2, int))[3].tolist() == [True, False]
        envs.step(np.zeros(2, int))
        after = children_of(os.getpid())
        assert victim not in after and len(after) == 2 and len(after & before) == 1
        envs.close()
    assert not children_of(os.getpid())


def test_a_child_that_stands_still_is_replaced() -> None:
    with Children([["CartPole-v1", "--groups", "2", "--num-envs", "2"]]) as children:
        deadlines = Deadlines(heartbeat=0.2, window=1.5)
        envs = RemoteVectorEnv(
            children.endpoints, children=children.servers, on_server_loss="wait", deadlines=deadlines
        )
        envs.reset(seed=0)
        os.kill(children.servers[0]._process.pid, signal.SIGSTOP)
        assert envs.step(np.zeros(2, int))[3].tolist() == [True, True]
        assert children.servers[0].generation == 1
        envs.step(np.zeros(2, int))
        envs.close()


def test_closing_does_not_wait_for_a_lost_server(simulate: Callable[..., Simulator], connect: Connect) -> None:
    only = simulate(lambda: CountingEnv(1))
    envs = connect(only, on_server_loss="mask", deadlines=QUICK)
    envs.reset(seed=0)
    only.stop()
    step(envs)
    before = time.monotonic()
    envs.close()
    assert time.monotonic() - before < 2.0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dexgrasp-reconnect")]
    only.start()


def test_a_call_that_is_not_answered_in_time_is_a_loss(simulate: Callable[..., Simulator], connect: Connect) -> None:
    go_on = threading.Event()

    class Stuck(CountingEnv):
        def step(self, actions: Any) -> Any:
            assert go_on.wait(20)
            return super().step(actions)

    only = simulate(lambda: Stuck(1))
    deadlines = Deadlines(connect=5.0, call=1.0, heartbeat=0.1, lost=20.0)
    envs = connect(only, on_server_loss="wait", deadlines=deadlines)
    envs.reset(seed=0)
    threading.Timer(1.3, go_on.set).start()
    obs, _, truncated, _ = step(envs)
    assert truncated.all() and obs[0].tolist() == [0, 0, 2, 0]
    assert step(envs)[0][0].tolist() == [0, 0, 2, 1]


def test_the_policy_is_in_the_metadata(simulate: Callable[..., Simulator], connect: Connect) -> None:
    envs = connect(simulate(lambda: CountingEnv(1)), on_server_loss="mask")
    assert envs.metadata["on_server_loss"] == "mask"


def test_a_hello_that_was_heard_too_late_keeps_nobody_out(simulate: Callable[..., Simulator]) -> None:
    only = simulate(lambda: CountingEnv(1))
    context: zmq.Context = zmq.Context()
    first, second = (Connection(context, only.endpoint, QUICK) for _ in range(2))
    first.hello(7)
    assert second.hello(7)["env_id"] == "Counting" and second.lease == first.lease
    context.destroy(linger=0)


@pytest.mark.parametrize("policy", ["wait", "mask"])
def test_a_call_is_repeated_to_a_server_that_comes_back(pair: Callable, policy: str) -> None:
    envs, shaky = pair(policy)
    envs.call("set_level", np.array([1, 2, 3]))
    shaky.stop()
    shaky.start()
    assert eventually(lambda: step(envs)[3]["level"].tolist() == [1, 2, 3])
    assert envs.server_losses == 1


def test_a_call_while_a_server_is_away_reaches_it_when_it_is_back(pair: Callable) -> None:
    envs, shaky = pair("mask")
    shaky.stop()
    step(envs)
    envs.call("set_level", 7)
    assert step(envs)[3]["level"].tolist() == [7, 0, 0]
    shaky.start()
    assert eventually(lambda: step(envs)[3]["level"].tolist() == [7, 7, 7])


def test_a_call_that_is_refused_is_not_repeated(pair: Callable) -> None:
    envs, shaky = pair("wait")
    envs.call("set_level", 4)
    with pytest.raises(ConfigError, match="above 9"):
        envs.call("set_level", 10)
    shaky.stop()
    shaky.start()
    envs.reset(seed=3)
    assert envs.reset(seed=3)[1]["level"].tolist() == [4, 4, 4]
