"""Recordings on disk: a reader that gives all that a torn file still holds, and a writer that a crash costs little.

The format is in recordings/README.md, its lines are in `sensorrep.sources.lines`.
"""

import os
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

from sensorrep.errors import RecordingError
from sensorrep.model import Packet, RecordingHeader
from sensorrep.sources.files import create_private, make_private_folders, sync_folder, told
from sensorrep.sources.inflate import GZIP, inflate
from sensorrep.sources.lines import (
    MAX_LINE,
    PACKET_OR_OTHER,
    event_line,
    header_line,
    packet_line,
    parse_header,
    parse_line,
)
from sensorrep.sources.order import Order

_CHUNK: Final = 1 << 17
"""Bytes read (and inflated) at a time: larger costs memory, smaller costs time."""
_MAX_EVENT_BYTES: Final = 1 << 24
"""All events together: they are kept in memory, packets are not. A session has below 100 000."""
_NAMED_LINES: Final = 5
"""How many damaged lines are named before "and others"."""
_SYNC_EVERY_S: Final = 0.5
"""How often what was written is brought to the disk: larger loses more in a power cut, smaller wears memory cards."""


def open_recording(path: str | Path) -> "Recording":
    """Open a recording (`.jsonl` or `.jsonl.gz`, told apart by content) and read its header. Raises RecordingError."""
    return Recording(Path(path))


class Recording:
    """A recording being read: its packets come from `blocks`, once; whatever happened to some lines, all others come.

    `events`, `damage` and `closed_cleanly` are complete once `blocks` has run out. An event is the object of its
    line, such as `{"note": {"at_ns": 12, "text": "…"}}`; the closing `end` is not among them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[dict[str, Any]] = []
        self.closed_cleanly = False
        self.bytes_read = 0
        """Bytes of the file read so far, of `size` (0 where that is unknown, as for a pipe)."""
        self._line = 0
        self._packets = 0
        self._order = Order()
        self._unfinished = False
        self._ended = ""
        self._after_end = False
        self._event_bytes = 0
        self._bad_lines: list[int] = []
        self._bad = 0
        self._losses: list[str] = []
        with told(path, "cannot be read"):
            self._file = path.open("rb")
        try:
            self.size = os.fstat(self._file.fileno()).st_size
            self._pieces = self._whole_lines()
            self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise
        self._feet = {foot.word: foot for foot in self.header.feet}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def damage(self) -> list[str]:
        """What was lost so far, in plain words."""
        found = list(self._losses)
        if self._order.left_out:
            packets = "1 packet" if self._order.left_out == 1 else f"{self._order.left_out} packets"
            found.insert(0, f"{packets} with an impossible time of arrival left out")
        if self._bad:
            lines = ", ".join(map(str, self._bad_lines)) + (" and others" if self._bad > len(self._bad_lines) else "")
            skipped = "1 line was" if self._bad == 1 else f"{self._bad} lines were"
            found.insert(0, f"{skipped} no packet of a known foot and no event, and left out (line {lines})")
        return found

    def blocks(self, packets_per_block: int = 4096) -> Iterator[list[Packet]]:
        """The packets in the file's order, so many at a time (fewer in the last block)."""
        if self._file.closed:
            raise ValueError("a recording is read once: open it again")
        with self:
            waiting: list[Packet] = []
            for packets in self._in_order():
                waiting += packets
                whole = len(waiting) - len(waiting) % packets_per_block
                for start in range(0, whole, packets_per_block):
                    yield waiting[start : start + packets_per_block]
                del waiting[:whole]
            if waiting:
                yield waiting

    def _in_order(self) -> Iterator[list[Packet]]:
        for piece in self._pieces:
            yield self._order.push(self._read_lines(piece))
        yield self._order.finish()

    def _read_header(self) -> RecordingHeader:
        piece = next(self._pieces, None)
        if piece is None:
            if self.bytes_read == 0:
                raise RecordingError(self.path, None, "the file is empty: nothing was recorded")
            piece = ""
        line, newline, rest = piece.partition("\n")
        self._line = 1
        if newline:
            self._pieces = chain([rest], self._pieces)
        return parse_header(self.path, line.removeprefix("\ufeff"))

    def _read_lines(self, piece: str) -> list[Packet]:
        packets: list[Packet] = []
        feet, unhex = self._feet, bytes.fromhex
        for received_ns, foot, channel, payload, other in PACKET_OR_OTHER.findall(piece):
            self._line += 1
            if received_ns and not self._ended:
                try:
                    packets.append(Packet(int(received_ns), feet[foot], channel, unhex(payload)))
                except (KeyError, ValueError):  # a foot that the header does not name, half a byte
                    self._skip_line()
            elif received_ns or other.strip():
                self._read_other(other, packets)
        self._packets += len(packets)
        return packets

    def _read_other(self, line: str, packets: list[Packet]) -> None:
        """A line that is no packet in the writer's spelling."""
        if self._ended:
            if not self._after_end:
                self._losses.append(f"{self._ended}, and what follows was not read")
            self._after_end = True
            self.closed_cleanly = False
            return
        match parse_line(line, self._feet):
            case Packet() as packet:
                packets.append(packet)
            case {"end": end}:
                self._ended = f"line {self._line} ends the recording"
                self.closed_cleanly = True
                self._compare_count(end, self._packets + len(packets))
            case {"format": _}:
                self._ended = f"another recording begins at line {self._line}"
                self._losses.append(f"{self._ended} and was not read")
                self._after_end = True
            case dict() as event:
                self._keep_event(event, len(line))
            case None if self._unfinished:
                self._losses.append(f"line {self._line} is torn: the recording breaks off there")
            case None:
                self._skip_line()

    def _compare_count(self, end: Any, read: int) -> None:
        written = end.get("packets") if type(end) is dict else None
        if type(written) is int and written != read:
            self._losses.append(f"{written} packets were recorded, {read} were read")

    def _keep_event(self, event: dict[str, Any], size: int) -> None:
        self._event_bytes += size
        if self._event_bytes <= _MAX_EVENT_BYTES:
            self.events.append(event)
        else:
            self._skip_line()

    def _skip_line(self) -> None:
        self._bad += 1
        if len(self._bad_lines) < _NAMED_LINES:
            self._bad_lines.append(self._line)

    def _whole_lines(self) -> Iterator[str]:
        """Text of whole lines, about a chunk at a time; what follows the last newline comes by itself."""
        rest, too_long = b"", False
        for chunk in self._inflated_chunks():
            if too_long:
                _, newline, chunk = chunk.partition(b"\n")
                too_long = not newline
            whole, newline, tail = chunk.rpartition(b"\n")
            if newline:
                yield _text(rest + whole)
                rest = tail
            elif not too_long:
                rest += tail
            if len(rest) > MAX_LINE:
                if self._line == 0:  # no header begins like this: give up here and not at the end of a large file
                    break
                self._line += 1
                self._skip_line()
                rest, too_long = b"", True
        if rest:
            self._unfinished = True
            yield _text(rest)

    def _inflated_chunks(self) -> Iterator[bytes]:
        chunks = self._chunks()
        first = next(chunks, b"")
        chunks = chain([first], chunks)
        return inflate(chunks, self._losses) if first.startswith(b"\x1f\x8b") else chunks

    def _chunks(self) -> Iterator[bytes]:
        while True:
            try:
                chunk = self._file.read(_CHUNK)
            except OSError as error:
                self._losses.append(
                    f"reading failed after {self.bytes_read} bytes ({error.strerror}): the rest is lost"
                )
                return
            if not chunk:
                return
            self.bytes_read += len(chunk)
            yield chunk


def _text(line: bytes) -> str:
    # Bytes that are no UTF-8 become lone surrogates, which no valid line has: only their own line is lost.
    return line.decode("utf-8", "surrogateescape")


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
            raise FileNotFoundError(None, "the file was deleted while it was being written")

    @contextmanager
    def _or_give_up(self) -> Iterator[None]:
        try:
            with told(self.path, "cannot be written any more"):
                yield
        except RecordingError:
            self._disk.shutdown()
            self._file.close()
            raise
