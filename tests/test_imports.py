"""The import rule: the folders that compute know no clock, no file, no screen; heavy libraries load where needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sensorrep"

PLAIN = {
    "__future__",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "itertools",
    "statistics",
    "math",
    "struct",
    "typing",
}
NUMERIC = {"numpy", "scipy", "vqf"}
CORE = {f"sensorrep.{name}" for name in ("model", "errors", "quaternion", "records", "packets", "kinematics")}
IMPURE = {"asyncio", "datetime", "logging", "os", "pathlib", "random", "time", "numpy.random"}


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (PACKAGE / folder).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """Every module that the file imports anywhere, functions included; `from a import b` gives both a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(module: str, allowed: set[str]) -> bool:
    return any(module == root or module.startswith(root + ".") for root in allowed)


def allowed_in(path: Path) -> set[str]:
    folder = "sensorrep." + path.relative_to(PACKAGE).parts[0]
    extra = {
        "sensorrep.devices": {"importlib"},
        "sensorrep.stages.decode": {"sensorrep.devices"},
        "sensorrep.stages.feed": {"sensorrep.devices"},
    }
    return PLAIN | NUMERIC | CORE | {folder} | extra.get(name(path), set())


@pytest.mark.parametrize("path", modules("devices", "kinematics", "stages"), ids=name)
def test_folders_that_compute_import_only_what_computes(path: Path) -> None:
    """A package alone (`from sensorrep import model`) is judged by the names taken from it."""
    found = {module for module in imports(path) if module != "sensorrep"}
    assert not {module for module in found if not within(module, allowed_in(path))}
    assert not {module for module in found if within(module, IMPURE)}


@pytest.mark.parametrize("name", ["model", "packets", "pipeline", "quaternion", "records"])
def test_what_the_stages_stand_on_imports_nothing_impure(name: str) -> None:
    assert not {module for module in imports(PACKAGE / f"{name}.py") if within(module, IMPURE)}


@pytest.mark.parametrize("path", modules("devices", "kinematics", "stages"), ids=name)
def test_folders_that_compute_open_nothing_and_draw_nothing_by_chance(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    taken = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert not called & {"open", "print", "input"}
    assert not taken & {"random", "fromfile", "load", "loadtxt"}


def test_the_rule_sees_every_way_to_import(tmp_path: Path) -> None:
    """Or else the tests of this file could pass on anything."""
    path = tmp_path / "module.py"
    path.write_text("import os.path\nfrom numpy import random\ndef late():\n    import time as t\n", encoding="utf-8")
    assert {module for module in imports(path) if within(module, IMPURE)} == {"os.path", "numpy.random", "time"}


def test_only_the_radio_and_its_simulated_world_import_bleak() -> None:
    users = {name(path) for path in modules(".") if any(within(module, {"bleak"}) for module in imports(path))}
    assert users
    assert all(within(user, {"sensorrep.sources.ble", "sensorrep.sources.simulated"}) for user in users)


def test_only_views_import_matplotlib() -> None:
    users = {name(path) for path in modules(".") if any(within(module, {"matplotlib"}) for module in imports(path))}
    assert users
    assert all(user.startswith("sensorrep.views.") for user in users)


def test_help_loads_no_heavy_library() -> None:
    """Keeps `sensorrep --help` instant."""
    program = (
        "import sys; from sensorrep.cli import main; sys.argv = ['sensorrep', '--help']\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'bleak', 'matplotlib', 'numpy', 'scipy', 'vqf'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "heavy: []"
