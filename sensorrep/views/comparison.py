"""A set against the first set: what each had, and the change in per cent. Pure."""

from collections.abc import Iterable
from statistics import fmean, median
from typing import NamedTuple

from sensorrep.model import Foot, SetSummary


class Change(NamedTuple):
    """A set against the first set, per cent, positive for more; None where the two can't be compared."""

    range: float | None
    speed: float | None
    eccentric: float | None
    """Time of the return."""


def against_first(one: SetSummary, first: SetSummary) -> Change:
    """How a set changed against the first: over the feet that both have, and only in the same posture."""
    if one.posture != first.posture:
        return Change(None, None, None)
    feet = [foot for foot in Foot if one.range_rad[foot] is not None and first.range_rad[foot] is not None]
    return Change(
        _change(_mean_range(one, feet), _mean_range(first, feet)),
        _change(typical_speed(one, feet), typical_speed(first, feet)),
        _change(one.tempo.eccentric_s, first.tempo.eccentric_s),
    )


def _mean_range(one: SetSummary, feet: Iterable[Foot]) -> float | None:
    means = [found.mean for foot in feet if (found := one.range_rad[foot]) is not None]
    return fmean(means) if means else None


def typical_speed(one: SetSummary, feet: Iterable[Foot] = Foot) -> float | None:
    """Median of the reps' mean opening speeds, rad/s, averaged over these feet: one odd rep does not move it."""
    speeds = [[speed for rep in one.reps if (speed := rep.mean_speed_rad_s[foot]) is not None] for foot in feet]
    medians = [median(each) for each in speeds if each]
    return fmean(medians) if medians else None


def _change(now: float | None, first: float | None) -> float | None:
    return None if now is None or not first else 100 * (now - first) / first
