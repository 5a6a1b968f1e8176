"""Measuring one rep: boundaries, range and its uncertainty, speed, smoothness, tremor, lag."""

from collections.abc import Callable
from typing import Final

import numpy as np

from sensorrep.kinematics import axes as turning
from sensorrep.kinematics.excursions import Boundaries, boundaries
from sensorrep.kinematics.reps import AWAY, Found
from sensorrep.kinematics.spans import Span
from sensorrep.model import FRAME_RATE_HZ, SHORTEST_GAP, BoolArray, FloatArray, HeelSignal, PerFoot, Rep

SCALE_SD: Final = 0.01
"""Typical scale error of a consumer gyroscope (LSM6DS3TR-C data sheet: +-1 %), as a standard uncertainty of range."""
LEVEL_SD_RAD: Final = float(np.radians(0.15))
"""Standard uncertainty of one level: noise, and the strap's movement on the skin."""
ONE_SIDED: Final = 0.25
"""A rep is one-sided when one leg's range is below this share of the other's."""
TREMOR_HZ: Final = (8.0, 12.0)
LEAST_HOLD_S: Final = 0.5
"""Tremor is read in holds of at least this length: four periods of the slowest tremor."""
LEAST_LAG_RANGE_RAD: Final = float(np.radians(2.0))
"""A lag is read when both legs turn at least this far."""


def measure(stretch: HeelSignal, found: Found, span: Span, feet: tuple[int, ...]) -> Rep:
    """One rep of a stretch, on the axes found in it; `pause_s` is left open, since it needs the next rep."""
    part = stretch[span.low : span.next_low + 1]
    _, shares = turning.leg_axes(found.direction)
    opening = turning.opening(part["q_earth_sensor"], found.q_rest, found.axes)
    opening = turning.bridged(opening, part["ok"], found.axes, shares, AWAY)
    heel: FloatArray = opening[:, list(feet)].sum(axis=1)
    high = int(np.argmax(heel[1:-1])) + 1
    at = boundaries(heel, high, FRAME_RATE_HZ)
    rate = np.einsum("nfi,fi->nf", part["rate_rad_s"], found.axes)
    out, back = slice(round(at.start), high + 1), slice(high, round(at.end) + 1)
    lasted = slice(round(at.start), round(at.end) + 1)
    there = tuple(foot for foot in feet if not _away(part["ok"][lasted, foot], AWAY))
    ranges = each(there, lambda foot: _range(opening[:, foot], at))
    start_s = float(part["time_s"][0])
    return Rep(
        start_s=start_s + at.start / FRAME_RATE_HZ,
        open_s=start_s + at.open / FRAME_RATE_HZ,
        close_s=start_s + at.close / FRAME_RATE_HZ,
        end_s=start_s + at.end / FRAME_RATE_HZ,
        pause_s=None,
        range_rad=ranges,
        range_sd_rad=each(there, lambda foot: _range_sd(opening[:, foot], at)),
        opening_rad=_range(heel, at),
        peak_speed_rad_s=each(there, lambda foot: float(_smooth(rate[out, foot]).max())),
        return_speed_rad_s=each(there, lambda foot: float(-_smooth(rate[back, foot]).min())),
        smoothness=each(there, lambda foot: sparc(rate[round(at.start) : round(at.open) + 1, foot], FRAME_RATE_HZ)),
        tremor_rad_s=_tremor(rate[round(at.open) : round(at.close) + 1, list(feet)]),
        lag_s=_lag(opening[: high + 1], at) if len(there) == 2 else None,
        flags=_flags(ranges, part["ok"][lasted][:, list(feet)]),
        checks=span.checks,
    )


def each(feet: tuple[int, ...], value: Callable[[int], float]) -> PerFoot:
    """The value of each foot that is looked at, None for the other."""
    return (value(0) if 0 in feet else None, value(1) if 1 in feet else None)


def sparc(rate: FloatArray, rate_hz: float) -> float:
    """Spectral arc length of an angular rate (n,): dimensionless, negative, nearer to zero is smoother.

    Balasubramanian et al. 2015, doi 10.1186/s12984-015-0090-9: arc length of the normalised amplitude spectrum up to
    10 Hz or to where it stays below 5 %. Applied to the gyroscope's rate as is, which is where it is valid on IMUs
    (Melendez-Calderon et al. 2021, doi 10.3389/fbioe.2020.558771). A rate that is zero throughout gives 0.
    """
    size = 16 * 2 ** int(np.ceil(np.log2(max(len(rate), 2))))
    amplitude = np.abs(np.fft.rfft(rate, size))
    if amplitude.max() == 0.0:
        return 0.0
    frequency = np.fft.rfftfreq(size, 1.0 / rate_hz)
    amplitude = amplitude[frequency <= 10.0] / amplitude.max()
    frequency = frequency[frequency <= 10.0]
    last = int(np.flatnonzero(amplitude >= 0.05)[-1]) + 1
    if last < 2:
        return 0.0
    step = np.diff(frequency[:last]) / (frequency[last - 1] - frequency[0])
    return float(-np.sqrt(step**2 + np.diff(amplitude[:last]) ** 2).sum())


def _away(ok: BoolArray, least: int) -> bool:
    """Whether a foot (n) was away for so many frames on end."""
    return not ok.all() and bool((np.diff(turning.absences(ok)) >= least).any())


def _level(signal: FloatArray, stretch: tuple[int, int]) -> float:
    return float(signal[slice(*stretch)].mean())


def _range(signal: FloatArray, at: Boundaries) -> float:
    """Highest value minus the mean of the rest levels before and after."""
    top = float(signal[at.rest_before[0] : at.rest_after[1]].max())
    return top - 0.5 * (_level(signal, at.rest_before) + _level(signal, at.rest_after))


def _range_sd(signal: FloatArray, at: Boundaries) -> float:
    """Standard uncertainty of `_range`: scale, levels, and what the rest level moved meanwhile (evenly likely)."""
    moved = _level(signal, at.rest_after) - _level(signal, at.rest_before)
    return float(np.sqrt((SCALE_SD * _range(signal, at)) ** 2 + 1.5 * LEVEL_SD_RAD**2 + moved**2 / 12.0))


def _smooth(rate: FloatArray) -> FloatArray:
    """Moving average over 50 ms, so that one noisy frame is no peak speed."""
    return np.convolve(rate, np.full(5, 0.2), "same") if len(rate) >= 5 else rate


def _tremor(rate: FloatArray) -> float | None:
    """RMS of the rates (n, feet) between 8 and 12 Hz, all feet together; None for a short hold."""
    count = len(rate)
    if count < LEAST_HOLD_S * FRAME_RATE_HZ:
        return None
    window = np.hanning(count)[:, None]
    spectrum = np.abs(np.fft.rfft((rate - rate.mean(axis=0)) * window, axis=0)) ** 2
    frequency = np.fft.rfftfreq(count, 1.0 / FRAME_RATE_HZ)
    band = (frequency >= TREMOR_HZ[0]) & (frequency <= TREMOR_HZ[1])
    power = 2.0 * spectrum[band].sum() / (count * float((window**2).sum()))
    return float(np.sqrt(power))


def _lag(opening: FloatArray, at: Boundaries) -> float | None:
    """How much later the right leg is half open than the left, on the way out (n, 2)."""
    halves = []
    for foot in range(2):
        signal = opening[:, foot]
        rest = _level(signal, at.rest_before)
        rise = float(signal.max()) - rest
        if rise < LEAST_LAG_RANGE_RAD:
            return None
        above = int(np.argmax(signal >= rest + 0.5 * rise))
        before, after = signal[max(above - 1, 0)], signal[above]
        halves.append(above - 1 + (rest + 0.5 * rise - before) / (after - before) if after > before else above)
    return float(halves[1] - halves[0]) / FRAME_RATE_HZ


def _flags(ranges: PerFoot, ok: BoolArray) -> tuple[str, ...]:
    flags = []
    known = [value for value in ranges if value is not None]
    if len(known) == 2 and min(known) < ONE_SIDED * max(known):
        flags.append("one_sided")
    if any(_away(ok[:, foot], SHORTEST_GAP) for foot in range(ok.shape[1])):
        flags.append("gap")
    return tuple(flags)
