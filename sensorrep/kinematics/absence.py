"""Where a foot was away for a while, and what stands in for its opening meanwhile."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from sensorrep.model import FRAME_RATE_HZ, BoolArray, FloatArray, IntArray

AWAY: Final = round(0.25 * FRAME_RATE_HZ)
"""A foot without samples for so many frames is away; shorter holes are interpolated."""


def absences(ok: BoolArray) -> IntArray:
    """(k, 2) first row, and row after the last, of each run that is not `ok` (n)."""
    return np.flatnonzero(np.diff(np.concatenate([[True], ok, [True]]))).reshape(-1, 2)


def was_away(ok: BoolArray, least: int) -> bool:
    """Whether a foot (n) was away for so many rows on end."""
    return not ok.all() and bool((np.diff(absences(ok)) >= least).any())


def was_seen(ok: BoolArray, feet: Sequence[int], first: int, last: int) -> bool:
    """Whether the feet (of `ok` (n, 2)) were never all away at once, for AWAY rows on end, from one row to another."""
    begin = max(first - AWAY, 0)
    any_ok = np.asarray(ok[begin : last + AWAY + 1, list(feet)].any(axis=1))
    away = absences(any_ok) + begin
    return not ((away[:, 1] - away[:, 0] >= AWAY) & (away[:, 0] <= last) & (away[:, 1] > first)).any()


def bridged(opening: FloatArray, ok: BoolArray, axes: FloatArray, shares: FloatArray, least: int) -> FloatArray:
    """Openings (n, 2) in which a foot that was away for at least `least` rows moved along with the other meanwhile.

    What a foot did while it was away is not known, and where gravity sees nothing its opening is off for good after.
    The band makes both legs move as one, so the other leg's opening, scaled by the legs' shares (2,), stands in for it,
    and what comes after is shifted to go on from there.
    """
    if ok.all() or not axes.any(axis=1).all():
        return opening
    for foot in range(2):
        if shares[1 - foot] <= 0.0:
            continue
        for start, stop in absences(ok[:, foot]).tolist():
            if start == 0 or stop == len(ok) or stop - start < least or not ok[start:stop, 1 - foot].all():
                continue
            other = opening[start - 1 : stop + 1, 1 - foot]
            course = opening[start - 1, foot] + shares[foot] / shares[1 - foot] * (other - other[0])
            opening = opening.copy()
            opening[stop:, foot] += course[-1] - opening[stop, foot]
            opening[start:stop, foot] = course[1:-1]
    return opening
