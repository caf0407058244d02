"""Servers that Ray places; what needs no cluster is tested with a stand-in that does what Ray is asked at once."""

import os
import stat
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexgrasp_envs.errors import ConfigError, DeadlineExceeded, RemoteError, ServerLost
from dexgrasp_envs.remote import ray_servers
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.keys import ClientKeys
from dexgrasp_envs.remote.ray_servers import RayServers, connect, cpus_each
from tests.remote.conftest import eventually

CARTPOLE = ["CartPole-v1", "--num-envs", "2"]


def nodes(*cpus: int) -> Any:
    """A cluster of machines, one of which has left."""
    machines = [{"Alive": True, "Resources": {"CPU": float(count)}} for count in cpus]
    gone = {"Alive": False, "Resources": {"CPU": 1000.0}}
    return types.SimpleNamespace(nodes=lambda: [*machines, gone])


@pytest.mark.parametrize(
    ("machines", "count", "cpus"), [((16,), 1, 16), ((16, 16), 3, 8), ((16, 4), 2, 8), ((2,), 4, 1), ((0, 8), 2, 4)]
)
def test_cpus_are_shared_out_so_that_all_bundles_fit_on_machines(machines, count, cpus) -> None:
    assert cpus_each(nodes(*machines), count) == cpus


def test_without_ray_it_is_said_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"dexgrasp_envs\[cluster\]"):
        connect(None)


class Promise:
    def __init__(self, value: Any, kept: bool = True):
        self.value, self.kept = value, kept


class Method:
    def __init__(self, promise: Promise):
        self._promise = promise

    def remote(self, *_: Any) -> Promise:
        return self._promise


class RayError(Exception):
    pass


class FakeRay:
    """Keeps what it was asked for; actors say that they listen at a port of their number and generation."""

    exceptions = types.SimpleNamespace(RayError=RayError)

    def __init__(self, room: bool = True):
        self.room = room
        self.ports: list[str] = []
        self.options: list[dict[str, Any]] = []
        self.files: dict[str, str] = {}
        self.actors: list[Any] = []
        self.killed: list[Any] = []
        self.removed: list[Any] = []
        self.failing = False

    def is_initialized(self) -> bool:
        return True

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0, "node:10.0.0.1": 1.0}

    def placement_group(self, bundles: list[dict[str, float]], strategy: str) -> Any:
        self.bundles = bundles
        return types.SimpleNamespace(ready=lambda: Promise(None, self.room))

    def remove_placement_group(self, group: Any) -> None:
        self.removed.append(group)

    def remote(self, kind: type) -> Any:
        return types.SimpleNamespace(options=self._options)

    def _options(self, **options: Any) -> Any:
        self.options.append(options)
        return types.SimpleNamespace(remote=self._actor)

    def _actor(self, number: int, command: list[str], files: dict[str, str], port: str) -> Any:
        self.ports.append(port)
        self.files = files
        answer: Any = RayError("no port") if self.failing else f"tcp://10.0.0.1:{6000 + number}"
        ready, ended, closed = Promise(answer), Promise("it fell over", False), Promise(None)
        actor = types.SimpleNamespace(ready=Method(ready), ended=Method(ended), close=Method(closed), end=ended)
        self.actors.append(actor)
        return actor

    def wait(self, promises: list[Promise], num_returns: int = 1, timeout: float | None = None) -> Any:
        return [one for one in promises if one.kept], [one for one in promises if not one.kept]

    def get(self, promise: Promise) -> Any:
        if isinstance(promise.value, Exception):
            raise promise.value
        return promise.value

    def kill(self, actor: Any) -> None:
        self.killed.append(actor)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    fake = FakeRay()
    modules = {
        "ray": fake,
        "ray.util.placement_group": fake,
        "ray.util.scheduling_strategies": types.SimpleNamespace(PlacementGroupSchedulingStrategy=dict),
    }
    monkeypatch.setattr(ray_servers, "importlib", types.SimpleNamespace(import_module=modules.__getitem__))
    return fake


def test_each_server_has_a_bundle_and_its_half_of_the_keys(ray: FakeRay) -> None:
    with RayServers([CARTPOLE, CARTPOLE], {"CPU": 3, "GPU": 1}, {"config.json": "{}"}) as servers:
        assert ray.bundles == [{"CPU": 3, "GPU": 1}] * 2
        assert [options["num_gpus"] for options in ray.options] == [1, 1]
        places = [options["scheduling_strategy"]["placement_group_bundle_index"] for options in ray.options]
        assert places == [0, 1] and servers.endpoints == ["tcp://10.0.0.1:6000", "tcp://10.0.0.1:6001"]
        assert set(ray.files) == {"server.secret", "client.public", "config.json"}
        assert stat.S_IMODE(servers.keys.stat().st_mode) == 0o700
        ClientKeys.load(servers.keys)
        keys = servers.keys
    assert not keys.exists() and len(ray.killed) == 2 and len(ray.removed) == 1


def test_a_cluster_without_room_is_an_error_that_says_what_there_is(ray: FakeRay) -> None:
    ray.room = False
    with pytest.raises(DeadlineExceeded, match=r"no room for 1 bundles(?s:.*)'CPU': 2.0"):
        RayServers([CARTPOLE], {"CPU": 3}, deadline=0.1)
    assert len(ray.removed) == 1


def test_a_server_that_ended_is_started_again_at_its_port(ray: FakeRay) -> None:
    with RayServers([CARTPOLE], {"CPU": 1}) as servers:
        (server,) = servers.servers
        assert server.ended() is None
        ray.actors[0].end.kept = True
        assert server.ended() == "it fell over"
        server.revive(0, lambda: False)
        assert ray.ports == ["*", "6000"] and ray.killed == [ray.actors[0]]
        assert server.generation == 1 and server.ended(0) == "it was started again" and server.ended(1) is None
        # Another one who lost the first process finds the second.
        server.revive(0, lambda: False)
        assert server.generation == 1


def test_a_server_whose_port_is_taken_gets_another_one_next_time(ray: FakeRay) -> None:
    with RayServers([CARTPOLE], {"CPU": 1}) as servers:
        (server,) = servers.servers
        ray.failing = True
        with pytest.raises(RemoteError, match="did not start: no port"):
            server.revive(0, lambda: False)
        ray.failing = False
        server.revive(0, lambda: False)
        assert ray.ports == ["*", "6000", "*"] and server.generation == 1


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A Ray of two CPUs on this machine."""
    real = pytest.importorskip("ray")
    # Workers load what this process loads.
    paths = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    real.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": paths}})
    yield real
    real.shutdown()


@pytest.mark.slow
def test_a_cluster_serves_and_a_server_that_is_killed_comes_back(cluster: Any) -> None:
    with RayServers([CARTPOLE, CARTPOLE], {"CPU": 1}) as servers:
        keys = ClientKeys.load(servers.keys)
        remote = RemoteVectorEnv(
            servers.endpoints, keys=keys, shared_memory=False, on_server_loss="wait", children=servers.servers
        )
        assert remote.reset(seed=0)[0].shape == (4, 4)
        assert remote.step(np.zeros(4, int))[0].shape == (4, 4)
        cluster.kill(servers.servers[1]._host)
        assert eventually(lambda: servers.servers[1].ended() is not None, 60.0)
        _, _, _, truncated, infos = remote.step(np.zeros(4, int))
        assert infos["server_lost"].tolist() == truncated.tolist() == [False, False, True, True]
        assert servers.servers[1].generation == 1 and remote.server_losses == 1
        remote.close()
    assert not servers.keys.exists()


@pytest.mark.slow
def test_a_lost_server_is_an_error_by_default(cluster: Any) -> None:
    with RayServers([CARTPOLE], {"CPU": 1}) as servers:
        remote = RemoteVectorEnv(servers.endpoints, keys=ClientKeys.load(servers.keys), children=servers.servers)
        remote.reset(seed=0)
        cluster.kill(servers.servers[0]._host)
        with pytest.raises(ServerLost, match="Ray lost it"):
            for _ in range(1000):
                remote.step(np.zeros(2, int))
        remote.close()
