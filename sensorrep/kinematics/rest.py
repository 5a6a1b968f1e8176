"""Which end of an exercise's strokes is rest, and so which way is open: what the course of the movement tells."""

from collections.abc import Iterator
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from sensorrep.kinematics.axes import ALIGNMENT, rotations
from sensorrep.kinematics.excursions import LIKE_SIZE, courses, within
from sensorrep.model import BoolArray, FloatArray, IntArray

NEAR: Final = 0.25
"""Legs dwell at an end of a stroke while they are nearer to it than this share of the stroke."""
LONGER: Final = 2.0
"""A dwell that is longer than the usual one at that end by this factor, and CLEAR_S, is a rest between two sets."""
CLEAR_S: Final = 2.0
"""A stay before or after a set that is so much longer than its holds or pauses is a whole piece of evidence."""
AROUND_S: Final = 10.0
"""So much before and after a set is looked at."""
NEAR_END: Final = 0.35
"""Legs stay at an end while they are nearer to its usual level than this share of a stroke."""
NEAREST: Final = 2
"""The level of an end is that of so many strokes nearby: it drifts."""
MOST: Final = 2.0
"""No single observation counts for more pieces of evidence than this."""
STEADIER: Final = 2.0
"""Ends of which one is steadier by this factor than the other are a piece of evidence."""
NOISE: Final = 0.02
"""Unsteadiness, as a share of a stroke, that says nothing."""
LEAST_ENDS: Final = 4


class _Strokes(NamedTuple):
    """Strokes of typical size, in order: which way each goes, and when it leaves one end and arrives at the other."""

    sign: FloatArray
    leave: IntArray
    arrive: IntArray
    ends: FloatArray
    """(k,) level at which each arrives."""


def rest_is_low(
    signal: FloatArray,
    turns: IntArray,
    q_earth_sensor: FloatArray,
    direction: FloatArray,
    typical: float,
    rate_hz: float,
    seen: BoolArray,
    begun: int | None = None,
) -> float:
    """Pieces of evidence that rest is at the low end of `signal` (n), below zero: at the high end.

    `turns` (k) are its turning points; `q_earth_sensor` (n, 2, 4) and the exercise's joint direction (6,) tell strokes
    of the exercise from others. What counts, in the last set: where the legs stayed before the first stroke and after
    the last one, if they stayed there for longer than is usual between strokes; and which end is steadier, since at
    rest the legs meet or lean on something and at the other end nothing stops them. A set that is known to have `begun`
    at some index goes on for as long as there are strokes like its own. Where the legs stayed while no foot was `seen`
    (n) nobody knows. Fails (near zero) where a recording begins and ends in the middle of a set.
    """
    strokes = _strokes(signal, turns, q_earth_sensor, direction, typical)
    if not len(strokes.sign):
        return 0.0
    dwell_s = (strokes.leave[1:] - strokes.arrive[:-1]) / rate_hz
    first = _start_of_last_set(dwell_s, strokes.sign[:-1])
    if begun is not None:
        first = min(first, int(np.searchsorted(strokes.leave, begun - rate_hz)), len(strokes.sign) - 1)
    sign, ends = strokes.sign[first:], strokes.ends[first:]
    around = round(AROUND_S * rate_hz)
    left, arrived = int(strokes.leave[first]), int(strokes.arrive[-1])
    stays = slice(max(left - around, 0), left + 1), slice(arrived, arrived + around)
    before, after = (signal[stay][seen[stay]] for stay in stays)
    evidence = _steadier_low(ends, sign, typical)
    for outside, nearby in ((before, slice(NEAREST)), (after, slice(-NEAREST, None))):
        longer_s = [
            (np.abs(outside - level) < NEAR_END * typical).sum() / rate_hz - usual_s
            for level, usual_s in _ends(ends, sign, dwell_s[first:], nearby, typical)
        ]
        evidence += float(np.clip((max(longer_s[0], 0.0) - max(longer_s[1], 0.0)) / CLEAR_S, -MOST, MOST))
    return evidence


def _ends(
    ends: FloatArray, sign: FloatArray, dwell_s: FloatArray, nearby: slice, typical: float
) -> Iterator[tuple[float, float]]:
    """(level nearby, usual dwell in seconds) of the low end and of the high end."""
    for end in (-1.0, 1.0):
        here, dwells = sign == end, dwell_s[sign[:-1] == end]
        level = median(ends[here][nearby].tolist()) if here.any() else float(ends[0]) + end * typical
        yield level, median(dwells.tolist()) if len(dwells) else 0.0


def _strokes(
    signal: FloatArray, turns: IntArray, q_earth_sensor: FloatArray, direction: FloatArray, typical: float
) -> _Strokes:
    """The strokes between turning points that are of typical size and about the exercise's axes."""
    step = np.diff(signal[turns])
    alike = np.flatnonzero(within(np.abs(step), typical, LIKE_SIZE))
    if not len(alike):
        return _Strokes(step[alike], alike, alike, step[alike])
    start, stop, step = turns[alike], turns[alike + 1], step[alike]
    covered = (courses(signal, start, stop) - signal[start, None]) / step[:, None]
    left = (courses(signal, stop, start) - signal[start, None]) / step[:, None]
    leave, arrive = stop - (left <= NEAR).argmax(axis=1), start + (covered >= 1.0 - NEAR).argmax(axis=1)
    moved = rotations(q_earth_sensor, leave, arrive).reshape(-1, 6) * (direction != 0.0)
    pure = np.abs(moved @ direction) > ALIGNMENT * np.sqrt((moved**2).sum(axis=1))
    return _Strokes(np.sign(step[pure]), leave[pure], arrive[pure], signal[stop[pure]])


def _start_of_last_set(dwell_s: FloatArray, ends: FloatArray) -> int:
    """Number of the first stroke of the last set."""
    for index in range(len(dwell_s) - 1, -1, -1):
        others = ends == ends[index]
        others[index] = False
        if others.any() and dwell_s[index] > LONGER * median(dwell_s[others].tolist()) + CLEAR_S:
            return index + 1
    return 0


def _steadier_low(ends: FloatArray, sign: FloatArray, typical: float) -> float:
    """How much steadier the low ends are than the high ones, each from one stroke to the next.

    What both ends do alike is drift, as of a gyroscope whose bias is not known yet, and counts for neither.
    """
    levels = [ends[sign < 0.0], ends[sign > 0.0]]
    if min(map(len, levels)) < LEAST_ENDS:
        return 0.0
    low, high = map(_slope, levels)
    drift = min(low, high, key=abs) if low * high > 0.0 else 0.0
    unsteady = [median(np.abs(np.diff(one) - drift).tolist()) / typical + NOISE for one in levels]
    return float(np.clip(np.log(unsteady[1] / unsteady[0]) / np.log(STEADIER), -MOST, MOST))


def _slope(values: FloatArray) -> float:
    """Change from one value to the next: the median over all pairs (Sen 1968, doi 10.1080/01621459.1968.10480934)."""
    later, earlier = np.tril_indices(len(values), -1)
    slopes: list[float] = ((values[later] - values[earlier]) / (later - earlier)).tolist()
    return median(slopes)
