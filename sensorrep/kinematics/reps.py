"""Finding reps in a stretch of poses: both legs' common stroke, its excursions, and the rules that decide on each.

One pure function for live use and for the second look at a finished set: `find`. It looks at a stretch of poses as a
whole, so it needs no template, no training and no sensor axis: the person's own strokes say about which axes both legs
turn, and their own reps say how large a rep is.
"""

import itertools
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from sensorrep.kinematics import axes as turning
from sensorrep.kinematics.axes import ALIGNMENT
from sensorrep.kinematics.excursions import LIKE_SIZE, rest_stretch, trimmed, turning_points, within
from sensorrep.kinematics.rest import rest_is_low
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

TYPICAL: Final = 0.7
"""This share of all movement to and fro is in swings smaller than the typical one: it is one of the larger ones, so
that bounces at the top and fidgets are not taken for reps."""
HYSTERESIS: Final = 0.25
"""Share of the typical excursion that must be covered for a turning point. Larger: loses partial reps. Smaller: looks
at fidgets between reps."""
VALLEY: Final = 0.7
"""Two highs are one rep unless the signal comes back by this share of the lower one between them: a bounce at the top
may come back by more than half. Larger: tired, incomplete returns join reps."""
NEIGHBOURS: Final = 3
"""So many lows on either side of a valley show where rest is."""
RETURN: Final = 0.4
"""Share of the way out that must be covered on the way back: after the last rep the legs may rest elsewhere."""
ALIKE: Final = 2.5
"""A rep is at most this many times the set's typical one, or its inverse."""
SHORTEST_REP_S: Final = 0.4
"""Nobody opens against a band and comes back in less."""
LONGEST_REP_S: Final = 20.0
"""Legs that stay open for longer are at rest there."""
SET_GAP_S: Final = 8.0
"""Reps with a longer rest between them belong to two sets."""
LEAST_REPS: Final = 3
"""So many movements alike make an exercise, where none of the person's earlier sets shows what a rep is like."""
LEAST_DOUBTFUL: Final = 5
"""The same where one of the two legs hardly moves, or where the person's earlier sets show that a rep is otherwise."""
TOGETHER: Final = 0.75
"""Least correlation between the legs' courses: the band makes them move as one. In simulated reps it is 0.76 at least,
with one leg nearly still or 0.3 s late too; in other exercises of one leg (pted) it is mostly below 0.7."""
ONE_LEG: Final = 0.33
"""A leg hardly moves when it turns less than this share of the other's turn."""
PACES: Final = 28
"""Legs move together or not over steps of this share of a rep: tremor and small lags do not matter."""
LEAST_TIME_S: Final = 4.0
"""They must last so long together: jerks at the band are shorter."""
LIKE_TIME: Final = 2.0
"""Movements are alike when their duration differs by less than this factor from the median."""
ODD: Final = 0.6
"""A movement of less than this share of the median is unlike the others."""
RHYTHM: Final = 3.0
"""A pause of more than so many usual ones, and a second, is out of the rhythm."""
RUNT: Final = 0.25
"""Smaller excursions, as a share of the set's median, are fidgets between reps, not partial reps."""
TRUST: Final = 3.0
"""Most pieces of evidence that earlier sets are for which way is open: a clear set later on overrules them."""
HABIT: Final = 0.5
"""Pieces of evidence that it is the way it seemed before, so that little evidence does not turn it over and over."""
SEARCH_STEP: Final = 4
"""The search looks at every fourth frame (25 Hz), plenty for turning points; what is found is measured on all."""
AWAY: Final = round(0.25 * FRAME_RATE_HZ)
"""A foot without samples for so many frames is away; shorter holes are interpolated."""


class Template(NamedTuple):
    """What the person's reps were like in an earlier set: enough to know a single one again."""

    direction: FloatArray
    """(6,) joint direction, pointing open."""
    opening_rad: float
    evidence: float
    """Pieces of evidence for which way is open."""


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


class Found(NamedTuple):
    """The exercise that a stretch of poses holds."""

    direction: FloatArray
    """(6,) joint direction, pointing open."""
    axes: FloatArray
    """(2, 3) unit axes in the sensors' frames; a positive rotation opens."""
    q_rest: FloatArray
    """(2, 4) a pose between reps, from which openings are measured."""
    typical_rad: float
    """The person's typical excursion of the heel opening."""
    spans: tuple[Span, ...]
    """All excursions in order; those that passed are reps."""
    rest_rad: float
    """The heel opening at rest."""
    now: float
    """How far open the legs are at the stretch's end, as a share of the typical excursion."""
    last: int
    """Frame of the last turning point, which no movement away from it has confirmed yet."""
    evidence: float
    """Pieces of evidence for which way is open."""

    @property
    def coming_back(self) -> bool:
        """Whether the last excursion has not come back to rest yet: it may still turn out to be a bounce at the top."""
        return bool(self.spans) and self.spans[-1].next_low == self.last and self.now >= 1.0 - VALLEY

    @property
    def begun(self) -> int | None:
        """Where the last run of excursions that may be reps begins, in frames of the stretch."""
        return next((run[0].low for run in reversed(_runs(self.spans))), None)


def common_stroke(
    stretch: HeelSignal, edges: IntArray, feet: tuple[int, ...], movement: Movement, prior: FloatArray | None
) -> turning.JointDirection | None:
    """What most strokes of a stretch of poses have in common, between its instants of near standstill `edges`.

    `prior` is the joint direction (6,) last found. In `one-leg` only the foot in `feet` counts.
    """
    seen = np.zeros((2, 1))
    seen[list(feet)] = 1.0
    strokes = turning.strokes_between(stretch["q_earth_sensor"], edges) * np.repeat(seen, 3)
    age_s = (edges[-1] - edges[1:]) / FRAME_RATE_HZ
    return turning.consensus(strokes, 0.3 * LIMITS[movement].least_opening_rad, ALIGNMENT, age_s, prior)


def may_be_set(common: turning.JointDirection, known: Template | None) -> bool:
    """Whether there are strokes enough for a set that `last_set` would take: each rep has two, one way and back."""
    again = known is not None and abs(common.direction @ known.direction) >= ALIGNMENT
    return int(common.support.sum()) >= (2 if again else 2 * LEAST_REPS - 1)


def find(
    stretch: HeelSignal,
    edges: IntArray,
    common: turning.JointDirection,
    feet: tuple[int, ...],
    movement: Movement,
    known: Template | None,
    prior: FloatArray | None,
) -> Found | None:
    """Excursions along the strokes that a stretch of poses has in `common`; None where nothing turned far enough.

    Which way is open: what the strokes tell (`rest_is_low`), what the person's earlier sets were like (`known`), and
    how it seemed before (`prior`, the joint direction (6,) last found).
    """
    limits = LIMITS[movement]
    direction = common.direction
    axes, shares = turning.leg_axes(direction)
    q_rest = stretch["q_earth_sensor"][edges[int(np.argmax(common.support))]]
    searched = stretch[::SEARCH_STEP]
    legs = turning.opening(searched["q_earth_sensor"], q_rest, axes)
    legs = turning.bridged(legs, searched["ok"], axes, shares, AWAY // SEARCH_STEP)[:, list(feet)]
    heel: FloatArray = legs.sum(axis=1)
    swings, _ = turning_points(heel, limits.least_opening_rad)
    if len(swings) < 3:
        return None
    typical = turning.path_quantile(np.abs(np.diff(heel[swings])), TYPICAL)
    rate_hz = FRAME_RATE_HZ / SEARCH_STEP
    evidence = rest_is_low(heel, np.array(swings), searched["q_earth_sensor"], direction, typical, rate_hz)
    if known is not None and abs(direction @ known.direction) > ALIGNMENT:
        evidence += float(np.sign(direction @ known.direction)) * min(known.evidence, TRUST)
    if prior is not None and abs(direction @ prior) > ALIGNMENT:
        evidence += float(np.sign(direction @ prior)) * HABIT
    sign = 1.0 if evidence >= 0.0 else -1.0
    heel, legs = sign * heel, sign * legs
    points, starts_low = turning_points(heel, max(limits.least_opening_rad, HYSTERESIS * typical))
    triples = _excursions(heel, points if starts_low else points[1:])
    last = points[-1] * SEARCH_STEP if points else 0
    spans = tuple(_judge(stretch, heel, legs, triple, sign * axes, feet, typical, limits) for triple in triples)
    lows = [low for triple in triples[-NEIGHBOURS:] for low in triple[::2]] or [0]
    rest = float(heel[lows].min())
    now = (float(heel[-1]) - rest) / typical
    return Found(sign * direction, sign * axes, q_rest, typical, spans, rest, now, last, abs(evidence))


def last_set(found: Found, known: Template | None) -> list[Span]:
    """The last run of passed excursions without a rest longer than SET_GAP_S between them that is a set of reps.

    Stray movement seldom comes back the same way, about the same axes, by the same angle, three times in a row. A run
    like the person's earlier set needs no such evidence; one unlike it, or in which a leg hardly moves, as when a foot
    adjusts the band, needs more.
    """
    return next((reps for run in reversed(_runs(found.spans)) if (reps := _set_in(run, found, known))), [])


def _set_in(run: list[Span], found: Found, known: Template | None) -> list[Span]:
    """The reps of a run, none if it is no set."""
    openings = np.array([span.opening_rad for span in run])
    typical = median(openings.tolist())
    durations = np.array([span.length for span in run])
    alike = _like(openings, LIKE_SIZE) & _like(durations, LIKE_TIME)
    if not _is_known(found, typical, known):
        legs = np.median([span.legs_rad for span in run], axis=0)
        both = legs.min() > ONE_LEG * legs.max()
        if median(span.together for span in run) < TOGETHER:
            return []
        if alike.sum() < (LEAST_REPS if both and known is None else LEAST_DOUBTFUL):
            return []
        if durations[alike].sum() < LEAST_TIME_S * FRAME_RATE_HZ:
            return []
    return _in_rhythm([span for span in run if span.opening_rad >= RUNT * typical])


def _in_rhythm(run: list[Span]) -> list[Span]:
    """The run without fidgets at its ends: movements unlike the others in two ways, or in one and out of rhythm."""
    openings, durations = np.array([[span.opening_rad, span.length] for span in run]).T
    legs = np.array([span.legs_rad for span in run])
    usual = np.median(legs, axis=0)
    cosine = legs @ usual / np.sqrt((legs**2).sum(axis=1) * (usual @ usual))
    ways = (
        (openings < ODD * median(openings.tolist())).astype(int) + (cosine < ALIGNMENT) + ~_like(durations, LIKE_TIME)
    )
    pauses = np.array([after.leaves - span.back for span, after in itertools.pairwise(run)])
    longest = RHYTHM * median(pauses.tolist()) + FRAME_RATE_HZ if len(pauses) else 0.0
    breaks = (pauses > longest) | (ways[1:] > 1) | (ways[:-1] > 1)
    groups = np.split(np.arange(len(run)), np.flatnonzero(breaks) + 1)
    while len(groups) > 1 and (ways[groups[0]] > 0).all():
        groups = groups[1:]
    while len(groups) > 1 and (ways[groups[-1]] > 0).all():
        groups = groups[:-1]
    return run[int(groups[0][0]) : int(groups[-1][-1]) + 1]


def _like(values: FloatArray, factor: float) -> BoolArray:
    return within(values, median(values.tolist()), factor)


def like_known(found: Found, known: Template | None) -> bool:
    """Whether the legs move, and open, as in an earlier set."""
    return known is not None and float(found.direction @ known.direction) >= ALIGNMENT


def _is_known(found: Found, typical: float, known: Template | None) -> bool:
    """Whether these are the reps of an earlier set again."""
    if known is None or not like_known(found, known):
        return False
    return known.opening_rad / ALIKE < typical < known.opening_rad * ALIKE


def _runs(spans: tuple[Span, ...]) -> list[list[Span]]:
    """Passed excursions without a rest longer than SET_GAP_S between them."""
    runs: list[list[Span]] = []
    for span in spans:
        if not span.passed:
            continue
        if not runs or span.leaves - runs[-1][-1].back > SET_GAP_S * FRAME_RATE_HZ:
            runs.append([])
        runs[-1].append(span)
    return runs


def _excursions(heel: FloatArray, points: list[int]) -> list[tuple[int, int, int]]:
    """(low, high, next low) of each excursion between turning points; highs without a real valley between are one.

    A valley is judged against the rest level around it: the lowest of its neighbours on either side, and of the two the
    higher. The very first and last low count as no lower than those next to them: before and after a set the legs come
    from, and go, elsewhere.
    """
    lows, highs = points[::2], points[1::2]
    highs = highs[: len(lows) - 1]
    levels = heel[lows]
    if len(lows) > 2:
        levels[0] = max(levels[0], levels[1:-1][: NEIGHBOURS + 1].min())
        levels[-1] = max(levels[-1], levels[1:-1][-NEIGHBOURS - 1 :].min())
    valleys = lows[:1]
    for k in range(1, len(highs)):
        before, after = levels[max(k - NEIGHBOURS, 0) : k].min(), levels[k + 1 : k + 1 + NEIGHBOURS].min()
        rest = max(before, after)
        if heel[lows[k]] - rest <= (1.0 - VALLEY) * (min(heel[highs[k - 1]], heel[highs[k]]) - rest):
            valleys.append(lows[k])
    valleys += lows[len(highs) :][:1] if highs else []
    triples = [
        (low, max((high for high in highs if low < high < next_low), key=heel.__getitem__), next_low)
        for low, next_low in itertools.pairwise(valleys)
    ]
    return [trimmed(heel, *triple, confirmed=triple[2] != points[-1]) for triple in triples]


def _correlation(rate: FloatArray) -> float:
    """Pearson's correlation of the columns of (n, 2); 1 for fewer columns, 0 where one is constant."""
    if rate.shape[1] < 2:
        return 1.0
    centred = rate - rate.mean(axis=0)
    size = float(np.sqrt((centred**2).sum(axis=0).prod()))
    return float(centred.prod(axis=1).sum()) / size if size > 0.0 else 0.0


def _judge(
    stretch: HeelSignal,
    heel: FloatArray,
    legs: FloatArray,
    triple: tuple[int, int, int],
    axes: FloatArray,
    feet: tuple[int, ...],
    typical: float,
    limits: Limits,
) -> Span:
    """Put every rule to one excursion."""
    low, high, next_low = triple
    before, after = (
        float(side[slice(*rest_stretch(side, FRAME_RATE_HZ / SEARCH_STEP))].mean())
        for side in (heel[low : high + 1][::-1], heel[high : next_low + 1])
    )
    out, back = float(heel[high]) - before, float(heel[high]) - after
    leaves = low + int(np.flatnonzero(heel[low : high + 1] <= before + 0.1 * out)[-1])
    comes_back = high + int(np.argmax(heel[high : next_low + 1] <= after + 0.1 * back))
    frames = np.array([low, leaves, high, comes_back, next_low]) * SEARCH_STEP
    turned = turning.strokes_between(stretch["q_earth_sensor"], frames[1:3]).reshape(2, 3)[list(feet)]
    length = np.sqrt((turned**2).sum(axis=1))
    along = (turned * axes[list(feet)]).sum(axis=1)
    alignment = float(along.sum() / length.sum()) if length.sum() > 0.0 else 0.0
    opening = min(out, back)
    lasts_s = (comes_back - leaves) * SEARCH_STEP / FRAME_RATE_HZ
    each = tuple(np.ptp(legs[leaves : comes_back + 1], axis=0).tolist())
    furthest = max(each)
    during = stretch["ok"][frames[1] : frames[3]]
    seen = [place for place, foot in enumerate(feet) if during[:, foot].mean() > 0.5]  # an absent leg says nothing
    pace = max((comes_back - leaves) // PACES, 1)
    course = legs[leaves : comes_back + 1, seen]
    together = _correlation(course[pace:] - course[:-pace])
    checks = (
        Check("large enough (rad)", opening, limits.least_opening_rad, opening >= limits.least_opening_rad),
        Check("small enough for a hip (rad)", furthest, limits.most_range_rad, furthest <= limits.most_range_rad),
        Check("about the set's own axes (cosine)", alignment, limits.alignment, alignment >= limits.alignment),
        Check("long enough (s)", lasts_s, SHORTEST_REP_S, lasts_s >= SHORTEST_REP_S),
        Check("soon enough (s)", lasts_s, LONGEST_REP_S, lasts_s <= LONGEST_REP_S),
        Check("comes back (share)", back / out if out > 0.0 else 0.0, RETURN, back >= RETURN * out > 0.0),
        Check("like the others (ratio)", out / typical, ALIKE, out <= ALIKE * typical),
    )
    low, leaves, high, comes_back, next_low = frames.tolist()
    return Span(low, leaves, high, comes_back, next_low, opening, each, together, checks)
