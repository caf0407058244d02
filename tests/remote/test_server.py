"""What a server makes of its clients, by the bare protocol."""

import threading
import time

import numpy as np
import pytest

from dexgrasp_envs.errors import ActionError, ConfigError
from dexgrasp_envs.remote import wire
from dexgrasp_envs.remote.lease import Progress
from dexgrasp_envs.remote.server import SimServer
from dexgrasp_envs.remote.wire import Header, Kind
from tests.remote.conftest import Raw, Serve, eventually
from tests.remote.envs import StatefulEnv, cartpole, wide_env

ACTIONS = np.zeros(2, np.int64)


def test_the_welcome_says_who_the_server_is(serve: Serve, raw: Raw) -> None:
    header, identity = raw(serve(cartpole(), {"env_id": "CartPole-v1", "config": {"a": 1}})).hello()
    assert header.kind == Kind.WELCOME and header.lease
    assert identity["env_id"] == "CartPole-v1" and identity["config"] == {"a": 1} and identity["num_envs"] == 2


def test_a_second_client_hears_busy(serve: Serve, raw: Raw) -> None:
    server = serve(cartpole())
    raw(server).hello(1)
    header, error = raw(server).hello(2)
    assert header.kind == Kind.ERROR and error["type"] == "ServerBusy" and "has a client" in error["message"]


def test_a_repeated_hello_is_granted_the_same_lease(serve: Serve, raw: Raw) -> None:
    client = raw(serve(cartpole()))
    assert client.hello(1)[0].lease == client.hello(1)[0].lease


@pytest.mark.parametrize("said", [None, [], {"host": np.zeros(0)}, {"host": 5, "nonce": np.zeros(0)}])
def test_a_hello_that_says_what_it_should_not_is_welcome_without_memory(serve: Serve, raw: Raw, said: object) -> None:
    client = raw(serve(wide_env(2)))
    for _ in range(2):
        client.send(Header(Kind.HELLO, call=1), said)
        header, welcome = client.receive()
        assert header.kind == Kind.WELCOME and welcome["segment"] is None


def test_goodbye_frees_the_lease(serve: Serve, raw: Raw) -> None:
    server = serve(cartpole())
    first = raw(server)
    first.hello(1)
    first.send(Header(Kind.GOODBYE, first.lease))
    second = raw(server)
    assert eventually(lambda: second.hello(2)[0].kind == Kind.WELCOME)


def test_a_silent_client_keeps_its_lease_while_nobody_else_wants_it(serve: Serve, raw: Raw) -> None:
    client = raw(serve(cartpole(), window=0.1))
    client.hello()
    time.sleep(0.5)
    client.call(1, "reset", seed=0, options=None)
    assert client.receive()[0].kind == Kind.REPLY


def test_a_silent_client_loses_its_lease_to_another(serve: Serve, raw: Raw) -> None:
    server = serve(cartpole(), window=0.3)
    first, second = raw(server), raw(server)
    first.hello(1)
    assert second.hello(2)[0].kind == Kind.ERROR
    assert eventually(lambda: second.hello(2)[0].kind == Kind.WELCOME)
    first.call(1, "step", actions=ACTIONS)
    header, error = first.receive()
    assert header.kind == Kind.ERROR and error["type"] == "ServerLost" and "silent" in error["message"]


def test_signs_of_life_keep_the_lease(serve: Serve, raw: Raw) -> None:
    server = serve(cartpole(), window=1.0)
    first = raw(server)
    first.hello(1)
    for _ in range(6):
        time.sleep(0.25)
        first.ping()
    assert raw(server).hello(2)[0].kind == Kind.ERROR


def test_a_call_without_a_lease_is_refused(serve: Serve, raw: Raw) -> None:
    client = raw(serve(cartpole()))
    client.call(1, "reset", seed=0, options=None)
    header, error = client.receive()
    assert header.kind == Kind.ERROR and error["type"] == "ServerLost"


def test_a_replayed_step_is_done_once_and_answered_twice(serve: Serve, raw: Raw) -> None:
    env = StatefulEnv()
    client = raw(serve(env))
    client.begin()
    replies = []
    for _ in range(2):
        client.call(2, "step", actions=ACTIONS)
        replies.append(client.receive())
    assert env.steps == 1
    assert replies[0][0] == replies[1][0] and replies[0][0].call == 2
    np.testing.assert_array_equal(replies[0][1]["obs"], replies[1][1]["obs"])


def test_a_step_that_is_replayed_while_it_runs_is_answered_once(serve: Serve, raw: Raw) -> None:
    env = StatefulEnv()
    client = raw(serve(env))
    client.begin()
    env.go_on.clear()
    client.call(2, "step", actions=ACTIONS)
    assert env.stepping.wait(5)
    client.call(2, "step", actions=ACTIONS)
    assert client.ping()[0].item == Progress.RUNNING
    env.go_on.set()
    assert client.receive()[0].kind == Kind.REPLY
    assert client.silent() and env.steps == 1


def test_a_stale_call_from_elsewhere_does_not_draw_the_reply_there(serve: Serve, raw: Raw) -> None:
    env = StatefulEnv()
    server = serve(env)
    client, elsewhere = raw(server), raw(server)
    client.begin()
    env.go_on.clear()
    client.call(2, "step", actions=ACTIONS)
    assert env.stepping.wait(5)
    elsewhere.lease = client.lease
    elsewhere.call(1, "reset", seed=0, options=None)
    assert elsewhere.receive()[1]["type"] == "ProtocolError"
    env.go_on.set()
    assert client.receive()[0].call == 2


@pytest.mark.parametrize("number", [0, 3, 2**60])
def test_a_stale_or_skipped_call_is_refused(serve: Serve, raw: Raw, number: int) -> None:
    env = StatefulEnv()
    client = raw(serve(env))
    client.begin()
    client.call(number, "step", actions=ACTIONS)
    header, error = client.receive()
    assert header.kind == Kind.ERROR and header.call == number and error["type"] == "ProtocolError"
    assert env.steps == 0
    client.call(2, "step", actions=ACTIONS)
    assert client.receive()[0].kind == Kind.REPLY


def test_signs_of_life_are_answered_during_a_step(serve: Serve, raw: Raw) -> None:
    env = StatefulEnv()
    client = raw(serve(env))
    client.begin()
    env.go_on.clear()
    client.call(2, "step", actions=ACTIONS)
    assert env.stepping.wait(5)
    header, _ = client.ping()
    assert (header.kind, header.call, header.item) == (Kind.PONG, 2, Progress.RUNNING)
    env.go_on.set()


def test_what_the_environment_raises_is_told(serve: Serve, raw: Raw) -> None:
    env = StatefulEnv()
    client = raw(serve(env))
    client.hello()
    env.failure = ActionError("not this one")
    client.call(1, "step", actions=ACTIONS)
    header, error = client.receive()
    assert header.kind == Kind.ERROR and error == {"type": "ActionError", "message": "not this one", "ours": True}


@pytest.mark.parametrize("data", [None, 5, {"operation": "reset"}, {"operation": "reset", "arguments": {"x": 1}}])
def test_an_ill_formed_call_is_an_error_and_not_the_end(serve: Serve, raw: Raw, data: object) -> None:
    client = raw(serve(cartpole()))
    client.hello()
    client.send(Header(Kind.CALL, client.lease, 1), data)
    assert client.receive()[0].kind == Kind.ERROR
    client.call(2, "reset", seed=0, options=None)
    assert client.receive()[0].kind == Kind.REPLY


def test_a_promise_of_too_much_data_is_refused(serve: Serve, raw: Raw) -> None:
    client = raw(serve(cartpole(), max_bytes=1000))
    client.hello()
    meta, _ = wire.encode({"a": np.zeros(1001, np.uint8)})
    client.socket.send_multipart([Header(Kind.CALL, client.lease, 1).pack(), meta, b""])
    _, error = client.receive()
    assert error["type"] == "ProtocolError" and "at most 1000" in error["message"]
    client.call(2, "reset", seed=0, options=None)
    assert client.receive()[0].kind == Kind.REPLY


def test_a_wrong_chunk_is_refused(serve: Serve, raw: Raw) -> None:
    client = raw(serve(cartpole()))
    client.hello()
    meta, _ = wire.encode({"a": np.zeros(wire.CHUNK_BYTES, np.uint8)})
    client.socket.send_multipart([Header(Kind.CALL, client.lease, 1).pack(), meta, b""])
    client.socket.send_multipart([Header(Kind.CHUNK, client.lease, 1, 0, 5).pack(), b"x"])
    _, error = client.receive()
    assert error["type"] == "ProtocolError" and "unexpected chunk" in error["message"]
    client.call(2, "reset", seed=0, options=None)
    assert client.receive()[0].kind == Kind.REPLY


@pytest.mark.parametrize("seed", range(3))
def test_garbage_leaves_the_server_alive(serve: Serve, raw: Raw, seed: int) -> None:
    server = serve(cartpole())
    stranger, client = raw(server), raw(server)
    client.hello()
    random = np.random.default_rng(seed)
    valid = Header(Kind.CALL, client.lease, 1).pack()
    for _ in range(200):
        frames = [random.bytes(random.integers(0, 60)) for _ in range(random.integers(1, 6))]
        if random.random() < 0.7:
            damaged = bytearray(valid)
            damaged[random.integers(len(valid))] = random.integers(256)
            frames[0] = bytes(damaged)
        stranger.socket.send_multipart(frames)
    stranger.socket.send(Header(Kind.PING, client.lease, 12345).pack())
    while stranger.receive()[0].offset != 12345:
        pass
    # The lease in the damaged headers is the client's: some may have been calls, but none was well-formed.
    header, _ = client.ping()
    assert header.kind == Kind.PONG
    client.call(header.call + 1, "reset", seed=0, options=None)
    assert client.receive()[0].kind == Kind.REPLY


def test_another_version_is_refused_with_words(serve: Serve, raw: Raw) -> None:
    client = raw(serve(cartpole()))
    hello = bytearray(Header(Kind.HELLO, call=1).pack())
    hello[4:6] = (9).to_bytes(2, "little")
    client.socket.send_multipart([bytes(hello), b"new", b"and different"])
    _, error = client.receive()
    assert error["type"] == "HandshakeError" and "version 9, expected 1" in error["message"]


def test_a_server_that_is_stopped_finishes_the_step_and_says_goodbye(raw: Raw) -> None:
    env = StatefulEnv()
    with SimServer(env, {}, "tcp://127.0.0.1:*") as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        client = raw(server)
        client.begin()
        env.go_on.clear()
        client.call(2, "step", actions=ACTIONS)
        assert env.stepping.wait(5)
        server.stop()
        env.go_on.set()
        thread.join(5)
    assert client.receive()[0] == Header(Kind.REPLY, client.lease, 2)
    assert client.receive()[0] == Header(Kind.GOODBYE, client.lease, 2)


def test_a_step_that_waits_when_the_server_is_stopped_hears_that_nothing_was_stepped(raw: Raw) -> None:
    envs = [StatefulEnv(), StatefulEnv()]
    with SimServer(envs, [{}, {}], "tcp://127.0.0.1:*") as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        clients = [raw(server), raw(server)]
        for group, client in enumerate(clients):
            client.begin(group)
        envs[0].go_on.clear()
        clients[0].call(2, "step", actions=ACTIONS)
        assert envs[0].stepping.wait(5)
        server.stop()
        clients[1].call(2, "step", actions=ACTIONS)
        # The pong says that the call has arrived: it waits for the thread that steps.
        assert clients[1].ping()[0].item == Progress.RUNNING
        envs[0].go_on.set()
        thread.join(5)
    assert clients[0].receive()[0] == Header(Kind.REPLY, clients[0].lease, 2)
    header, error = clients[1].receive()
    assert header == Header(Kind.ERROR, clients[1].lease, 2) and envs[1].steps == 0
    assert error["type"] == "ServerLost" and "nothing was stepped" in error["message"]
    assert [client.receive()[0].kind for client in clients] == [Kind.GOODBYE] * 2


def test_a_call_of_which_chunks_are_missing_when_the_server_ends_is_not_begun(raw: Raw) -> None:
    with SimServer(StatefulEnv(), {}, "tcp://127.0.0.1:*") as server:
        client = raw(server)
        client.hello()
        meta, _ = wire.encode({"operation": "step", "arguments": {"actions": np.zeros(10_000)}})
        client.socket.send_multipart([Header(Kind.CALL, client.lease, 1).pack(), meta, b""])
        assert client.ping()[0].item == Progress.RECEIVING
    assert client.receive()[0] == Header(Kind.GOODBYE, client.lease, 0)


def test_a_client_that_reads_nothing_does_not_hold_up_others(serve: Serve, raw: Raw) -> None:
    class Heavy(StatefulEnv):
        def get_state(self) -> dict[str, np.ndarray]:
            return {"much": np.zeros((2, 64 << 20), np.uint8)}

    server = serve(Heavy(), window=1.0)
    greedy, other = raw(server), raw(server)
    greedy.hello(1)
    greedy.call(1, "get_state")
    assert other.hello(2)[1]["type"] == "ServerBusy"
    assert eventually(lambda: other.hello(2)[0].kind == Kind.WELCOME)


def test_an_open_address_needs_to_be_said() -> None:
    with pytest.raises(ConfigError, match="insecure"):
        SimServer(cartpole(), {}, "tcp://0.0.0.0:*")
