"""What a sensor's arrivals say about its clock and its radio link (pure)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import BoolArray, FloatArray, IntArray, Samples
from sensorrep.stages.clock import extend, support

BIN_S: Final = 2.0
"""The fastest packet of each such span is a point of the line. Larger is faster, smaller sees more in a short one."""
LEAST_S: Final = 30.0
"""Shorter runs say nothing about a clock's drift: 20 ms of delay over them are 700 ppm."""
SLOPE_LIMIT: Final = 0.1
"""Sensors without a clock count samples, and their oscillators are off by a few per cent."""


class Arrivals(NamedTuple):
    """A foot's link over the whole recording; None where there was too little to tell."""

    restarts: int
    """How often the sensor's clock or counter started anew."""
    sensor_rate_hz: float | None
    """Samples per second of the sensor's own clock."""
    slow_ppm: float | None
    """How much slower than the host's the sensor's clock runs, over its longest run."""
    delay_p95_s: float | None
    """What 95 % of the packets stay below, beyond the fastest ones' delay (which one-way traffic cannot show)."""
    delay_max_s: float | None


_EPOCH, _COUNTER, _DEVICE, _RECEIVED = range(4)


def last_samples(samples: Samples) -> IntArray:
    """Epoch, counter, device_ns and received_ns (n, 4) of the last sample of each arrival, of one foot's samples."""
    names = ("epoch", "counter", "device_ns", "received_ns")
    return _last_of_each(np.column_stack([samples[name].astype(np.int64) for name in names]))


def _last_of_each(rows: IntArray) -> IntArray:
    # Packets that arrived at the same instant count as one: only the last of them is nearest to being on time.
    last: BoolArray = np.append(rows[1:, _RECEIVED] != rows[:-1, _RECEIVED], True)[: len(rows)]
    return rows[last]


def arrivals(blocks: Sequence[IntArray]) -> Arrivals:
    """Sum up one foot's last samples, all blocks of a recording.

    Each run of the sensor's clock is laid against the host's by the line under all its lags (arrival minus sensor
    time) that is nearest to them, as `stages.clock` does it live: the delay of a packet is its height above the line.
    Over a whole run a drift that changes with temperature bends away from the line by some milliseconds an hour.
    """
    rows = _last_of_each(np.concatenate([np.zeros((0, 4), np.int64), *blocks]))
    if not len(rows):
        return Arrivals(0, None, None, None, None)
    runs = np.split(rows, np.flatnonzero(np.diff(rows[:, _EPOCH])) + 1)
    lines = [_line(run) for run in runs]
    delay_s = np.concatenate([delay for _, delay in lines])
    longest = max(range(len(runs)), key=lambda number: _span_s(runs[number]))
    counted, span_s = int(runs[longest][-1, _COUNTER] - runs[longest][0, _COUNTER]), _span_s(runs[longest])
    return Arrivals(
        restarts=len(runs) - 1,
        sensor_rate_hz=counted / span_s if counted > 0 and span_s > 0 else None,
        slow_ppm=lines[longest][0] * 1e6 if span_s >= LEAST_S else None,
        delay_p95_s=float(np.percentile(delay_s, 95)),
        delay_max_s=float(delay_s.max()),
    )


def _span_s(run: IntArray) -> float:
    return float(run[-1, _DEVICE] - run[0, _DEVICE]) * 1e-9


def _line(run: IntArray) -> tuple[float, FloatArray]:
    """(slope, delays): host seconds per sensor second less one, and each arrival's height above the line in seconds."""
    x_s = (run[:, _DEVICE] - run[0, _DEVICE]) * 1e-9
    lag_ns = run[:, _RECEIVED] - run[:, _DEVICE]
    lag_s = (lag_ns - lag_ns[0]) * 1e-9
    bins = np.floor(x_s / BIN_S)
    starts = np.flatnonzero(np.append(True, bins[1:] != bins[:-1]))
    hull: list[tuple[float, float]] = []
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(x_s)], strict=True):
        fastest = start + int(lag_s[start:end].argmin())
        if not hull or x_s[fastest] > hull[-1][0]:
            extend(hull, (float(x_s[fastest]), float(lag_s[fastest])))
    _, slope = support(hull, len(starts), weight=1.0, limit=SLOPE_LIMIT)
    height_s = lag_s - slope * x_s
    return slope, height_s - height_s.min()
