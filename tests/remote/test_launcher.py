import os
import signal
import stat
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from dexgrasp_envs.errors import DeadlineExceeded, RemoteError, ServerLost
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.launcher import Children
from tests.remote.conftest import eventually
from tests.remote.processes import alive, children_of

CARTPOLE = ["CartPole-v1", "--num-envs", "2"]


def test_children_serve_and_are_gone_with_their_folder_when_closed() -> None:
    with Children([CARTPOLE, CARTPOLE]) as children:
        folder = children.folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        pids = children_of(os.getpid())
        remote = RemoteVectorEnv(children.endpoints, children=children.servers)
        remote.reset(seed=0)
        assert remote.step(np.zeros(4, int))[0].shape == (4, 4)
        remote.close()
    assert not folder.exists()
    assert not any(alive(pid) for pid in pids)


def test_a_child_that_is_killed_in_a_step_is_a_lost_server_at_once() -> None:
    with Children([CARTPOLE]) as children:
        remote = RemoteVectorEnv(children.endpoints, children=children.servers)
        remote.reset(seed=0)
        (pid,) = children_of(os.getpid())
        # A process that stands still is in the midst of its step.
        os.kill(pid, signal.SIGSTOP)
        threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
        before = time.monotonic()
        with pytest.raises(ServerLost, match="killed by signal 9"):
            remote.step(np.zeros(2, int))
        assert time.monotonic() - before < 3.0
        remote.close()


def test_a_child_that_fails_is_shown_with_its_last_words() -> None:
    with pytest.raises(RemoteError, match=r"simulator 0 exited with code 1(?s:.*)NoSuchEnv"):
        Children([["NoSuchEnv-v0"]])


def test_a_child_that_is_not_ready_in_time_is_given_up_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(DeadlineExceeded, match="not ready in time"):
        Children([CARTPOLE], deadline=0.05)
    assert list(tmp_path.iterdir()) == []
    assert children_of(os.getpid()) == set()


def test_files_are_there_before_the_children_start() -> None:
    command = ["DexGrasp/KukaAllegro-State-v0", "--config", "{folder}/config.json"]
    with pytest.raises(RemoteError, match="configuration is not JSON"):
        Children([command], {"config.json": "no JSON"})


def test_ctrl_c_is_the_parents_to_handle() -> None:
    with Children([CARTPOLE]) as children:
        (pid,) = children_of(os.getpid())
        os.kill(pid, signal.SIGINT)
        assert not eventually(lambda: children.servers[0].ended() is not None, 0.5)


def test_a_child_is_started_again_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dexgrasp_envs.remote.restarts.MOST", 1)
    with Children([CARTPOLE]) as children:
        (child,) = children.servers
        child.revive(0, lambda: False)
        assert child.generation == 1 and child.ended(1) is None and child.ended(0) == "it was started again"
        # Another one who lost the first process finds the second.
        child.revive(0, lambda: False)
        assert child.generation == 1
        with pytest.raises(RemoteError, match="started again 1 times"):
            child.revive(1, lambda: False)
