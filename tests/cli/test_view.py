import dataclasses
import importlib.util
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import imageio.v2 as imageio
import numpy as np
import pytest

from dexgrasp_envs.cli import main
from dexgrasp_envs.config import EnvConfig, EpisodeConfig, ObservationConfig
from dexgrasp_envs.registration import DEPTH_ID, STATE_ID

SHORT = EnvConfig(episode=EpisodeConfig(seconds=0.2), observation=ObservationConfig(image_size=(24, 32)))
"""Episodes of three steps."""
MODULE = """
import numpy as np
make = lambda env: lambda obs, starts: np.zeros((env.num_envs, 11))
too_few = lambda env: lambda obs, starts: np.zeros((env.num_envs, 3))
def wants_touch(env):
    act = lambda obs, starts: 1 / 0  # never asked
    act.groups = ("proprio", "touch")
    return act
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acting.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "acting", raising=False)


@pytest.mark.gl
def test_a_video_shows_scene_and_depth_of_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--num-envs", "2", "--episodes", "2", "--out", "videos/v.mp4", "--config", SHORT.to_json()]
    assert main(["view", DEPTH_ID, *arguments]) == 0
    printed = capsys.readouterr().out
    assert "smooth random actions" in printed and "7 frames; 0 of 4 episode(s)" in printed
    with imageio.get_reader("videos/v.mp4") as reader:
        images = list(reader.iter_data())
    assert len(images) == 7 and images[0].shape == (480, 2 * (640 + 640), 3)


@pytest.mark.skipif(importlib.util.find_spec("viser") is None, reason="needs the extra `view`")
def test_the_live_view_is_served_until_it_is_interrupted() -> None:
    command = [sys.executable, "-m", "dexgrasp_envs.cli", "view", DEPTH_ID, "--port", "0", "--policy", "acting:make"]
    process = subprocess.Popen(
        [*command, "--config", SHORT.to_json(), "--seconds", "300"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdout is not None
        url = next(line.split()[0] for line in process.stdout if line.startswith("http://127.0.0.1:"))
        with urllib.request.urlopen(url, timeout=60) as page:
            assert page.status == 200
        os.kill(process.pid, signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == 0 and "ended in success" in rest
    finally:
        process.kill()


@pytest.mark.skipif(importlib.util.find_spec("viser") is None, reason="needs the extra `view`")
def test_the_live_view_ends_at_its_deadline() -> None:
    assert main(["view", STATE_ID, "--port", "0", "--config", SHORT.to_json(), "--seconds", "0.5"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["CartPole-v1"], "no environment 'CartPole-v1' in this package"),
        ([STATE_ID, "--policy", "absent.onnx"], "no policy at absent.onnx"),
        ([STATE_ID, "--policy", "absent:make"], "'absent' cannot be imported"),
        ([STATE_ID, "--policy", "acting:absent"], "no function 'absent'"),
        ([STATE_ID, "--policy", "acting:wants_touch"], "reads the group 'touch'"),
        ([STATE_ID, "--policy", "acting:too_few", "--out", "v.mp4"], "shape (1, 11), got (1, 3)"),
        ([STATE_ID, "--out", "video.gif"], "ends in .mp4"),
        ([STATE_ID, "--seconds", "0"], "--seconds must be positive"),
        ([STATE_ID, "--config", "absent.json"], "absent.json"),
    ],
)
def test_bad_input_is_told_in_a_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dexgrasp_envs.sim.mujoco.backend.MujocoBackend.render", _black)
    assert main(["view", *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("dexgrasp view: ") and words in error


def test_without_viser_it_is_said_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "viser", None)
    assert main(["view", STATE_ID]) == 1
    assert "pip install 'dexgrasp_envs[view]'" in capsys.readouterr().err


def test_an_onnx_policy_brings_its_configuration(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    onnx_tests = pytest.importorskip("tests.viewing.test_onnx_policy")
    monkeypatch.setattr("dexgrasp_envs.sim.mujoco.backend.MujocoBackend.render", _black)
    config = SHORT.observing("state")
    metadata = dataclasses.replace(onnx_tests.about(config), env_id=STATE_ID).to_properties()
    onnx_tests.write(tmp_path / "p.onnx", metadata, size=110)
    # It acts with two numbers, so the first step is refused: by then it was found to fit.
    assert main(["view", STATE_ID, "--policy", "p.onnx", "--out", "v.mp4"]) == 1
    shown = capsys.readouterr()
    assert config.hash() in shown.out and "got (1, 2)" in shown.err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["view", "--help"])
    assert "dexgrasp view DexGrasp/KukaAllegro-Depth-v0 --policy runs/depth.onnx" in capsys.readouterr().out


def _black(self: object, row: int) -> np.ndarray:
    return np.zeros((48, 64, 3), np.uint8)
