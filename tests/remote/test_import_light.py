import ast
import subprocess
import sys
from pathlib import Path

import pytest

from dexgrasp_envs import remote

ALLOWED = {"gymnasium", "msgpack", "numpy", "zmq"}
ROOM = Path(remote.__path__[0])
MODULES = sorted(
    ".".join(path.relative_to(ROOM).with_suffix("").parts)
    for path in ROOM.rglob("*.py")
    if path.stem not in ("__init__", "__main__")
)


def test_there_are_modules() -> None:
    assert {"client", "server", "wire", "conformance.suite"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_what_remote_may(module: str) -> None:
    tree = ast.parse((ROOM / f"{module.replace('.', '/')}.py").read_text())
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0}
    assert {name.partition(".")[0] for name in named} - set(sys.stdlib_module_names) <= ALLOWED


@pytest.mark.parametrize("heavy", ["torch", "mujoco", "numba"])
def test_no_module_loads_a_heavy_package(heavy: str) -> None:
    imports = ", ".join(f"dexgrasp_envs.remote.{name}" for name in MODULES)
    code = f"import {imports}, sys; print({heavy!r} in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
