"""Comparing reps: means with their uncertainty, left against right, and change over a set."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from math import atan, cos, pi, sin, sqrt
from typing import Final

import numpy as np

from sensorrep.model import Fatigue, FloatArray, Foot, Rep, Spread, Symmetry, Tempo

FLOOR_RAD: Final = float(np.radians(2.0))
"""Smaller differences between the legs are within what straps and gyroscopes do (UX: sensor floor, prone)."""
SCALE_DIFFERENCE: Final = 0.014
"""Standard uncertainty of the ratio of two gyroscopes' scales, 1 % each."""
EARLY: Final = 3
"""So many first reps show what the person can do."""
LEAST_REPS: Final = EARLY + 2
"""Fewer show no trend."""
LOSS: Final = 0.20
"""Share of range or opening speed whose loss counts as fatigue. Larger: later warning. Smaller: more false ones."""
LEAST_LOSS: Final = 0.15
"""Of two reps that have lost LOSS on average each has lost so much: one failed rep alone does not make a pair. Larger:
losses are missed where reps vary."""
ACCIDENT: Final = 0.05
"""Chance at which a downward trend could be an accident. Larger: more sets of uneven reps pass for tiring ones."""
SHORTEST_PHASE_S: Final = 0.02
"""No boundary is known better than this."""
STUDENT_975: Final = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
NO_DIFFERENCE: Final = "no difference we can measure"
LEFT_LESS: Final = "left opened less"
RIGHT_LESS: Final = "right opened less"


def spread(values: Sequence[float], uncertainties: Sequence[float]) -> Spread:
    """Mean of values, their standard deviation, and the mean's uncertainty (the reps' own adds to the spread's)."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    own = float(np.mean(uncertainties))
    return Spread(float(np.mean(values)), sd, float(np.hypot(sd / np.sqrt(len(values)), own)))


def tempo(reps: Sequence[Rep]) -> Tempo:
    """Median phases."""
    return Tempo(
        _median([rep.concentric_s for rep in reps]),
        _median([rep.hold_s for rep in reps]),
        _median([rep.eccentric_s for rep in reps]),
        _median([rep.pause_s for rep in reps]),
    )


def _median(phases_s: Sequence[float | None]) -> float | None:
    """Of those that were measured."""
    known = [phase_s for phase_s in phases_s if phase_s is not None]
    return float(np.median(known)) if known else None


def symmetry(reps: Sequence[Rep]) -> Symmetry | None:
    """Right against left over the reps of a set, with a 95 % interval; None with fewer than three reps of both legs.

    The interval is Student's over the reps, widened by what two gyroscopes' scales may differ. A difference is only
    stated when the interval excludes zero, it exceeds what both legs vary from rep to rep, and it is above FLOOR_RAD.
    """
    pairs = np.array([rep.range_rad for rep in reps if None not in rep.range_rad], float)
    if len(pairs) < 3:
        return None
    left, right = pairs.mean(axis=0)
    middle = 0.5 * (left + right)
    if middle <= 0.0:
        return None
    differences = (pairs[:, 1] - pairs[:, 0]) / middle
    index = float(differences.mean())
    error = float(np.hypot(differences.std(ddof=1) / np.sqrt(len(pairs)), SCALE_DIFFERENCE))
    half = student_975(len(pairs) - 1) * error
    variation = float(pairs.sum(axis=1).std(ddof=1)) / (2.0 * middle)
    plain = abs(index) > half and abs(index) > variation and abs(right - left) >= FLOOR_RAD
    verdict = NO_DIFFERENCE if not plain else LEFT_LESS if index > 0 else RIGHT_LESS
    return Symmetry(100.0 * index, (100.0 * (index - half), 100.0 * (index + half)), verdict)


def fatigue(reps: Sequence[Rep]) -> Fatigue:
    """How the reps of a set changed against its own first ones.

    Only like is compared with like: if a foot was lost in some reps, those reps are left out, or that foot is, so that
    more measurements are left. The reference is the mean of the best two among the first EARLY reps. Fatigue is
    detected when two reps in a row have lost LOSS of range or of mean opening speed on average, and both together fall
    over the set by no accident: one question, so that uneven reps pass for tiring ones in one set of twenty at most,
    and what both tell decides where there are few. The highest speed would not do: tired legs tremble, which makes it
    higher. A hurried return, a jerky opening and a trembling hold are told too, but are no fatigue by themselves. Fewer
    than five reps show no trend.
    """
    feet = _most_measured(reps)
    numbers = [number for number, rep in enumerate(reps, 1) if feet <= _measured(rep)]
    if len(numbers) < LEAST_REPS:
        return Fatigue(False, None, None, None, None, ())
    whole = feet == frozenset[Foot]().union(*map(_measured, reps))
    reps = [reps[number - 1] for number in numbers]
    openings = np.array([_opening_rad(rep, feet) for rep in reps])
    speeds = np.array([_opening_speed(rep, feet) for rep in reps])
    range_loss, speed_loss = (1.0 - values / _best_early(values) for values in (openings, speeds))
    both = np.maximum(openings * speeds, np.finfo(float).tiny)  # a leg that stays still may seem to have no range
    falls = falling_by_chance(np.log(both)) < ACCIDENT
    starts = [
        (numbers[first], word)
        for loss, word in ((range_loss, "range"), (speed_loss, "opening speed"))
        if falls and (first := _first_lasting(loss)) is not None
    ]
    evidence = [f"{word} is down by {100.0 * LOSS:.0f} % or more from rep {first} on" for first, word in starts]
    evidence += _less_control(reps, feet)
    times = np.array([rep.open_s - rep.start_s + rep.end_s - rep.close_s for rep in reps])
    slowing = float(times[-2:].mean() / np.median(times[:EARLY])) - 1.0
    return Fatigue(
        detected=bool(starts),
        from_rep=min(first for first, _ in starts) if starts else None,
        range_loss_pct=100.0 * float(range_loss[-2:].mean()),
        speed_loss_pct=100.0 * float(speed_loss[-2:].mean()),
        slowing_pct=100.0 * slowing,
        evidence=tuple(evidence),
        reference_range_rad=_best_early(openings) if whole else None,
    )


def _less_control(reps: Sequence[Rep], feet: AbstractSet[Foot]) -> Iterator[str]:
    """What the last two reps do worse by LOSS or more than the first EARLY ones did, as no accident."""
    returns_s = [rep.end_s - rep.close_s for rep in reps]
    for what, values in (
        ("the legs come back {:.1f} times as fast", [1.0 / max(one, SHORTEST_PHASE_S) for one in returns_s]),
        ("opening is {:.1f} times as jerky", [_jerkiness(rep, feet) for rep in reps]),
        ("holds tremble {:.1f} times as much", [rep.tremor_rad_s for rep in reps]),
    ):
        worse = np.array([value for value in values if value is not None])
        if len(worse) < len(reps) or not (usual := float(np.median(worse[:EARLY]))):
            continue
        ratio = float(worse[-2:].mean()) / usual
        if ratio >= 1.0 + LOSS and falling_by_chance(-worse) < ACCIDENT:
            yield what.format(ratio) + " in the last two reps"


def falling_by_chance(values: FloatArray) -> float:
    """Chance that values (n,) that only scatter fall as steadily: Student's t of the straight line through them.

    One-sided, by the sums of Abramowitz & Stegun 1964, 26.7.3 and 26.7.4. Of more power than a test of ranks, where six
    reps have to do.
    """
    freedom = len(values) - 2
    number = np.arange(len(values)) - 0.5 * (len(values) - 1)
    slope = float(number @ values) / float(number @ number)
    if slope >= 0.0:
        return 1.0
    off = values - values.mean() - slope * number
    error = sqrt(float(off @ off) / freedom / float(number @ number))
    angle = atan(-slope / error / sqrt(freedom)) if error > 0.0 else 0.5 * pi
    odd = freedom % 2
    terms = [cos(angle) if odd else 1.0]
    for power in range(2 + odd, freedom, 2):
        terms.append(terms[-1] * cos(angle) ** 2 * (power - 1) / power)
    within = sin(angle) * sum(terms[: freedom // 2])
    return 0.5 - 0.5 * ((angle + within) / (0.5 * pi) if odd else within)


def student_975(freedom: int) -> float:
    """97.5 % quantile of Student's t: tabled up to ten degrees of freedom, then expanded (error below 2e-4).

    Abramowitz & Stegun 1964, table 26.10 and 26.7.5. Importing scipy for it would cost every replay 0.2 s.
    """
    if freedom <= len(STUDENT_975):
        return STUDENT_975[freedom - 1]
    x = 1.959963985
    terms = (
        x,
        (x**3 + x) / 4.0,
        (5.0 * x**5 + 16.0 * x**3 + 3.0 * x) / 96.0,
        (3.0 * x**7 + 19.0 * x**5 + 17.0 * x**3 - 15.0 * x) / 384.0,
    )
    return float(sum(term / freedom**power for power, term in enumerate(terms)))


def mark_partial(reps: Sequence[Rep], share: float) -> tuple[Rep, ...]:
    """The reps, `partial` added to the flags of those below `share` of the median opening of the same feet."""
    usual = {
        feet: float(np.median([_opening_rad(rep, feet) for rep in reps if feet <= _measured(rep)]))
        for feet in map(_measured, reps)
    }
    return tuple(
        rep if rep.opening_rad >= share * usual[_measured(rep)] else replace(rep, flags=("partial", *rep.flags))
        for rep in reps
    )


def _measured(rep: Rep) -> frozenset[Foot]:
    """The feet of which the rep's range is known."""
    return frozenset(foot for foot in Foot if rep.range_rad[foot] is not None)


def _most_measured(reps: Sequence[Rep]) -> frozenset[Foot]:
    """The feet, both or one, of which most is known over the reps in which none of them is missing, if those do."""

    def known(feet: frozenset[Foot]) -> tuple[bool, int]:
        count = sum(feet <= _measured(rep) for rep in reps)
        return count >= LEAST_REPS, len(feet) * count

    return max(frozenset(Foot), frozenset({Foot.LEFT}), frozenset({Foot.RIGHT}), key=known)


def _opening_rad(rep: Rep, feet: AbstractSet[Foot]) -> float:
    """Opening of these feet, all of which were measured."""
    if _measured(rep) <= feet:
        return rep.opening_rad
    return sum(range_rad for foot in feet if (range_rad := rep.range_rad[foot]) is not None)


def _opening_speed(rep: Rep, feet: AbstractSet[Foot]) -> float:
    return sum(speed for foot in feet if (speed := rep.mean_speed_rad_s[foot]) is not None)


def _jerkiness(rep: Rep, feet: AbstractSet[Foot]) -> float | None:
    """Spectral arc length of these legs, larger for less smooth ones."""
    known = [-smoothness for foot in feet if (smoothness := rep.smoothness[foot]) is not None]
    return sum(known) / len(known) if known else None


def _best_early(values: FloatArray) -> float:
    return float(np.sort(values[:EARLY])[-2:].mean())


def _first_lasting(loss: FloatArray) -> int | None:
    """Index of the first of two neighbours that have lost LOSS on average, and LEAST_LOSS each."""
    before, after = loss[:-1], loss[1:]
    both = np.flatnonzero((0.5 * (before + after) >= LOSS) & (np.minimum(before, after) >= LEAST_LOSS))
    return int(both[0]) if len(both) else None
