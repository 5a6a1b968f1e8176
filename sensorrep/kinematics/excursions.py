"""Excursions of a signal from its rest level and back: turning points, rest levels, the four boundaries of a rep."""

from typing import Final, NamedTuple

import numpy as np

from sensorrep.model import BoolArray, FloatArray, IntArray

LIKE_SIZE: Final = 1.6
"""Movements of one exercise differ in size by less than this factor from the typical one."""
OVERSHOOT: Final = 0.2
"""Share of a range by which rest may differ before and after; beyond it the legs go elsewhere."""


def within(values: FloatArray, middle: float, factor: float) -> BoolArray:
    """Which values differ from the middle one by less than a factor."""
    like: BoolArray = (values > middle / factor) & (values < middle * factor)
    return like


def turning_points(signal: FloatArray, hysteresis: float) -> tuple[list[int], bool]:
    """(indices of alternating lows and highs at least `hysteresis` apart, whether the first is a low).

    The rainflow reversal filter (ASTM E1049-85, 5.4.4): an extreme counts once the signal has come back from it by the
    hysteresis. The last extreme is the furthest yet and unconfirmed. Empty where nothing moves that far.
    """
    step = np.diff(signal)
    moves = np.flatnonzero(step)
    if len(moves) == 0:
        return [], True
    turns = moves[1:][np.sign(step[moves[1:]]) != np.sign(step[moves[:-1]])]
    candidates = [0, *turns.tolist(), len(signal) - 1]
    values: list[float] = signal[candidates].tolist()
    points: list[int] = []
    low = high = direction = 0
    for position, value in enumerate(values):
        if direction >= 0 and value > values[high]:
            high = position
        if direction <= 0 and value < values[low]:
            low = position
        if direction >= 0 and values[high] - value >= hysteresis:
            points.append(high)
            direction, low = -1, position
        elif direction <= 0 and value - values[low] >= hysteresis:
            points.append(low)
            direction, high = 1, position
    if not points:
        return [], True
    starts_low = (len(points) % 2 == 1) == (direction > 0)
    points.append(high if direction > 0 else low)
    return [candidates[point] for point in points], starts_low


def trimmed(signal: FloatArray, low: int, high: int, next_low: int, *, confirmed: bool) -> tuple[int, int, int]:
    """The excursion without what lies far below its other rest: the legs came from, or went, elsewhere.

    `confirmed`: the next low is a rest, and not just how far the legs have come back by now.
    """
    top = float(signal[high])
    below_start = np.flatnonzero(signal[high:next_low] < signal[low] - OVERSHOOT * (top - signal[low]))
    end = high + int(below_start[0]) - 1 if len(below_start) else next_low
    if not confirmed:
        return low, high, end
    below_end = np.flatnonzero(signal[low:high] < signal[next_low] - OVERSHOOT * (top - signal[next_low]))
    return (low + int(below_end[-1]) + 1 if len(below_end) else low), high, end


class Boundaries(NamedTuple):
    """A rep's phases as fractional indices, and the stretches (start, stop) of rest before and after it."""

    start: float
    open: float
    close: float
    end: float
    rest_before: tuple[int, int]
    rest_after: tuple[int, int]


def boundaries(signal: FloatArray, high: int, rate_hz: float) -> Boundaries:
    """Where `signal`, which runs from low to low over `high`, crosses 10 % and 90 % of its range (DESIGN section 3).

    The way out is measured from the rest level before the rep, the way back from the one after, so an incomplete return
    still ends. Crossings are interpolated linearly between samples; a signal that never gets there ends at its edge.
    """
    out, back = signal[: high + 1], signal[high:]
    last = len(signal) - 1
    outward = courses(signal, np.array([high, high]), np.array([0, last]))
    before, after = rest_stretches(outward, np.array([high, last - high]), rate_hz).tolist()
    rest_before = (high + 1 - before[1], high + 1 - before[0])
    rest_after = (high + after[0], high + after[1])
    top = float(signal[high])
    level_before = float(signal[slice(*rest_before)].mean())
    level_after = float(signal[slice(*rest_after)].mean())
    start_level, open_level = (level_before + share * (top - level_before) for share in (0.1, 0.9))
    end_level, close_level = (level_after + share * (top - level_after) for share in (0.1, 0.9))
    opened = int(np.argmax(out >= open_level))
    unopened = np.flatnonzero(out[: opened + 1] < start_level)
    started = int(unopened[-1]) if len(unopened) else 0
    held = int(np.flatnonzero(back >= close_level)[-1])
    closed = back[held:] < end_level
    ended = held + int(np.argmax(closed)) if closed.any() else len(back) - 1
    return Boundaries(
        _crossing(out, started, start_level),
        _crossing(out, opened - 1, open_level),
        high + _crossing(back, held, close_level),
        high + _crossing(back, ended - 1, end_level),
        rest_before,
        rest_after,
    )


def courses(signal: FloatArray, starts: IntArray, stops: IntArray) -> FloatArray:
    """(k, n) the `signal` from each start to each stop, whichever way that is; short ones repeat their last value."""
    lengths = np.abs(stops - starts)[:, None]
    steps = np.minimum(np.arange(int(lengths.max()) + 1), lengths)
    course: FloatArray = signal[starts[:, None] + np.where(stops < starts, -1, 1)[:, None] * steps]
    return course


def rest_stretches(outward: FloatArray, lasts: IntArray, rate_hz: float) -> IntArray:
    """(k, 2) indices (from, to) of the rest that each movement came to.

    Each row of `outward` (k, n) begins at a high and runs to the far low at its index in `lasts` (k). Rest begins, in
    the lower half, where the signal falls by less than 3 % of the range in the next 0.3 s; half a second of it is
    taken, so that slow drift in a long rest does not count.
    """
    top = outward[:, :1]
    span = top - outward.min(axis=1, keepdims=True)
    last = outward.shape[1] - 1
    ahead = outward[:, np.minimum(np.arange(last + 1) + round(0.3 * rate_hz), last)]
    resting = (outward < top - 0.67 * span) & (outward - ahead < 0.03 * span)
    arrived = np.where(resting.any(axis=1), resting.argmax(axis=1), lasts)
    return np.stack([arrived, np.minimum(arrived + round(0.5 * rate_hz), lasts) + 1], axis=1)


def _crossing(values: FloatArray, index: int, level: float) -> float:
    """Fractional index between index and index + 1 at which `values` reaches `level`."""
    index = max(index, 0)
    if index + 1 >= len(values):
        return float(len(values) - 1)
    before, after = float(values[index]), float(values[index + 1])
    if before == after:
        return float(index)
    return index + min(max((level - before) / (after - before), 0.0), 1.0)
