"""Spans: excursions of the heel opening as both legs make them, each with the rules that say whether it is a rep.

All excursions of a stretch are looked at together, as columns, since the same stretch is looked at again at every
standstill.
"""

from typing import Final, NamedTuple

import numpy as np

from sensorrep import quaternion
from sensorrep.kinematics import axes as turning
from sensorrep.kinematics.excursions import courses, rest_stretches
from sensorrep.model import FRAME_RATE_HZ, BoolArray, Check, FloatArray, HeelSignal, IntArray, Movement


class Limits(NamedTuple):
    """What a movement must be to be a rep. All follow from the exercise or the sensors, none from a recording."""

    least_opening_rad: float
    """Smaller excursions (of both legs together) are posture noise. Larger: misses the smallest reps."""
    most_range_rad: float
    """No hip turns further inward against a band than this, per leg."""
    gross_rad: float
    """A shank that turns further than this has left the exercise position."""
    alignment: float
    """Least share of a movement that is about the set's own axes. The ball and the band hold the thighs in heels apart;
    nothing holds a free leg."""


LIMITS: Final[dict[Movement, Limits]] = {
    "heels-apart": Limits(float(np.radians(3.0)), float(np.radians(45.0)), float(np.radians(60.0)), 0.8),
    "one-leg": Limits(float(np.radians(4.0)), float(np.radians(150.0)), float(np.radians(175.0)), 0.5),
}

RETURN: Final = 0.4
"""Share of the way out that must be covered on the way back: after the last rep the legs may rest elsewhere."""
ALIKE: Final = 2.5
"""A rep is at most this many times the set's typical one, or its inverse."""
SHORTEST_REP_S: Final = 0.4
"""Nobody opens against a band and comes back in less."""
LONGEST_REP_S: Final = 20.0
"""Legs that stay open for longer are at rest there."""
ONE_LEG: Final = 0.33
"""A leg hardly moves when it turns less than this share of the other's turn."""
PACES: Final = (28, 12)
"""Legs move together or not over steps of this share of a rep, where one hardly moves and where both do: tremor, small
lags and straps that wobble do not matter. Larger: they do. Smaller: a leg that the other's exercise takes along moves
together with it, as in pted."""
TOGETHER: Final = 0.75
"""Least correlation between the legs' courses: the band makes them move as one. In simulated reps it is 0.76 at least,
with one leg nearly still or 0.3 s late too; in other exercises of one leg (pted) it is mostly below 0.7. Both were seen
in the finer steps of PACES."""
LATER: Final = 0.2
"""Where it is less, one leg may begin later, in all reps alike, by up to this share of a rep: in each, noise would find
a lag of its own. Larger: legs that take turns move together. Smaller: who leads with one leg by half a second, and
opens quickly, is not counted."""
SEARCH_STEP: Final = 4
"""The search looks at every fourth frame (25 Hz), plenty for turning points; what is found is measured on all."""


class Span(NamedTuple):
    """One excursion, in frames of the stretch, with the rules put to it."""

    low: int
    leaves: int
    """Last frame before the way out at which a tenth of it is covered."""
    high: int
    back: int
    """First frame of the way back at which a tenth of it is left; `next_low` if it never is."""
    next_low: int
    opening_rad: float
    legs_rad: tuple[float, ...]
    """How far each leg that is looked at turned."""
    beside_rad: float
    """How far the leg that is not looked at turned meanwhile; 0 where both are, or it has no sensor."""
    together: float
    """Correlation of both legs' speeds of opening; 1 where only one leg is looked at, or seen."""
    checks: tuple[Check, ...]

    @property
    def length(self) -> int:
        """Frames from leaving rest to being back."""
        return self.back - self.leaves

    @property
    def passed(self) -> bool:
        """Whether every rule was passed."""
        return all(check.passed for check in self.checks)


def judge(
    stretch: HeelSignal,
    heel: FloatArray,
    legs: FloatArray,
    triples: list[tuple[int, int, int]],
    axes: FloatArray,
    feet: tuple[int, ...],
    typical: float,
    limits: Limits,
) -> tuple[Span, ...]:
    """Put every rule to the excursions (low, high, next low) of the heel opening (n), every SEARCH_STEP-th frame.

    `legs` (n, len(feet)) are the openings of the legs that are looked at, about `axes` (2, 3).
    """
    if not triples:
        return ()
    low, high, next_low = np.array(triples).T
    outward = courses(heel, np.tile(high, 2), np.concatenate([low, next_low]))
    rests = rest_stretches(outward, np.concatenate([high - low, next_low - high]), FRAME_RATE_HZ / SEARCH_STEP)
    level = _means(outward, rests)
    gone = (outward <= (level + 0.1 * (outward[:, 0] - level))[:, None]).argmax(axis=1)
    before, after = np.split(level, 2)
    out, back = heel[high] - before, heel[high] - after
    leaves, comes_back = high - gone[: len(high)], high + gone[len(high) :]
    frames = np.stack([low, leaves, high, comes_back, next_low], axis=1) * SEARCH_STEP
    ok = stretch["ok"][:, list(feet)]
    turned = turning.rotations(stretch["q_earth_sensor"], frames[:, 1], frames[:, 2])[:, list(feet)]
    turned = turned * _seen(ok, frames[:, 1], frames[:, 2])[:, :, None]
    length = np.sqrt((turned**2).sum(axis=2)).sum(axis=1)
    alignment = (turned * axes[list(feet)]).sum(axis=(1, 2)) / np.maximum(length, 1e-12)
    opening = np.minimum(out, back)
    lasts_s = (comes_back - leaves) * SEARCH_STEP / FRAME_RATE_HZ
    each = _spread(legs, leaves, comes_back + 1)
    furthest = each.max(axis=1)
    paces = np.where(each.min(axis=1) > ONE_LEG * furthest, PACES[1], PACES[0])
    rules = (
        ("large enough (rad)", opening, limits.least_opening_rad, opening >= limits.least_opening_rad),
        ("small enough for this exercise (rad)", furthest, limits.most_range_rad, furthest <= limits.most_range_rad),
        ("about the same axes as the others (cosine)", alignment, limits.alignment, alignment >= limits.alignment),
        ("long enough (s)", lasts_s, SHORTEST_REP_S, lasts_s >= SHORTEST_REP_S),
        ("soon enough (s)", lasts_s, LONGEST_REP_S, lasts_s <= LONGEST_REP_S),
        ("comes back (share)", back / np.maximum(out, 1e-12), RETURN, (back >= RETURN * out) & (out > 0.0)),
        ("like the others (ratio)", out / typical, ALIKE, out <= ALIKE * typical),
    )
    likely = np.logical_and.reduce([each.min(axis=1) > ONE_LEG * furthest, *(passed for *_, passed in rules)])
    alike = _together(legs, leaves, comes_back, paces, likely)
    together = np.where(_seen(ok, frames[:, 1], frames[:, 3]).all(axis=1), alike, 1.0)
    columns = [
        [Check(rule, value, limit, passed) for value, passed in zip(values.tolist(), passes.tolist(), strict=True)]
        for rule, values, limit, passes in rules
    ]
    beside = _beside(stretch["q_earth_sensor"], feet, frames[:, 1], frames[:, 3])
    measured = zip(opening.tolist(), each.tolist(), beside, together.tolist(), zip(*columns, strict=True), strict=True)
    return tuple(
        Span(at[0], at[1], at[2], at[3], at[4], opening_rad, tuple(legs_rad), beside_rad, alike, checks)
        for at, (opening_rad, legs_rad, beside_rad, alike, checks) in zip(frames.tolist(), measured, strict=True)
    )


def _means(values: FloatArray, stretches: IntArray) -> FloatArray:
    """(k,) mean of each row (k, n) over its stretch (from, to)."""
    begin, end = stretches.T
    total = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=total[:, 1:])
    row = np.arange(len(values))
    mean: FloatArray = (total[row, end] - total[row, begin]) / (end - begin)
    return mean


def _beside(q_earth_sensor: FloatArray, feet: tuple[int, ...], begin: IntArray, end: IntArray) -> list[float]:
    """(k,) furthest that a leg which is not one of `feet` turned in each stretch of q (n, 2, 4), from its begin."""
    others = [foot for foot in (0, 1) if foot not in feet]
    if not others:
        return [0.0] * len(begin)
    q = q_earth_sensor[:, others]
    return [
        float(quaternion.angle_between(q[first], q[first : last + 1 : SEARCH_STEP]).max())
        for first, last in zip(begin.tolist(), end.tolist(), strict=True)
    ]


def _spread(legs: FloatArray, begin: IntArray, end: IntArray) -> FloatArray:
    """(k, feet) highest less lowest of legs (n, feet) in each stretch."""
    edges = np.stack([begin, end], axis=1).ravel()
    padded = np.concatenate([legs, legs[-1:]])  # a stretch may end with the last row
    spread: FloatArray = (np.maximum.reduceat(padded, edges) - np.minimum.reduceat(padded, edges))[::2]
    return spread


def _seen(ok: BoolArray, begin: IntArray, end: IntArray) -> BoolArray:
    """(k, feet) whether a foot of ok (n, feet) was there for most of each stretch: else only the other one is asked.

    Where neither was, both are.
    """
    if ok.all():
        return np.ones((len(begin), ok.shape[1]), bool)
    count = np.add.reduceat(ok, np.stack([begin, end], axis=1).ravel(), dtype=np.int64)[::2]
    seen = 2 * count > (end - begin)[:, None]
    return np.asarray(seen | ~seen.any(axis=1, keepdims=True))


def _together(legs: FloatArray, begin: IntArray, end: IntArray, paces: IntArray, likely: BoolArray) -> FloatArray:
    """(k,) Pearson's correlation of both legs' speeds (n, 2) in each stretch, in so many steps (k).

    1 for one leg alone, 0 where one does not move. If most of the `likely` reps show both legs, but not together,
    with the lag of one of them that makes most alike.
    """
    if legs.shape[1] < 2:
        return np.ones(len(begin))
    best = _correlation(legs, begin, end, paces)
    if not likely.any() or float(np.median(best[likely])) >= TOGETHER:
        return best
    most = int(LATER * np.median((end - begin)[likely]))
    for lag in (lag for size in range(1, most + 1) for lag in (size, -size)):
        first, second = (
            legs[np.arange(shift, len(legs) + shift).clip(0, len(legs) - 1), leg]
            for leg, shift in enumerate((max(lag, 0), max(-lag, 0)))
        )
        one = _correlation(np.stack([first, second], axis=1), begin, end, paces)
        if np.median(one[likely]) > np.median(best[likely]):
            best = one
    return best


def _correlation(legs: FloatArray, begin: IntArray, end: IntArray, paces: IntArray) -> FloatArray:
    pace = np.maximum((end - begin) // paces, 1)
    count = end - begin + 1 - pace
    first = np.cumsum(count) - count
    later = np.arange(int(count.sum())) + np.repeat(begin + pace - first, count)
    step = legs[later] - legs[later - np.repeat(pace, count)]
    step -= np.repeat(np.add.reduceat(step, first) / count[:, None], count, axis=0)
    size = np.sqrt(np.add.reduceat(step**2, first).prod(axis=1))
    correlation: FloatArray = np.add.reduceat(step.prod(axis=1), first) / np.maximum(size, 1e-12)
    return correlation
