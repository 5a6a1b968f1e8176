"""Finding reps in a stretch of poses: both legs' common stroke, its excursions, and the rules that decide on each.

One pure function for live use and for the second look at a finished set: `find`. It looks at a stretch of poses as a
whole, so it needs no template, no training and no sensor axis: the person's own strokes say about which axes both legs
turn, and their own reps say how large a rep is.
"""

import itertools
from typing import Final, NamedTuple

import numpy as np

from sensorrep.kinematics import axes as turning
from sensorrep.kinematics.excursions import rest_stretch, trimmed, turning_points
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

ALIGNMENT: Final = 0.8
"""Least cosine between strokes of one exercise. Larger: a shaky pelvis breaks sets. Smaller: stray strokes join in."""
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
LEAST_ONE_LEG: Final = 5
"""The same where one of the two legs hardly moves."""
TOGETHER: Final = 0.75
"""Least correlation between a leg that hardly moves and the other: the band makes them move as one. In simulated reps
with one leg nearly still it is 0.9, in other exercises of one leg (pted) 0.6 at most."""
ONE_LEG: Final = 0.25
"""A leg hardly moves when it turns less than this share of the other's turn."""
LEAST_TIME_S: Final = 4.0
"""They must last so long together: jerks at the band are shorter."""
LIKE_SIZE: Final = 1.6
LIKE_TIME: Final = 2.0
"""Movements are alike when their size and their duration differ less than by these factors from the median."""
ODD: Final = 0.6
"""A movement of less than this share of the median is unlike the others."""
RHYTHM: Final = 3.0
"""A pause of more than so many usual ones, and a second, is out of the rhythm."""
RUNT: Final = 0.25
"""Smaller excursions, as a share of the set's median, are fidgets between reps, not partial reps."""
SEARCH_STEP: Final = 4
"""The search looks at every fourth frame (25 Hz), plenty for turning points; what is found is measured on all."""
AWAY: Final = round(0.25 * FRAME_RATE_HZ)
"""A foot without samples for so many frames is away; shorter holes are interpolated."""
SET_GAP: Final = round(SET_GAP_S * FRAME_RATE_HZ / SEARCH_STEP)
LONG_REST: Final = round(3.0 * FRAME_RATE_HZ / SEARCH_STEP)
"""What lasts so long after the last movement of a set is rest, not a hold."""


class Template(NamedTuple):
    """What the person's reps were like in an earlier set: enough to know a single one again."""

    direction: FloatArray
    """(6,) joint direction, pointing open."""
    opening_rad: float


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
    def share(self) -> float:
        """How much the leg that turned less did, as a share of the other."""
        return min(self.legs_rad) / max(self.legs_rad)

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


def find(
    stretch: HeelSignal,
    edges: IntArray,
    feet: tuple[int, ...],
    movement: Movement,
    known: Template | None,
    prior: FloatArray | None,
    *,
    over: bool,
) -> Found | None:
    """Excursions in a stretch of poses, whose instants of near standstill are `edges`; None where nothing turned.

    Which way is open: as in the person's earlier set (`known`); else away from a long rest after the last rep; else as
    it seemed before (`prior`, the joint direction (6,) last found); unless the other way shows more reps. In `one-leg`
    only the one foot in `feet` is looked at. `over`: nothing follows, so that a rest after the last rep tells.
    """
    limits = LIMITS[movement]
    seen = np.zeros((2, 1))
    seen[list(feet)] = 1.0
    strokes = turning.strokes_between(stretch["q_earth_sensor"], edges) * np.repeat(seen, 3)
    age_s = (edges[-1] - edges[1:]) / FRAME_RATE_HZ
    best = turning.consensus(strokes, 0.3 * limits.least_opening_rad, ALIGNMENT, age_s, prior)
    if best is None:
        return None
    axes, shares = turning.leg_axes(best.direction)
    q_rest = stretch["q_earth_sensor"][edges[int(np.argmax(best.support))]]
    searched = stretch[::SEARCH_STEP]
    legs = turning.opening(searched["q_earth_sensor"], q_rest, axes)
    legs = turning.bridged(legs, searched["ok"], axes, shares, AWAY // SEARCH_STEP)[:, list(feet)]
    heel: FloatArray = legs.sum(axis=1)
    swings, _ = turning_points(heel, limits.least_opening_rad)
    if len(swings) < 3:
        return None
    typical = turning.path_quantile(np.abs(np.diff(heel[swings])), TYPICAL)
    likely, sure = _open_sign(heel, swings, typical, over=over)
    of_known = float(best.direction @ known.direction) if known is not None else 0.0
    of_prior = float(best.direction @ prior) if prior is not None else 0.0
    if abs(of_known) > ALIGNMENT:
        likely = float(np.sign(of_known))
    elif abs(of_prior) > ALIGNMENT and not sure:
        likely = float(np.sign(of_prior))
    hysteresis = max(limits.least_opening_rad, HYSTERESIS * typical)
    choices: list[Found] = []
    heels: list[FloatArray] = []
    for sign in (likely, -likely):
        triples = _excursions(sign * heel, hysteresis)
        if choices and (sure or abs(of_known) > ALIGNMENT or len(triples) < _full_reps(choices[0])):
            break
        spans = tuple(
            _judge(stretch, sign * heel, sign * legs, triple, sign * axes, feet, typical, limits) for triple in triples
        )
        lows = [low for triple in triples[-NEIGHBOURS:] for low in triple[::2]] or [0]
        rest = float((sign * heel[lows]).min())
        now = float(sign * heel[-1] - rest) / typical
        choices.append(Found(sign * best.direction, sign * axes, q_rest, typical, spans, rest, now))
        heels.append(sign * heel)
    # seen the wrong way round, the rests between n reps are n - 1 excursions; the first comes right after an opening
    return max(zip(choices, heels, strict=True), key=lambda choice: (_full_reps(choice[0]), _from_rest(*choice)))[0]


def last_set(found: Found, known: Template | None) -> list[Span]:
    """The last run of passed excursions without a rest longer than SET_GAP_S between them that is a set of reps.

    Stray movement seldom comes back the same way, about the same axes, by the same angle, three times in a row. A run
    like the person's earlier set needs no such evidence; one in which a leg hardly moves, as when a foot adjusts the
    band, needs more.
    """
    return next((reps for run in reversed(_runs(found.spans)) if (reps := _set_in(run, found, known))), [])


def _set_in(run: list[Span], found: Found, known: Template | None) -> list[Span]:
    """The reps of a run, none if it is no set."""
    openings = np.array([span.opening_rad for span in run])
    typical = float(np.median(openings))
    durations = np.array([span.length for span in run])
    alike = _like(openings, LIKE_SIZE) & _like(durations, LIKE_TIME)
    if not _is_known(found, typical, known):
        legs = np.median([span.legs_rad for span in run], axis=0)
        both = legs.min() > ONE_LEG * legs.max()
        if not both and np.median([span.together for span in run]) < TOGETHER:
            return []
        if alike.sum() < (LEAST_REPS if both else LEAST_ONE_LEG):
            return []
        if durations[alike].sum() < LEAST_TIME_S * FRAME_RATE_HZ:
            return []
    return _in_rhythm([span for span in run if span.opening_rad >= RUNT * typical])


def _in_rhythm(run: list[Span]) -> list[Span]:
    """The run without movements at its ends that are both unlike the others and out of their rhythm: fidgets."""
    while len(run) > LEAST_REPS:
        openings, shares = (np.array([getattr(span, name) for span in run]) for name in ("opening_rad", "share"))
        durations = np.array([span.length for span in run])
        odd = (openings < ODD * np.median(openings)) | (shares < ONE_LEG * np.median(shares))
        odd |= ~_like(durations, LIKE_TIME)
        pauses = np.array([after.leaves - span.back for span, after in itertools.pairwise(run)])
        longest = RHYTHM * float(np.median(pauses)) + FRAME_RATE_HZ
        if odd[-1] and pauses[-1] > longest:
            run = run[:-1]
        elif odd[0] and pauses[0] > longest:
            run = run[1:]
        else:
            break
    return run


def _like(values: FloatArray, factor: float) -> BoolArray:
    return _within(values, float(np.median(values)), factor)


def _within(values: FloatArray, middle: float, factor: float) -> BoolArray:
    like: BoolArray = (values > middle / factor) & (values < middle * factor)
    return like


def _is_known(found: Found, typical: float, known: Template | None) -> bool:
    """Whether these are the reps of an earlier set again."""
    if known is None or float(found.direction @ known.direction) < ALIGNMENT:
        return False
    return known.opening_rad / ALIKE < typical < known.opening_rad * ALIKE


def _full_reps(found: Found) -> int:
    """How many reps of typical size, and of like durations, the last run has."""
    run = _last_run(found)
    durations = np.array([span.length for span in run])
    full = np.array([span.opening_rad > found.typical_rad / LIKE_SIZE for span in run])
    return int((full & _like(durations, LIKE_TIME)).sum()) if run else 0


def _from_rest(found: Found, heel: FloatArray) -> bool:
    """Whether the last run begins with no fall of a rep's size within a rep's period before: then it begins at rest."""
    run = _last_run(found)
    if len(run) < 2:
        return True
    leaves = np.array([span.leaves for span in run]) // SEARCH_STEP
    period = int(np.median(np.diff(leaves)))
    before = heel[max(int(leaves[0]) - period, 0) : int(leaves[0]) + 1]
    return float(before.max() - before[-1]) < ODD * found.typical_rad


def _last_run(found: Found) -> list[Span]:
    return next(reversed(_runs(found.spans)), [])


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


def _open_sign(heel: FloatArray, swings: list[int], typical: float, *, over: bool) -> tuple[float, bool]:
    """(+1 if `heel` seems to grow when the legs open, -1 if it falls; whether that is sure): away from their rest.

    Rest is where the legs are when nothing like a rep came for long after a set, else where the first of the last run
    of like swings began.
    """
    step = np.diff(heel[swings])
    alike = np.flatnonzero(_within(np.abs(step), typical, LIKE_SIZE))
    if not len(alike):
        return 1.0, False
    apart = [swings[after] - swings[before + 1] > SET_GAP for before, after in itertools.pairwise(alike)]
    start, end = int(alike[np.flatnonzero([True, *apart])[-1]]), int(alike[-1])
    first = float(np.sign(step[start]))
    before, after = swings[start], len(heel) - 1 - swings[end + 1]
    if not over or after <= min(before, LONG_REST):
        return first, False
    ends = heel[np.array(swings)[np.concatenate([alike, alike + 1])]].reshape(2, -1)
    low, high, final = (
        float(np.median(level)) for level in (ends.min(axis=0), ends.max(axis=0), heel[swings[end + 1] :])
    )
    nearer = min(abs(final - low), abs(final - high))
    return (first, False) if nearer > HYSTERESIS * typical else (1.0 if nearer == abs(final - low) else -1.0, True)


def _excursions(heel: FloatArray, hysteresis: float) -> list[tuple[int, int, int]]:
    """(low, high, next low) of each excursion; highs without a real valley between them are one.

    A valley is judged against the rest level around it: the lowest of its neighbours on either side, and of the two the
    higher, since before and after a set the legs come from, and go, elsewhere.
    """
    points, starts_low = turning_points(heel, hysteresis)
    points = points if starts_low else points[1:]
    lows, highs = points[::2], points[1::2]
    highs = highs[: len(lows) - 1]
    valleys = lows[:1]
    for k in range(1, len(highs)):
        before = min(heel[low] for low in lows[max(k - NEIGHBOURS, 0) : k])
        after = min(heel[low] for low in lows[k + 1 : k + 1 + NEIGHBOURS])
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
    during = stretch[frames[1] : frames[3] : SEARCH_STEP]
    seen = [foot for foot in feet if during["ok"][:, foot].mean() > 0.5]  # a leg whose sensor is away says nothing
    rate = (during["rate_rad_s"] * axes).sum(axis=2)[:, seen]
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
    return Span(low, leaves, high, comes_back, next_low, opening, each, _correlation(rate), checks)
