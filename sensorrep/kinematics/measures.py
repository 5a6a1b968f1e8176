"""Measuring one rep: boundaries, range and its uncertainty, speed, smoothness, tremor, lag."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from sensorrep.kinematics import axes as turning
from sensorrep.kinematics.absence import AWAY, bridged, was_away, was_seen
from sensorrep.kinematics.excursions import Boundaries, boundaries
from sensorrep.kinematics.firm import firm
from sensorrep.kinematics.reps import Found
from sensorrep.kinematics.spans import Span
from sensorrep.model import FRAME_RATE_HZ, SHORTEST_GAP, BoolArray, FloatArray, HeelSignal, PerFoot, Rep

RESTS: Final = round(0.3 * FRAME_RATE_HZ)
"""Rest before and after a rep is where the opening stays for so long (`rest_stretches`), as the pose does that is held
where no foot is there."""
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


def measure(stretch: HeelSignal, found: Found, span: Span, feet: tuple[int, ...], worn: Sequence[int]) -> Rep:
    """One rep of a stretch, on the axes found in it; `pause_s` is left open, since it needs the next rep.

    `feet` are those that are looked at, `worn` those of them whose sensor has been heard.
    """
    part = stretch[span.low : span.next_low + 1]
    _, shares = turning.leg_axes(found.direction)
    opening = turning.opening(part["q_earth_sensor"], found.q_rest, found.axes)
    opening = firm(bridged(opening, part["ok"], found.axes, shares, AWAY), part["acc_m_s2"], span.length)
    heel: FloatArray = opening[:, list(feet)].sum(axis=1)
    high = int(np.argmax(heel[1:-1])) + 1
    at = boundaries(heel, high, FRAME_RATE_HZ)
    start, opened, closing, end = (round(instant) for instant in at[:4])
    rate = np.einsum("nfi,fi->nf", part["rate_rad_s"], found.axes)
    speed = _smooth(rate)
    lasted = slice(start, end + 1)
    there = tuple(foot for foot in feet if not was_away(part["ok"][lasted, foot], AWAY))
    if not was_seen(stretch["ok"], feet, span.low + at.rest_before[1] - RESTS, span.low + at.rest_after[0] + RESTS):
        there = ()
    sizes, sds = _ranges(np.concatenate([opening, heel[:, None]], axis=1), at)
    ranges = _each(there, sizes)
    start_s = float(part["time_s"][0])
    return Rep(
        start_s=start_s + at.start / FRAME_RATE_HZ,
        open_s=start_s + at.open / FRAME_RATE_HZ,
        close_s=start_s + at.close / FRAME_RATE_HZ,
        end_s=start_s + at.end / FRAME_RATE_HZ,
        pause_s=None,
        range_rad=ranges,
        range_sd_rad=_each(there, sds),
        # a foot that came back during the rep has no range: its part of the opening would stand beside nothing
        opening_rad=float(sizes[there[0] if len(there) == 1 else 2]),
        peak_speed_rad_s=_each(there, speed[start : high + 1].max(axis=0)),
        return_speed_rad_s=_each(there, -speed[high : end + 1].min(axis=0)),
        smoothness=_each(there, sparc(rate[start : opened + 1].T, FRAME_RATE_HZ)),
        tremor_rad_s=_tremor(rate[opened : closing + 1, list(feet)]),
        lag_s=_lag(opening[: high + 1], at) if len(there) == 2 else None,
        flags=_flags(ranges, part["ok"][lasted][:, worn]),
        checks=span.checks,
    )


def pause_s(stretch: HeelSignal, rep: Rep, after: Rep, feet: tuple[int, ...]) -> float | None:
    """From a rep's end to the next one's start; None where either was not measured, or no foot was seen meanwhile."""
    end, start = np.searchsorted(stretch["time_s"], (rep.end_s, after.start_s)).tolist()
    measured = rep.is_measured and after.is_measured and was_seen(stretch["ok"], feet, end, start)
    return after.start_s - rep.end_s if measured else None


def _each(feet: tuple[int, ...], values: FloatArray) -> PerFoot:
    """The value of each foot that is looked at, None for the other."""
    return (float(values[0]) if 0 in feet else None, float(values[1]) if 1 in feet else None)


def sparc(rate: FloatArray, rate_hz: float) -> FloatArray:
    """(...) spectral arc length of angular rates (..., n): dimensionless, negative, nearer to zero is smoother.

    Balasubramanian et al. 2015, doi 10.1186/s12984-015-0090-9: arc length of the normalised amplitude spectrum up to
    10 Hz or to where it stays below 5 %. Applied to the gyroscope's rate as is, which is where it is valid on IMUs
    (Melendez-Calderon et al. 2021, doi 10.3389/fbioe.2020.558771). A rate that is zero throughout gives 0.
    """
    size = 16 * 2 ** int(np.ceil(np.log2(max(rate.shape[-1], 2))))
    amplitude = np.abs(np.fft.rfft(rate, size))
    highest = np.maximum(amplitude.max(axis=-1, keepdims=True), np.finfo(float).tiny)
    amplitude = amplitude[..., : int(10.0 * size / rate_hz) + 1] / highest
    above = amplitude >= 0.05
    steps = above.any(axis=-1, keepdims=True) * (above.shape[-1] - 1 - above[..., ::-1].argmax(axis=-1)[..., None])
    length = np.hypot(np.diff(amplitude), 1.0 / np.maximum(steps, 1))
    arc: FloatArray = (length * (np.arange(length.shape[-1]) < steps)).sum(axis=-1)
    return 0.0 - arc


def _level(signal: FloatArray, stretch: tuple[int, int]) -> FloatArray:
    """(k,) mean of signals (n, k) over a stretch."""
    level: FloatArray = signal[slice(*stretch)].mean(axis=0)
    return level


def _ranges(opening: FloatArray, at: Boundaries) -> tuple[FloatArray, FloatArray]:
    """((k,) ranges of openings (n, k), (k,) their standard uncertainties).

    A range is the highest value less the mean of the rest levels before and after. It is as uncertain as the scale, the
    levels, and what the rest level moved meanwhile (evenly likely).
    """
    before, after = _level(opening, at.rest_before), _level(opening, at.rest_after)
    size = opening[at.rest_before[0] : at.rest_after[1]].max(axis=0) - 0.5 * (before + after)
    return size, np.sqrt((SCALE_SD * size) ** 2 + 1.5 * LEVEL_SD_RAD**2 + (after - before) ** 2 / 12.0)


def _smooth(rate: FloatArray) -> FloatArray:
    """Moving average of rates (n, 2) over 50 ms, so that one noisy frame is no peak speed."""
    return np.stack([np.convolve(one, np.full(5, 0.2), "same") for one in rate.T], axis=1)


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
    """How much later the right leg is half open than the left, on the way out (n, 2): what was before it is no part."""
    halves, first = [], int(at.start)
    for foot in range(2):
        signal = opening[:, foot]
        rest = float(_level(signal, at.rest_before))
        rise = float(signal.max()) - rest
        if rise < LEAST_LAG_RANGE_RAD:
            return None
        above = first + int(np.argmax(signal[first:] >= rest + 0.5 * rise))
        before, after = signal[max(above - 1, 0)], signal[above]
        halves.append(above - 1 + (rest + 0.5 * rise - before) / (after - before) if after > before else above)
    return float(halves[1] - halves[0]) / FRAME_RATE_HZ


def _flags(ranges: PerFoot, ok: BoolArray) -> tuple[str, ...]:
    flags = []
    known = [value for value in ranges if value is not None]
    if len(known) == 2 and min(known) < ONE_SIDED * max(known):
        flags.append("one_sided")
    if not known or any(was_away(ok[:, foot], SHORTEST_GAP) for foot in range(ok.shape[1])):
        flags.append("gap")
    return tuple(flags)
