"""The README's section on two machines, between two network namespaces of this one."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
SIMULATOR, LEARNER = "dexgrasp-sim", "dexgrasp-learn"
ADDRESS = "10.77.13.1"
PYTHON = [sys.executable, "-c", "import sys; from dexgrasp_envs.cli import main; sys.exit(main())"]
LEARN = """
import sys
import dexgrasp_envs
import gymnasium
{made}
obs, infos = envs.reset(seed=0)
local = gymnasium.make_vec("DexGrasp/KukaAllegro-State-v0", num_envs=envs.num_envs)
assert (obs["state"] == local.reset(seed=0)[0]["state"]).all()
actions = envs.action_space.sample()
assert (envs.step(actions)[0]["state"] == local.step(actions)[0]["state"]).all()
envs.close()
print("learned")
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
]


def sh(command: str) -> None:
    subprocess.run(shlex.split(command), check=True, timeout=20)


@pytest.fixture
def network() -> Iterator[None]:
    """Two namespaces with a cable between them."""
    try:
        for name in (SIMULATOR, LEARNER):
            sh(f"ip netns add {name}")
        sh(f"ip link add dgsim netns {SIMULATOR} type veth peer name dglearn netns {LEARNER}")
    except subprocess.CalledProcessError:
        _remove()
        pytest.skip("this system lets nobody make network namespaces")
    for name, device, address in ((SIMULATOR, "dgsim", ADDRESS), (LEARNER, "dglearn", "10.77.13.2")):
        sh(f"ip -n {name} address add {address}/24 dev {device}")
        sh(f"ip -n {name} link set {device} up")
    yield
    _remove()


def _remove() -> None:
    for name in (SIMULATOR, LEARNER):
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def test_the_readmes_commands_work_as_typed(network: None, tmp_path: Path) -> None:
    section = README.partition("## Two machines")[2].partition("\n## ")[0]
    (served,) = re.findall(r"dexgrasp (serve .*)", section)
    (made,) = re.findall(r"^envs = .*", section, re.MULTILINE)
    assert "tcp://0.0.0.0:5555" in served and "--keys my_keys" in served and "tcp://simulator:5555" in made
    copied = re.findall(r"scp (.*) simulator:my_keys/", section)[0].split()
    learner, simulator = tmp_path / "learner", tmp_path / "simulator"
    for folder in (learner, simulator):
        folder.mkdir()
    (simulator / "my_keys").mkdir(mode=0o700)
    subprocess.run([*PYTHON, "keys", "my_keys"], cwd=learner, check=True, timeout=60)
    for name in copied:
        shutil.copy(learner / name, simulator / "my_keys")
    run = ["ip", "netns", "exec"]
    served = served.replace("--num-envs 64", "--num-envs 2")
    made = made.replace("num_envs=64", "num_envs=2").replace("simulator", ADDRESS)
    server = subprocess.Popen(
        [*run, SIMULATOR, *PYTHON, *shlex.split(served)], cwd=simulator, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None and server.stdout.readline().startswith("READY")
        ran = _learn(learner, made)
        assert ran.stdout == "learned\n", ran.stderr
        without = _learn(learner, made.replace(', keys="my_keys"', ""))
        assert "HandshakeError" in without.stderr and "--keys" in without.stderr
        subprocess.run([*PYTHON, "keys", "others"], cwd=learner, check=True, timeout=60)
        shutil.copy(learner / "my_keys" / "server.public", learner / "others")
        stranger = _learn(learner, made.replace("my_keys", "others"))
        assert "HandshakeError" in stranger.stderr and "does not know this client's key" in stranger.stderr
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()


def _learn(folder: Path, made: str) -> "subprocess.CompletedProcess[str]":
    start = time.monotonic()
    ran = subprocess.run(
        ["ip", "netns", "exec", LEARNER, sys.executable, "-c", LEARN.format(made=made)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert time.monotonic() - start < 300
    return ran
