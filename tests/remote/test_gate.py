"""Servers and clients with keys, right and wrong."""

import time
from pathlib import Path

import numpy as np
import pytest
import zmq

from dexgrasp_envs.errors import DexGraspError, HandshakeError
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.keys import ClientKeys, ServerKeys, write_keys
from dexgrasp_envs.remote.limits import Deadlines
from dexgrasp_envs.remote.sockets import bind, open_socket
from tests.remote.conftest import Connect, Serve, eventually
from tests.remote.envs import cartpole, image_env
from tests.vector_envs import same

DEADLINES = Deadlines(connect=3.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    write_keys(folder)
    return folder


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("others")
    write_keys(folder)
    return folder


def refusal(endpoint: str, keys: ClientKeys | None) -> DexGraspError:
    """What a client is told, in time."""
    before = time.monotonic()
    with pytest.raises(HandshakeError) as raised:
        RemoteVectorEnv([endpoint], keys=keys, deadlines=DEADLINES)
    assert time.monotonic() - before < DEADLINES.connect
    return raised.value


def test_right_keys_open_and_the_bits_are_the_same(serve: Serve, connect: Connect, folder: Path) -> None:
    server = serve(image_env(2), keys=ServerKeys.load(folder))
    remote, local = connect(server, keys=ClientKeys.load(folder)), image_env(2)
    assert same(remote.reset(seed=0)[0], local.reset(seed=0)[0])
    actions = local.action_space.sample()
    assert same(remote.step(actions)[:4], local.step(actions)[:4])


def test_signs_of_life_pass_the_gate_too(serve: Serve, connect: Connect, folder: Path) -> None:
    server = serve(cartpole(), keys=ServerKeys.load(folder), window=1.0)
    remote = connect(server, keys=ClientKeys.load(folder))
    lease = server._io.sessions[0].lease
    assert lease is not None
    heard = lease.heard
    assert eventually(lambda: lease.heard > heard)
    remote.reset(seed=0)


def test_a_client_that_is_not_listed_is_refused(serve: Serve, folder: Path, others: Path) -> None:
    server = serve(cartpole(), keys=ServerKeys.load(folder))
    stranger = ClientKeys(ClientKeys.load(others).secret, ClientKeys.load(folder).server)
    assert "does not know this client's key" in str(refusal(server.endpoint, stranger))


def test_another_servers_key_is_refused(serve: Serve, folder: Path, others: Path) -> None:
    server = serve(cartpole(), keys=ServerKeys.load(folder))
    mistaken = ClientKeys(ClientKeys.load(folder).secret, ClientKeys.load(others).server)
    assert "with its server.public" in str(refusal(server.endpoint, mistaken))


def test_a_client_without_keys_is_refused(serve: Serve, folder: Path) -> None:
    server = serve(cartpole(), keys=ServerKeys.load(folder))
    assert "if and only if it has --keys" in str(refusal(server.endpoint, None))


def test_a_server_without_keys_is_refused(serve: Serve, folder: Path) -> None:
    server = serve(cartpole())
    assert "if and only if it has --keys" in str(refusal(server.endpoint, ClientKeys.load(folder)))


def test_those_who_are_refused_do_not_disturb_the_client(
    serve: Serve, connect: Connect, folder: Path, others: Path
) -> None:
    server = serve(cartpole(), keys=ServerKeys.load(folder))
    remote = connect(server, keys=ClientKeys.load(folder))
    remote.reset(seed=0)
    refusal(server.endpoint, None)
    refusal(server.endpoint, ClientKeys.load(others))
    remote.step(np.zeros(2, int))


def test_a_guarded_socket_without_a_gate_lets_nobody_in(folder: Path) -> None:
    context: zmq.Context = zmq.Context()
    server, client = open_socket(context, zmq.DEALER), open_socket(context, zmq.DEALER)
    ServerKeys.load(folder).guard(server)
    ClientKeys.load(folder).identify(client)
    client.connect(bind(server, "tcp://127.0.0.1:*"))
    client.send(b"hello")
    assert not server.poll(300)
    context.destroy(linger=0)


def test_keys_open_addresses_that_others_can_reach(folder: Path) -> None:
    from dexgrasp_envs.remote.server import SimServer

    with SimServer(cartpole(), {}, "tcp://0.0.0.0:*", keys=ServerKeys.load(folder)) as server:
        assert server.endpoint.startswith("tcp://0.0.0.0:")
