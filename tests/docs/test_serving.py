"""The code of the page about serving, as it stands there."""

import re
import threading
from pathlib import Path
from typing import Any

import numpy as np

from dexgrasp_envs.remote.client import RemoteVectorEnv
from tests.remote.conftest import Serve, serve  # noqa: F401

SERVER, LEARNER, PAINTER = re.findall(
    r"```python\n(.*?)```", (Path(__file__).parents[2] / "docs" / "serving.md").read_text(), re.S
)


def test_server_and_learner_run_as_they_stand_there() -> None:
    there: dict[str, Any] = {}
    before_serving, serving = SERVER.split("print(server.endpoint)")
    exec(before_serving, there)
    thread = threading.Thread(target=exec, args=(serving, there))
    thread.start()
    here: dict[str, Any] = {"endpoint": there["server"].endpoint}
    exec(LEARNER, here)
    assert here["obs"].shape == (4, 4) and here["rewards"].tolist() == [1.0] * 4
    there["server"].stop()
    thread.join(10)
    assert not thread.is_alive()
    there["env"].close()


def test_the_painter_paints_into_shared_memory(serve: Serve) -> None:  # noqa: F811
    names: dict[str, Any] = {}
    exec(PAINTER, names)
    painter = names["Painter"](2)
    server = serve(painter)
    envs = RemoteVectorEnv([server.endpoint], copy=False)
    assert not envs.reset(seed=0)[0]["image"].any()
    obs, *_ = envs.step(np.array([[0.2], [1.0]], np.float32))
    assert obs["image"][:, 2, 7, 9].tolist() == [51, 255] and not obs["image"].flags.writeable
    lease = server._io.sessions[0].lease
    assert lease is not None and lease.segment is not None
    assert np.shares_memory(painter.into["image"], lease.segment.bytes)
    envs.close()
