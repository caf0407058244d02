import time

import numpy as np
import pytest
import zmq

from dexgrasp_envs.errors import ServerBusy, ServerLost
from dexgrasp_envs.remote.heartbeat import Heartbeat
from dexgrasp_envs.remote.limits import Deadlines
from tests.remote.conftest import Connect, Serve
from tests.remote.envs import cartpole


def test_a_learner_that_is_busy_keeps_its_lease(serve: Serve, connect: Connect) -> None:
    server = serve(cartpole(), window=1.0)
    remote = connect(server, deadlines=Deadlines(heartbeat=0.1))
    remote.reset(seed=0)
    time.sleep(1.5)
    with pytest.raises(ServerBusy):
        connect(server)
    remote.step(np.zeros(2, int))


def test_without_signs_of_life_the_lease_is_lost_to_another(serve: Serve, connect: Connect) -> None:
    server = serve(cartpole(), window=0.3)
    remote = connect(server, deadlines=Deadlines(heartbeat=60.0))
    remote.reset(seed=0)
    time.sleep(0.8)
    connect(server)
    with pytest.raises(ServerLost, match="no lease"):
        remote.step(np.zeros(2, int))


def test_it_stops_at_once_even_if_nobody_is_there() -> None:
    context = zmq.Context()
    heartbeat = Heartbeat(context, "tcp://127.0.0.1:9", 1, period=0.01)
    heartbeat.start()
    # Longer than the queue is filled in.
    time.sleep(0.5)
    heartbeat.stop()
    context.destroy(linger=0)
    assert not heartbeat.is_alive()
