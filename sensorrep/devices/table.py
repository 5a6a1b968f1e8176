"""Rows of a CSV table as a sensor: what `sources/tables.py` sends, and how it becomes samples. No radio speaks it.

A payload is a run of one foot's rows, each seven little-endian float64: time_s, acceleration x, y, z in m/s², angular
rate x, y, z in rad/s. The sensor's info is its median sample interval and the shortest interval that is a gap, both in
seconds, as two little-endian float64.
"""

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

from sensorrep.devices import Script
from sensorrep.errors import PayloadError
from sensorrep.model import SAMPLE, BoolArray, FloatArray, IntArray, Packet, Samples

MODEL: Final = "table"
TITLE: Final = "CSV table"
CHANNELS: Final[dict[str, str]] = {}
TIMES: Final = "session"
MIN_MTU: Final = 23
CHANNEL: Final = "table"

PERIOD_LIMITS_S: Final = (1e-4, 0.5)
"""Sample intervals outside of this are no IMU's; they come from a time that is not in seconds."""
MAX_TIME_S: Final = 9e9
"""Times have to fit 64 bits of nanoseconds; seconds since 1970 do."""
MAX_VALUE: Final = 1e6
"""No IMU says more than a thousandth of this, in any unit."""

_INFO: Final = struct.Struct("<dd")
_ROW: Final = np.dtype("<f8")
_COLUMNS: Final = 7


def recognises(name: str | None, services: Sequence[str]) -> bool:  # noqa: ARG001
    """No advertisement is a table's."""
    return False


def start(rate_hz: float) -> Script:
    """Misuse: there is nothing to start."""
    raise ValueError(f"a table is no radio device and cannot be started (at {rate_hz} Hz)")


def stop() -> Script:
    """Misuse: there is nothing to stop."""
    raise ValueError("a table is no radio device and cannot be stopped")


def pack_info(period_s: float, gap_s: float) -> bytes:
    """The sensor's info."""
    return _INFO.pack(period_s, gap_s)


def pack_rows(rows: FloatArray) -> bytes:
    """Rows (n, 7) as a payload."""
    return rows.astype(_ROW, copy=False).tobytes()


def sensible(rows: FloatArray) -> BoolArray:
    """Which rows (n, 7) hold nothing but numbers of a possible size, (n,)."""
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(rows) <= [MAX_TIME_S, *[MAX_VALUE] * 6]).all(axis=1))


def nominal_hz(info: bytes) -> float:
    """The rate that the sensor was set to."""
    return 1.0 / float(_INFO.unpack(info)[0])


class Decoder:
    """Packets of one foot's rows -> samples (`devices.Decoder`): `device_ns` is the table's time, rounded.

    The counter goes up by one a row, and where an interval is a gap, by the number of median intervals in it: lost rows
    show and jitter does not. Each row is judged against the one before it alone; no error of the interval adds up. A
    payload that is no whole number of rows, or holds impossible numbers, is malformed.
    """

    def __init__(self, info: bytes) -> None:
        if len(info) != _INFO.size:
            raise PayloadError(f"a table's info has {_INFO.size} bytes, not {len(info)}")
        self._period_s, self._gap_s = _INFO.unpack(info)
        if not (PERIOD_LIMITS_S[0] <= self._period_s <= PERIOD_LIMITS_S[1] and self._gap_s > self._period_s):
            raise PayloadError(f"no sensor samples every {self._period_s:g} s, with gaps from {self._gap_s:g} s on")
        self.malformed = 0
        self._time_s: float | None = None
        self._counter = -1

    def push(self, packets: Sequence[Packet]) -> Samples:
        """Samples of these packets, one a row; `foot` is left 0."""
        good = [packet for packet in packets if packet.channel == CHANNEL and _is_rows(packet.payload)]
        self.malformed += len(packets) - len(good)
        sizes = [len(packet.payload) // (_COLUMNS * _ROW.itemsize) for packet in good]
        rows = np.frombuffer(b"".join([packet.payload for packet in good]), _ROW).reshape(-1, _COLUMNS)
        samples = np.zeros(len(rows), SAMPLE)
        if len(rows):
            samples["counter"] = self._count(rows[:, 0])
            samples["device_ns"] = np.rint(rows[:, 0] * 1e9)
            samples["received_ns"] = np.repeat(np.array([packet.received_ns for packet in good]), sizes)
            samples["acc_m_s2"] = rows[:, 1:4]
            samples["gyr_rad_s"] = rows[:, 4:7]
        return Samples(samples)

    def _count(self, time_s: FloatArray) -> IntArray:
        before_s = time_s[0] - self._period_s if self._time_s is None else self._time_s
        interval_s = np.diff(time_s, prepend=before_s)
        jitter = (interval_s >= 0) & (interval_s < self._gap_s)
        steps = np.where(jitter, 1, np.rint(interval_s / self._period_s)).astype(np.int64)
        counter: IntArray = self._counter + np.cumsum(steps)
        self._time_s, self._counter = float(time_s[-1]), int(counter[-1])
        return counter


def _is_rows(payload: bytes) -> bool:
    if not payload or len(payload) % (_COLUMNS * _ROW.itemsize):
        return False
    return bool(sensible(np.frombuffer(payload, _ROW).reshape(-1, _COLUMNS)).all())
