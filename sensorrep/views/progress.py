"""A progress bar for work on a file, on standard error."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from sensorrep.model import Packet


class Source(Protocol):
    """A file being read."""

    size: int
    bytes_read: int

    def blocks(self) -> Iterator[Sequence[Packet]]:
        """Its packets."""
        ...


def with_progress(source: Source) -> Iterator[Sequence[Packet]]:
    """The blocks of a source, and a bar that says how far into the file they are; it is gone afterwards."""
    columns = (TextColumn("Reading"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=source.size or None)
        for block in source.blocks():
            yield block
            progress.update(task, completed=source.bytes_read)
