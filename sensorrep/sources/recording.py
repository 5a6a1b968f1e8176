"""Recordings on disk, read: all that a torn file still holds. `sensorrep.sources.recorder` writes them.

The format is in recordings/README.md, its lines are in `sensorrep.sources.lines`.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, Self

from sensorrep import packets as columns
from sensorrep.errors import RecordingError
from sensorrep.model import Packet, RecordingHeader
from sensorrep.sources.files import told
from sensorrep.sources.inflate import inflate
from sensorrep.sources.lines import MAX_LINE, parse_header, parse_line, parse_packets, runs
from sensorrep.sources.order import Order
from sensorrep.sources.recorder import RecordingWriter

__all__ = ["Recording", "RecordingWriter", "open_recording"]

_CHUNK: Final = 1 << 18
"""Bytes read (and inflated) at a time: larger costs memory, smaller costs time."""
_MAX_EVENT_BYTES: Final = 1 << 24
"""All events together: they are kept in memory, packets are not. A session has below 100 000."""
_NAMED_LINES: Final = 5
"""How many damaged lines are named before "and others"."""


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

    def blocks(self, packets_per_block: int = 4096) -> Iterator[Sequence[Packet]]:
        """The packets in the file's order, so many at a time (fewer in the last block)."""
        if self._file.closed:
            raise ValueError("a recording is read once: open it again")
        with self:
            waiting: Sequence[Packet] = []
            for packets in self._in_order():
                waiting = columns.joined([waiting, packets])
                whole = len(waiting) - len(waiting) % packets_per_block
                for start in range(0, whole, packets_per_block):
                    yield waiting[start : start + packets_per_block]
                waiting = waiting[whole:]
            if len(waiting):
                yield waiting

    def _in_order(self) -> Iterator[Sequence[Packet]]:
        for piece in self._pieces:
            yield self._order.push(self._read_lines(piece))
        yield self._order.finish()

    def _read_header(self) -> RecordingHeader:
        piece = next(self._pieces, None)
        if piece is None:
            if self.bytes_read == 0:
                raise RecordingError(self.path, None, "the file is empty: nothing was recorded")
            piece = b""
        line, newline, rest = piece.partition(b"\n")
        self._line = 1
        if newline:
            self._pieces = chain([rest], self._pieces)
        return parse_header(self.path, _text(line).removeprefix("\ufeff"))

    def _read_lines(self, piece: bytes) -> Sequence[Packet]:
        parts: list[Sequence[Packet]] = []
        for run in runs(piece):
            found = None if self._ended else parse_packets(run, self._feet)
            if found is None:
                found = self._one_by_one(run)
            else:
                self._line += len(found)
            self._packets += len(found)
            parts.append(found)
        return columns.joined(parts)

    def _one_by_one(self, run: bytes) -> list[Packet]:
        packets: list[Packet] = []
        for line in map(_text, run.split(b"\n")):
            self._line += 1
            if line.strip():
                self._read_line(line, packets)
        return packets

    def _read_line(self, line: str, packets: list[Packet]) -> None:
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

    def _whole_lines(self) -> Iterator[bytes]:
        """Text of whole lines, about a chunk at a time; what follows the last newline comes by itself."""
        rest, too_long = b"", False
        for chunk in self._inflated_chunks():
            if too_long:
                _, newline, chunk = chunk.partition(b"\n")
                too_long = not newline
            whole, newline, tail = chunk.rpartition(b"\n")
            if newline:
                yield rest + whole
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
            yield rest

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
