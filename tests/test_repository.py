"""What must hold of the repository as a whole."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from sensorrep.cli import app

ROOT = Path(__file__).parents[1]


def committed() -> list[Path]:
    """Every file that is or may be committed; ignored ones are left out."""
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file())


def text_of(path: Path) -> str:
    """The file's text; empty for binary files."""
    raw = path.read_bytes()
    return "" if b"\0" in raw else raw.decode("utf-8")


FORBIDDEN = {
    # Each pattern is written so that it does not match itself.
    "a path of one machine": r"(?<![\w./~-])/(?:work|root|home|Users|tmp)/[\w.]",
    "a package index": r"py[p]i\.|pythonhosted[.]|(?:--|_|\b)index-url|find-links|artifactory|npmjs[.]",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in committed()
        if path != Path(__file__)
        for match in pattern.finditer(text_of(path))
    ]
    assert not found


def test_there_is_no_lock_file() -> None:
    locks = ("*.lock", "*-lock.json", "requirements*.txt", "pylock*.toml")
    assert not [path for path in committed() if any(path.match(lock) for lock in locks)]


def test_the_version_is_written_in_one_place() -> None:
    versions = [
        str(path.relative_to(ROOT))
        for path in committed()
        if path.suffix in {".py", ".toml", ".cfg"}
        if re.search(r'^(?:__version__|version)\s*=\s*["\']\d', text_of(path), re.MULTILINE)
    ]
    assert versions == ["sensorrep/__init__.py"]


def readme_commands() -> list[str]:
    """Command lines in the README's indented or fenced blocks, without prompts and comments."""
    blocks = re.findall(
        r"^```(?:sh|console)?\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S | re.M
    )
    lines = [line.split("#")[0].removeprefix("$ ").strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_tools_that_the_readme_names_exist_and_are_executable() -> None:
    named = {line.split()[0] for line in readme_commands() if line.startswith(("tools/", ".ci/"))}
    assert {"tools/run", "tools/test"} <= named
    assert not [name for name in named if not (ROOT / name).stat().st_mode & 0o100]


def test_sensorrep_understands_every_command_of_the_readme() -> None:
    """Parses each line as the program would, without running it."""
    program = typer.main.get_command(app)
    lines = [line for line in readme_commands() if line.startswith("tools/run ")]
    assert len(lines) >= 5
    for line in lines:
        name, *arguments = shlex.split(line)[1:]
        assert isinstance(program, TyperGroup)
        program.commands[name].make_context(name, arguments)


def test_files_that_the_readme_links_to_exist() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert not [link for link in links if not (ROOT / link).exists()]
