import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.remote.conftest import eventually
from tests.remote.processes import alive, children_of

PARENT = """
import time
from dexgrasp_envs.remote.client import RemoteVectorEnv
from dexgrasp_envs.remote.launcher import Children
children = Children([["CartPole-v1"]] * 2)
envs = RemoteVectorEnv(children.endpoints, children=children.servers, on_close=children.close)
envs.reset(seed=0)
print(children.folder, flush=True)
{then}
"""


def start(then: str) -> tuple["subprocess.Popen[str]", Path, set[int]]:
    parent = subprocess.Popen([sys.executable, "-c", PARENT.format(then=then)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    folder = Path(parent.stdout.readline().strip())
    return parent, folder, children_of(parent.pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_children_end_with_a_parent_that_is_killed(number: signal.Signals) -> None:
    parent, folder, children = start("time.sleep(60)")
    assert len(children) == 2
    os.kill(parent.pid, number)
    parent.wait(10)
    assert eventually(lambda: not any(alive(pid) for pid in children))
    assert eventually(lambda: not folder.exists())


def test_children_end_with_a_parent_that_ends_without_closing() -> None:
    parent, folder, children = start("time.sleep(0.5)")
    assert len(children) == 2
    assert parent.wait(20) == 0
    assert not any(alive(pid) for pid in children) and not folder.exists()


def test_children_outlive_the_thread_that_started_them() -> None:
    then = (
        "import threading; more = [];"
        "thread = threading.Thread(target=lambda: more.append(Children([['CartPole-v1']])));"
        "thread.start(); thread.join(); time.sleep(0.5); print(more[0].servers[0].ended(), flush=True)"
    )
    parent, _, _ = start(then)
    assert parent.stdout is not None and parent.stdout.read().strip() == "None"
    assert parent.wait(20) == 0


def test_a_child_that_was_started_again_ends_with_its_parent() -> None:
    then = "children.servers[0].revive(0, lambda: False); print('again', flush=True); time.sleep(60)"
    parent, folder, before = start(then)
    assert parent.stdout is not None and parent.stdout.readline() == "again\n"
    children = children_of(parent.pid)
    assert len(children) == 2 and children != before
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(10)
    assert eventually(lambda: not any(alive(pid) for pid in children))
    assert eventually(lambda: not folder.exists())
