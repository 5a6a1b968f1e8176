"""CSV tables as a source of packets: one file with both feet, or one file a foot (recordings/README.md).

A table is read and checked as a whole when it is opened (0.7 s for an hour of two feet at 100 Hz, 56 bytes of memory a
row), so that a bad row is told before anything was computed. Columns are found by name, in any order; others are
ignored.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Self

import numpy as np

from sensorrep.devices.table import CHANNEL, MODEL, PERIOD_LIMITS_S, pack_info, pack_rows
from sensorrep.errors import RecordingError
from sensorrep.model import FloatArray, Foot, IntArray, Packet, RecordingHeader, SensorInfo
from sensorrep.sources.files import told
from sensorrep.sources.order import LONGEST_NS
from sensorrep.sources.rows import Layout, Rows, parse_header, parse_lines

PACKET_S: Final = 0.1
"""How much of a foot's rows goes into a packet. Larger is less work; paced replay shows everything so much later."""
GAP_PERIODS: Final = 1.75
"""An interval this many times the median one is a gap: two periods are one lost row. Larger overlooks single lost rows,
smaller takes jitter of a third of the period for loss."""
UNSTEADY: Final = 0.3
"""Spread of the middle half of the intervals, in medians, above which times are those of arrival, not the sensor's."""
UNSTEADY_GAP_S: Final = 0.06
"""Then only what is longer than a connection interval (50 ms) is a gap."""
LONGEST_S: Final = LONGEST_NS * 1e-9
GRAVITY_LIMITS_M_S2: Final = (4.0, 25.0)
"""Where the median length of the acceleration must lie; gravity is 9.8, and people do not fly."""
FAST_RAD_S: Final = 40.0
"""2300 deg/s: above what ankles do and most gyroscopes can say, so more than 1 % of it is another unit."""
_PIECE: Final = 1 << 20
"""Bytes parsed at a time, and about the longest line."""


def open_table(paths: Sequence[str | Path]) -> "Table":
    """Read one table with one or both feet, or two tables with a foot each. Raises RecordingError.

    With two tables the `sensor` column says which is which; where both lack it, or both say the same, the first is the
    left foot.
    """
    if not 1 <= len(paths) <= 2:
        raise ValueError("give one table, or one a foot")
    pair = len(paths) == 2
    files = [_read_file(Path(path), foot if pair else None) for path, foot in zip(paths, Foot, strict=False)]
    return Table(_on_two_feet(*files) if pair else files)


class Table:
    """Tables being replayed, in the shape of `sensorrep.sources.recording.Recording`."""

    def __init__(self, files: Sequence["_File"]) -> None:
        self.path = files[0].path
        self.events: list[dict[str, Any]] = []
        self.damage = [loss for file in files for loss in file.losses]
        self.closed_cleanly = not self.damage
        self.size = sum(file.size for file in files)
        self.bytes_read = 0
        """Bytes of the files given so far, of `size`."""
        self._rows = {foot: rows for file in files for foot, rows in file.rows.items()}
        _expect_one_clock(files[-1].path, self._rows)
        self.header = RecordingHeader(
            feet={
                foot: SensorInfo(MODEL, file.path.name, _checked(file.path, foot, rows))
                for file in files
                for foot, rows in file.rows.items()
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is open: the files were read as a whole."""

    def blocks(self, packets_per_block: int = 64) -> Iterator[list[Packet]]:
        """The packets by the time of their last row, so many at a time (fewer in the last block)."""
        spans = _spans(self._rows)
        rows_given = np.cumsum(spans[:, 3] - spans[:, 2])
        for first in range(0, len(spans), packets_per_block):
            block = [
                Packet(received_ns, Foot(foot), CHANNEL, pack_rows(self._rows[Foot(foot)][start:end]))
                for received_ns, foot, start, end in spans[first : first + packets_per_block].tolist()
            ]
            self.bytes_read = self.size * int(rows_given[first + len(block) - 1]) // int(rows_given[-1])
            yield block


class _File(NamedTuple):
    """A table as read: each foot's rows (n, 7) in the order of NUMBERS."""

    path: Path
    size: int
    rows: dict[Foot, FloatArray]
    named: bool
    """Whether a column says which foot a row is of."""
    losses: list[str]


def _on_two_feet(first: _File, second: _File) -> list[_File]:
    both = first.rows.keys() & second.rows.keys()
    if both and len(first.rows) == len(second.rows) == 1 and first.named == second.named:
        return [
            file._replace(rows={foot: rows})
            for file, foot in zip((first, second), Foot, strict=True)
            for rows in file.rows.values()
        ]
    if both:
        what = f"the {min(both).word} foot is in {first.path} too: give one table with both feet, or one a foot"
        raise RecordingError(second.path, None, what)
    return [first, second]


def _read_file(path: Path, foot: Foot | None) -> _File:
    """Read a table; `foot` is that of a table without `sensor` column, None where the column is needed."""
    rows: dict[Foot, list[FloatArray]] = {}
    losses: list[str] = []
    with told(path, "cannot be read"), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        layout = parse_header(path, file.readline(_PIECE), foot)
        line = 2
        for piece, finished in _pieces(path, file):
            lines = piece.decode("utf-8", "replace").split("\n")
            try:
                _take(layout, parse_lines(layout, lines, line), rows)
            except RecordingError:
                if finished:
                    raise
                losses.append(f"line {line} is torn: the table breaks off there")
            line += len(lines)
    if not rows:
        raise RecordingError(path, None, "there are no rows below the header")
    joined = {foot: np.concatenate(parts) for foot, parts in sorted(rows.items())}
    return _File(path, size, joined, layout.sensor is not None, losses)


def _pieces(path: Path, file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Whole lines without the last newline, a piece at a time; what follows the last newline, if anything, is False."""
    rest = b""
    while piece := file.read(_PIECE):
        whole, newline, tail = piece.rpartition(b"\n")
        if newline:
            yield rest + whole, True
            rest = tail
        elif len(rest) > _PIECE:
            raise RecordingError(path, None, "this is no table: it has no lines")
        else:
            rest += tail
    if rest:
        yield rest, False


def _take(layout: Layout, piece: Rows, rows: dict[Foot, list[FloatArray]]) -> None:
    """Add a piece to the rows so far, unless time goes back."""
    for foot in Foot:
        mine = piece.foot == foot
        numbers = piece.numbers[mine]
        if not len(numbers):
            continue
        before = rows.setdefault(foot, [])
        time_s = np.append(before[-1][-1, 0] if before else numbers[0, 0], numbers[:, 0])
        backward = np.flatnonzero(np.diff(time_s) < 0)
        if len(backward):
            at = int(backward[0])
            back = f"from {time_s[at]:.12g} to {time_s[at + 1]:.12g}"
            what = f"time_s goes back {back} on the {foot.word} foot: sort the rows by time"
            raise RecordingError(layout.path, int(piece.line[mine][at]), what)
        before.append(numbers)


def _spans(rows_of: dict[Foot, FloatArray]) -> IntArray:
    """(received_ns, foot, start, end) of each packet, in order of arrival."""
    spans = []
    for foot, rows in rows_of.items():
        tenth = np.floor(rows[:, 0] / PACKET_S)
        end = np.append(np.flatnonzero(np.diff(tenth)) + 1, len(rows))
        start = np.append(0, end[:-1])
        received_ns = np.rint(rows[end - 1, 0] * 1e9).astype(np.int64)
        spans.append(np.column_stack([received_ns, np.full(len(end), foot), start, end]))
    every = np.concatenate(spans)
    return every[np.lexsort([every[:, 1], every[:, 0]])]


def _expect_one_clock(path: Path, rows_of: dict[Foot, FloatArray]) -> None:
    """Raise RecordingError unless the feet's times (of rows (n, 7)) overlap and stay within a day."""
    begins_s = [float(rows[0, 0]) for rows in rows_of.values()]
    ends_s = [float(rows[-1, 0]) for rows in rows_of.values()]
    if max(begins_s) > min(ends_s):
        spans = ", ".join(
            f"{foot.word} from {begin_s:.12g} to {end_s:.12g}"
            for foot, begin_s, end_s in zip(rows_of, begins_s, ends_s, strict=True)
        )
        raise RecordingError(path, None, f"the feet have no time_s in common ({spans}): put both on one clock")
    if max(ends_s) - min(begins_s) > LONGEST_S:
        hours = (max(ends_s) - min(begins_s)) / 3600
        raise RecordingError(path, None, f"time_s spans {hours:.0f} hours, and a session is shorter than a day")


def _checked(path: Path, foot: Foot, rows: FloatArray) -> bytes:
    """Info of a foot's rows (n, 7), once they look like an IMU's in the right units."""

    def expect(holds: bool, what: str) -> None:
        if not holds:
            raise RecordingError(path, None, what)

    expect(len(rows) > 1, f"there is only one row of the {foot.word} foot")
    low_s, period_s, high_s = np.percentile(np.diff(rows[:, 0]), (25, 50, 75)).tolist()
    expect(period_s > 0, f"time_s is too coarse: most rows of the {foot.word} foot have the time of the row before")
    seconds = PERIOD_LIMITS_S[0] <= period_s <= PERIOD_LIMITS_S[1]
    expect(seconds, f"rows of the {foot.word} foot are {period_s:g} apart in time_s: it must be in seconds")
    gravity = float(np.median(np.linalg.norm(rows[:, 1:4], axis=1)))
    units = "looks like g: multiply it by 9.80665" if 0.5 < gravity < 2 else "must be in m/s², with gravity"
    low, high = GRAVITY_LIMITS_M_S2
    expect(low < gravity < high, f"the {foot.word} acceleration has length {gravity:.3g} in the median and {units}")
    fast = int(np.count_nonzero(np.linalg.norm(rows[:, 4:7], axis=1) > FAST_RAD_S))
    expect(
        fast <= max(20, 0.01 * len(rows)),
        f"the {foot.word} angular rate exceeds {FAST_RAD_S:g} too often and looks like deg/s: multiply it by 0.0174533",
    )
    unsteady = high_s - low_s > UNSTEADY * period_s
    return pack_info(period_s, max(GAP_PERIODS * period_s, UNSTEADY_GAP_S if unsteady else 0.0))
