"""The shell tools on a machine that is not fit for them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = ("bash", "cat", "cksum", "dirname", "env")


def run_with_python(folder: Path, python: str | None) -> subprocess.CompletedProcess[str]:
    """Run `tools/run` of a copy of the project where the only python3 is this shell script (or none)."""
    (folder / "bin").mkdir()
    for command in COMMANDS:
        (folder / "bin" / command).symlink_to(str(shutil.which(command)))
    if python is not None:
        (folder / "bin" / "python3").write_text(f"#!{folder}/bin/bash\n{python}", encoding="utf-8")
        (folder / "bin" / "python3").chmod(0o755)
    shutil.copytree(ROOT / "tools", folder / "tools")
    shutil.copy(ROOT / "pyproject.toml", folder)
    environment = {key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ}
    return subprocess.run(
        [folder / "tools" / "run", "--help"],
        env={**environment, "PATH": str(folder / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("python", "message"),
    [
        (None, "needs Python 3.11 or later, found none"),
        (
            'case "$*" in --version) echo Python 3.9.2;; *) exit 1;; esac',
            "needs Python 3.11 or later, found Python 3.9.2",
        ),
        (
            'case "$*" in *ensurepip*) exit 1;; *print*) echo 3.11;; --version) echo Python 3.11.2;; *) exit 0;; esac',
            "apt-get install python3.11-venv",
        ),
    ],
    ids=["no Python", "old Python", "Python without venv"],
)
def test_an_unfit_python_gives_one_line_that_says_what_to_do(tmp_path: Path, python: str | None, message: str) -> None:
    run = run_with_python(tmp_path, python)
    assert run.returncode == 1
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1, run.stderr
    assert run.stderr.startswith("sensorrep: ")
    assert message in run.stderr
