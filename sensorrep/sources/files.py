"""Files of one person: created for their owner only, and errors in a line that says what to do."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Final

from sensorrep.errors import RecordingError

_CAUSES: Final[dict[type[OSError], str]] = {
    FileNotFoundError: "there is no such file or folder: check the name",
    FileExistsError: "it exists already, and recordings are never overwritten: choose another name",
    IsADirectoryError: "it is a folder: name a file",
    PermissionError: "it is not allowed: check the permissions of file and folder",
}


@contextmanager
def told(path: Path, what: str) -> Iterator[None]:
    """Turn the system's errors into a line for the person."""
    try:
        yield
    except OSError as error:
        raise RecordingError(path, None, f"{what}: {_cause(error)}") from error


def _cause(error: OSError) -> str:
    if error.errno is None:  # one of our own
        return str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "there is no space left on the disk: make room, what was written before is kept"
    if error.errno == errno.EROFS:
        return "nothing can be written in this place: choose another folder"
    return _CAUSES.get(type(error), error.strerror or str(error))


def make_private_folders(folder: Path) -> None:
    """Make what is missing of a path of folders."""
    for missing in reversed([parent for parent in (folder, *folder.parents) if not parent.exists()]):
        missing.mkdir(mode=0o700)


def create_private(path: Path) -> FileIO:
    """A new file, open for appending without buffer; never one that exists."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
    return os.fdopen(file, "wb", buffering=0)


def check_new(path: Path) -> None:
    """Raises RecordingError where no new file can be made there; leaves none."""
    with told(path, "cannot be written"):
        make_private_folders(path.absolute().parent)
        create_private(path).close()
        path.unlink()


def write_private(path: Path, content: bytes) -> None:
    """A file with this content, in place of what it held; a new one for its owner only."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 (mode)
        file.write(content)


def sync_folder(folder: Path) -> None:
    """Bring a new file's name to the disk, where the system lets one."""
    if os.name == "posix":
        with suppress(OSError):
            at = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(at)
            finally:
                os.close(at)
