import subprocess
import sys

import pytest

HEAVY = {"torch", "mujoco", "numba"}


def _loaded_after(code: str) -> set[str]:
    """The heavy packages that a fresh Python has loaded after `code`."""
    report = f"{code}; import sys; print(*({HEAVY!r} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert _loaded_after("import dexgrasp_envs") == set()


def test_importing_the_package_registers_its_ids_by_name_only() -> None:
    code = (
        "import dexgrasp_envs, gymnasium; specs = [gymnasium.spec(env_id) for env_id in dexgrasp_envs.registration.IDS]"
    )
    check = (
        "assert specs and all(isinstance(s.entry_point, str) and isinstance(s.vector_entry_point, str) for s in specs)"
    )
    assert _loaded_after(f"{code}; {check}") == set()


@pytest.mark.parametrize("module", ["registration", "make_env"])
def test_importing_what_makes_an_environment_loads_nothing_heavy(module: str) -> None:
    assert _loaded_after(f"import dexgrasp_envs.{module}") == set()


@pytest.mark.parametrize("module", ["config", "errors", "rng", "types"])
def test_importing_the_bottom_of_the_house_loads_nothing_heavy(module: str) -> None:
    assert _loaded_after(f"import dexgrasp_envs.{module}") == set()


def test_the_command_line_loads_nothing_heavy_before_a_command_runs() -> None:
    assert _loaded_after("import dexgrasp_envs.cli") == set()
