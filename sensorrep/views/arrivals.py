"""What a sensor's arrivals say about its clock and its radio link (pure)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import FloatArray, IntArray, Samples
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


class Run(NamedTuple):
    """The last sample of each packet within one epoch: counter, sensor's clock, arrival, all (n,)."""

    counter: IntArray
    device_ns: IntArray
    received_ns: IntArray


def last_samples(samples: Samples) -> Samples:
    """The last sample of each packet, of samples of one foot in the order of their counter."""
    last = np.append(samples["received_ns"][1:] != samples["received_ns"][:-1], True)
    return Samples(samples[last[: len(samples)]])


def arrivals(blocks: Sequence[Samples]) -> Arrivals:
    """Sum up one foot's last samples, all blocks of a recording.

    Each run of the sensor's clock is laid against the host's by the line under all its lags (arrival minus sensor
    time) that is nearest to them, as `stages.clock` does it live: the delay of a packet is its height above the line.
    Over a whole run a drift that changes with temperature bends away from the line by some milliseconds an hour.
    """
    runs = _runs(blocks)
    if not runs:
        return Arrivals(0, None, None, None, None)
    lines = [_line(run) for run in runs]
    delay_s = np.concatenate([delay for _, delay in lines])
    longest = int(np.argmax([_span_s(run) for run in runs]))
    run, told = runs[longest], _span_s(runs[longest]) >= LEAST_S
    counted = int(run.counter[-1] - run.counter[0])
    return Arrivals(
        restarts=len(runs) - 1,
        sensor_rate_hz=counted / _span_s(run) if counted > 0 and _span_s(run) > 0 else None,
        slow_ppm=lines[longest][0] * 1e6 if told else None,
        delay_p95_s=float(np.percentile(delay_s, 95)),
        delay_max_s=float(delay_s.max()),
    )


def _runs(blocks: Sequence[Samples]) -> list[Run]:
    epoch = np.concatenate([np.zeros(0, np.int64), *(block["epoch"] for block in blocks)])
    columns = [np.concatenate([block[name] for block in blocks]) for name in Run._fields] if len(epoch) else []
    edges = np.flatnonzero(np.diff(epoch)) + 1
    return [Run(*parts) for parts in zip(*(np.split(column, edges) for column in columns), strict=True)]


def _span_s(run: Run) -> float:
    return float(run.device_ns[-1] - run.device_ns[0]) * 1e-9


def _line(run: Run) -> tuple[float, FloatArray]:
    """(slope, delays): host seconds per sensor second less one, and each packet's height above the line in seconds."""
    x_s = (run.device_ns - run.device_ns[0]) * 1e-9
    lag_s = (run.received_ns - run.device_ns - (run.received_ns[0] - run.device_ns[0])) * 1e-9
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
