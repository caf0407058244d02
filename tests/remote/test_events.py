import json
import threading
from typing import Any

import numpy as np
import pytest

from dexgrasp_envs.errors import RemoteError, ServerBusy
from dexgrasp_envs.remote.events import to_stderr
from dexgrasp_envs.remote.server import SimServer
from tests.remote.conftest import Connect, eventually
from tests.remote.envs import StatefulEnv


def test_an_event_is_one_line_of_json(capsys: pytest.CaptureFixture) -> None:
    to_stderr("client_came", group=1, text="two\nlines")
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert said.pop("time").endswith("+00:00")
    assert said == {"event": "client_came", "group": 1, "text": "two\nlines"}


def test_a_server_says_what_happens(connect: Connect) -> None:
    events: list[tuple[str, dict[str, Any]]] = []
    env = StatefulEnv(2)
    with SimServer(env, {}, "tcp://127.0.0.1:*", log=lambda event, **fields: events.append((event, fields))) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        remote = connect(server)
        with pytest.raises(ServerBusy):
            connect(server)
        remote.reset(seed=0)
        env.failure = ZeroDivisionError("oh")
        with pytest.raises(RemoteError):
            remote.step(np.zeros(2, int))
        remote.close()
        assert eventually(lambda: events[-1][0] == "client_left")
        server.stop()
        thread.join()
    names = [name for name, _ in events]
    assert names == ["listening", "client_came", "client_refused", "call_failed", "client_left", "ended"]
    assert events[0][1] == {"endpoint": server.endpoint, "num_envs": 2, "groups": 1}
    assert events[3][1] == {"group": 0, "call": 2, "type": "ZeroDivisionError", "message": "oh"}
