import json
from pathlib import Path

import pytest

from dexgrasp_envs.cli import doctor, main
from dexgrasp_envs.cli.checks import machine, opengl, packages
from dexgrasp_envs.cli.checks.check import Check, CheckFailed, Finding, Status


def _fail() -> Finding:
    raise CheckFailed("it is broken")


def _crash() -> Finding:
    raise OSError("no such library")


GOOD = Check("good", lambda: Finding(Status.OK, "fine"), required=True)
ADVISED = Check("advised", lambda: Finding(Status.ADVICE, "slow", "make it fast"), required=True)
BROKEN = Check("broken", _fail, fix="mend it")
CRASHED = Check("crashed", _crash, fix="apt-get install it")
NEEDED = Check("needed", _fail, fix="mend it", required=True)


def _doctor(monkeypatch: pytest.MonkeyPatch, checks: tuple[Check, ...], *args: str) -> int:
    monkeypatch.setattr(doctor, "CHECKS", checks)
    return main(["doctor", *args])


def test_exit_code_is_zero_unless_something_required_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _doctor(monkeypatch, (GOOD, ADVISED, BROKEN, CRASHED)) == 0
    assert _doctor(monkeypatch, (GOOD, NEEDED)) == 1


def test_table_says_what_was_found_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _doctor(monkeypatch, (GOOD, ADVISED, BROKEN, CRASHED))
    printed = capsys.readouterr().out
    for text in ("fine", "it is broken", "OSError: no such library"):
        assert text in printed
    assert printed.endswith("advised: make it fast\nbroken: mend it\ncrashed: apt-get install it\n")


def test_json_is_for_machines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _doctor(monkeypatch, (GOOD, NEEDED), "--json")
    assert json.loads(capsys.readouterr().out) == {
        "ok": False,
        "checks": [
            {"name": "good", "required": True, "status": "ok", "detail": "fine", "fix": ""},
            {"name": "needed", "required": True, "status": "failed", "detail": "it is broken", "fix": "mend it"},
        ],
    }


@pytest.mark.parametrize(
    "check",
    [packages.MUJOCO, packages.TORCH, packages.NUMBA, packages.FFMPEG, machine.PYTHON, machine.CORES, machine.GPU],
    ids=lambda check: check.name,
)
def test_what_is_installed_here_works(check: Check) -> None:
    finding = check.run()
    assert finding.status is not Status.FAILED, finding


def test_spinning_openmp_threads_are_advised_against(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "0")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    finding = packages.TORCH.run()
    assert finding.status is Status.ADVICE
    assert finding.fix == "export OMP_WAIT_POLICY=passive before Python starts"
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    assert packages.TORCH.run().status is Status.OK


@pytest.mark.gl
def test_some_way_to_opengl_draws_a_frame() -> None:
    findings = [way.run() for way in (opengl.EGL, opengl.OSMESA)]
    assert any(finding.status is Status.OK for finding in findings), findings


def test_a_way_to_opengl_that_fails_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opengl, "_FRAME", "raise ImportError('no libEGL')")
    assert opengl.EGL.run() == Finding(Status.FAILED, "ImportError: no libEGL", opengl.EGL.fix)
    assert "apt-get install libegl1" in opengl.EGL.fix


def test_a_way_to_opengl_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opengl, "_FRAME", "import time; time.sleep(60)")
    monkeypatch.setattr(opengl, "_DEADLINE", 0.5)
    assert opengl.EGL.run().detail == "no frame within 0.5 s"


def test_shared_memory_as_small_as_dockers_is_advised_against(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_SHARED_MEMORY", tmp_path)
    monkeypatch.setattr(machine, "_ENOUGH_SHARED_MEMORY", 2**62)
    finding = machine.SHARED_MEMORY.run()
    assert finding.status is Status.ADVICE
    assert "--shm-size" in finding.fix


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_no_cgroup_is_no_quota(tmp_path: Path) -> None:
    assert machine.cpu_quota(tmp_path) is None


def test_quota_of_cgroup_2_is_the_least_of_the_ancestors(tmp_path: Path) -> None:
    _write(tmp_path / "proc/self/cgroup", "0::/outer/inner\n")
    _write(tmp_path / "sys/fs/cgroup/outer/cpu.max", "150000 100000\n")
    _write(tmp_path / "sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n")
    assert machine.cpu_quota(tmp_path) == 1.5


def test_quota_of_cgroup_1(tmp_path: Path) -> None:
    _write(tmp_path / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    _write(tmp_path / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert machine.cpu_quota(tmp_path) is None
    _write(tmp_path / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n")
    assert machine.cpu_quota(tmp_path) == 0.5


def test_a_quota_below_the_cores_is_advised_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cpu_quota", lambda: 0.5)
    finding = machine.CORES.run()
    assert finding.status is Status.ADVICE
    assert "threads=1" in finding.fix


def test_help_of_every_command_tells_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    for args, told in ((["--help"], "dexgrasp doctor"), (["doctor", "--help"], "--json"), (["list", "--help"], "list")):
        with pytest.raises(SystemExit) as ended:
            main(args)
        assert ended.value.code == 0
        assert told in capsys.readouterr().out
