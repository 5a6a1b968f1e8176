"""Lines of a CSV table -> rows of numbers (pure)."""

import csv
import math
from typing import Final, NamedTuple

import numpy as np

from sensorrep.devices.table import MAX_TIME_S, MAX_VALUE, sensible
from sensorrep.errors import RecordingError
from sensorrep.model import FloatArray, Foot, IntArray

SENSOR: Final = "sensor"
NUMBERS: Final = (
    "time_s",
    *("acc_x_m_s2", "acc_y_m_s2", "acc_z_m_s2"),
    *("gyr_x_rad_s", "gyr_y_rad_s", "gyr_z_rad_s"),
)
COLUMNS: Final = (NUMBERS[0], SENSOR, *NUMBERS[1:])
"""The long form's header."""
_NUMBERS_ONLY: Final = np.dtype([("numbers", "f8", (len(NUMBERS),))])
_WITH_SENSOR: Final = np.dtype([("sensor", "U6"), ("numbers", "f8", (len(NUMBERS),))])


class Layout(NamedTuple):
    """Where a table's columns are."""

    path: object
    numbers: tuple[int, ...]
    sensor: int | None
    foot: Foot
    """Of every row, where no column says so."""


class Rows(NamedTuple):
    """Rows of a piece of a file: line number (n,), foot (n,), numbers (n, 7)."""

    line: IntArray
    foot: IntArray
    numbers: FloatArray


def parse_header(path: object, header: bytes, foot: Foot | None) -> Layout:
    """Find the columns in the first line; `foot` is that of a table without `sensor` column. Raises RecordingError."""
    if not header:
        raise RecordingError(path, None, "the file is empty")
    names = [name.strip() for name in header.decode("utf-8-sig", "replace").replace('"', "").split(",")]
    needed = NUMBERS if foot is not None else COLUMNS
    missing = [name for name in needed if name not in names]
    if len(names) == 1:
        raise RecordingError(path, 1, f"columns must be separated by commas, and their names are {','.join(COLUMNS)}")
    if missing:
        which = "all columns" if missing == [*needed] else ", ".join(missing)
        raise RecordingError(path, 1, f"{which} missing: the columns of a table are {','.join(COLUMNS)}")
    sensor = names.index(SENSOR) if SENSOR in names else None
    return Layout(path, tuple(names.index(name) for name in NUMBERS), sensor, foot or Foot.LEFT)


def parse_lines(layout: Layout, lines: list[str], first_line: int) -> Rows:
    """Rows of these lines, blank ones left out. Raises RecordingError with the number of the line at fault."""
    plain = _parse_plain(layout, lines, first_line)
    return _parse_carefully(layout, lines, first_line) if plain is None else plain


def _parse_plain(layout: Layout, lines: list[str], first_line: int) -> Rows | None:
    """All lines at once; None where one of them is not a plain row, or not a valid one."""
    columns = layout.numbers if layout.sensor is None else (layout.sensor, *layout.numbers)
    dtype = _NUMBERS_ONLY if layout.sensor is None else _WITH_SENSOR
    if not lines[0].strip():
        return None  # numpy warns where there is nothing at all
    try:
        table = np.loadtxt(lines, dtype, comments=None, delimiter=",", usecols=columns, ndmin=1)
    except ValueError:
        return None
    foot = np.full(len(table), layout.foot, np.int64)
    known = True
    if layout.sensor is not None:
        foot = np.where(table["sensor"] == "right", 1, 0)
        known = bool(np.isin(table["sensor"], ("left", "right")).all())
    numbers = np.ascontiguousarray(table["numbers"])
    if not (known and sensible(numbers).all() and len(table) == len(lines)):
        return None
    return Rows(np.arange(first_line, first_line + len(lines)), foot, numbers)


def _parse_carefully(layout: Layout, lines: list[str], first_line: int) -> Rows:
    found: list[tuple[int, Foot, list[float]]] = []
    for number, line in enumerate(lines, first_line):
        try:
            cells = [cell.strip() for cell in next(csv.reader([line]), [])]
            if any(cells):
                found.append((number, _foot(layout, cells), _numbers(layout, cells)))
        except (csv.Error, ValueError) as error:
            raise RecordingError(layout.path, number, str(error)) from None
    return Rows(
        np.array([number for number, _, _ in found], np.int64),
        np.array([foot for _, foot, _ in found], np.int64),
        np.array([numbers for _, _, numbers in found], np.float64).reshape(-1, len(NUMBERS)),
    )


def _foot(layout: Layout, cells: list[str]) -> Foot:
    if layout.sensor is None:
        return layout.foot
    word = _cell(cells, layout.sensor, SENSOR)
    for foot in Foot:
        if word.lower() == foot.word:
            return foot
    raise ValueError(f"sensor must be left or right, not {word[:20]!r}")


def _numbers(layout: Layout, cells: list[str]) -> list[float]:
    numbers = []
    for name, column in zip(NUMBERS, layout.numbers, strict=True):
        cell = _cell(cells, column, name)
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError(f"{name} must be a number, not {cell[:20]!r}: leave out rows in which one is missing")
        if abs(number) > (MAX_TIME_S if name == "time_s" else MAX_VALUE):
            raise ValueError(f"{name} cannot be {number:g}: check its unit")
        numbers.append(number)
    return numbers


def _cell(cells: list[str], column: int, name: str) -> str:
    if column >= len(cells):
        raise ValueError(f"{name} is missing: the line has only {len(cells)} columns")
    return cells[column]
