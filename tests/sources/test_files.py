import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensorrep.errors import RecordingError
from sensorrep.sources.files import create_private, make_private_folders, told


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_what_is_made_is_the_owner_s_whatever_the_umask(tmp_path: Path) -> None:
    make_private_folders(tmp_path / "a" / "b")
    with create_private(tmp_path / "a" / "b" / "file") as file:
        file.write(b"mine")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/file")]
    assert modes == [0o700, 0o700, 0o600]


def test_folders_that_exist_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o755)
    make_private_folders(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "x"), "no space left on the disk: make room"),
        (PermissionError(errno.EACCES, "x"), "check the permissions"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (OSError("our own words"), "our own words"),
    ],
)
def test_the_system_s_errors_become_one_line_with_the_path(error: OSError, words: str) -> None:
    with (
        pytest.raises(RecordingError, match=rf"^there: cannot be read: .*{words}") as caught,
        told(Path("there"), "cannot be read"),
    ):
        raise error
    assert "\n" not in str(caught.value)
