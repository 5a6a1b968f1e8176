"""Recordings on disk, written so that a crash costs little."""

import os
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

from sensorrep.errors import RecordingError
from sensorrep.model import Packet, RecordingHeader
from sensorrep.sources.files import create_private, make_private_folders, sync_folder, told
from sensorrep.sources.inflate import GZIP
from sensorrep.sources.lines import event_line, header_line, packet_line

_SYNC_EVERY_S: Final = 0.5
"""How often what was written is brought to the disk: larger loses more in a power cut, smaller wears memory cards."""


class RecordingWriter:
    """A recording being written: what `write` and `event` are given is with the system when they return, and on the
    disk half a second of the host's time later (a whole second if the disk is slow). So a crash of the program costs
    nothing, a power cut at most a second. A path that ends in `.gz` is compressed; there a crash may cost that second.

    Raises RecordingError at once when something cannot be written; what was written before stays. Leaving a `with`
    block by an exception closes the file without the `end` that marks a clean close.
    """

    def __init__(self, path: str | Path, header: RecordingHeader) -> None:
        self.path = Path(path)
        self._feet = frozenset(header.feet)
        self._packets = 0
        self._latest_ns: int | None = None
        self._deflater = zlib.compressobj(wbits=GZIP) if self.path.suffix == ".gz" else None
        # The disk is waited for in a thread: half a second of a memory card must not make the radio's time stamps late.
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recording")
        self._syncing: Future[None] | None = None
        self._synced_s = -_SYNC_EVERY_S
        with told(self.path, "cannot be written"):
            make_private_folders(self.path.absolute().parent)
            self._file = create_private(self.path)
        self._append(header_line(header))
        sync_folder(self.path.absolute().parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(clean=kind is None)

    def write(self, packets: Iterable[Packet]) -> None:
        """Append packets. Raises ValueError for a packet that could not be read back."""
        lines = []
        for packet in packets:
            if packet.foot not in self._feet:
                raise ValueError(f"the header names no sensor on the {packet.foot.word} foot")
            lines.append(packet_line(packet))
            self._latest_ns = packet.received_ns
        if lines:
            self._packets += len(lines)
            self._append("\n".join(lines))

    def event(self, kind: str, at_ns: int | None = None, **fields: Any) -> None:
        """Append an event; `at_ns` is the host's monotonic clock, that of the last packet unless it is given."""
        if kind == "end":
            raise ValueError("only close() writes the end")
        at_ns = self._latest_ns if at_ns is None else at_ns
        self._append(event_line(kind, {"at_ns": at_ns, **fields}))

    def close(self, clean: bool = True) -> None:
        """Mark the clean close and bring all to the disk; nothing happens on a file that is closed already."""
        if self._file.closed:
            return
        try:
            if clean:
                self._append(event_line("end", {"at_ns": self._latest_ns, "packets": self._packets}))
            with self._or_give_up():
                if self._deflater:
                    self._write_whole(self._deflater.flush(zlib.Z_FINISH))
                self._sync()
                self._wait_for_disk()
        finally:
            self._disk.shutdown()
            self._file.close()

    def _append(self, lines: str) -> None:
        written = lines.encode() + b"\n"
        due = monotonic() - self._synced_s >= _SYNC_EVERY_S
        with self._or_give_up():
            if self._deflater:
                written = self._deflater.compress(written) + (self._deflater.flush(zlib.Z_SYNC_FLUSH) if due else b"")
            self._write_whole(written)
            if due:
                self._sync()

    def _write_whole(self, written: bytes) -> None:
        while written:
            written = written[self._file.write(written) :]

    def _sync(self) -> None:
        self._wait_for_disk()
        self._syncing = self._disk.submit(self._bring_to_disk, self._file.fileno())
        self._synced_s = monotonic()

    def _wait_for_disk(self) -> None:
        if self._syncing is not None:
            self._syncing.result()

    @staticmethod
    def _bring_to_disk(file: int) -> None:
        os.fsync(file)
        if os.fstat(file).st_nlink == 0:
            raise FileNotFoundError("the file was deleted while it was being written")

    @contextmanager
    def _or_give_up(self) -> Iterator[None]:
        try:
            with told(self.path, "cannot be written any more"):
                yield
        except RecordingError:
            self._disk.shutdown()
            self._file.close()
            raise
