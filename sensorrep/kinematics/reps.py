"""Finding an exercise in a stretch of poses: both legs' common stroke, which way is open, and its excursions.

One pure function for live use and for the second look at a finished set: `find`. It looks at a stretch of poses as a
whole, so it needs no template, no training and no sensor axis: the person's own strokes say about which axes both legs
turn, and their own reps say how large a rep is.
"""

import itertools
import math
from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from sensorrep import quaternion
from sensorrep.kinematics import axes as turning
from sensorrep.kinematics.absence import AWAY, bridged
from sensorrep.kinematics.axes import ALIGNMENT
from sensorrep.kinematics.excursions import trimmed, turning_points
from sensorrep.kinematics.rest import rest_is_low
from sensorrep.kinematics.spans import LIMITS, SEARCH_STEP, Span, judge
from sensorrep.model import FRAME_RATE_HZ, FloatArray, HeelSignal, IntArray, Movement

TYPICAL: Final = 0.7
"""This share of all movement to and fro is in swings smaller than the typical one: it is one of the larger ones, so
that bounces at the top and fidgets are not taken for reps."""
HYSTERESIS: Final = 0.25
"""Share of the typical excursion that must be covered for a turning point. Larger: loses partial reps. Smaller: looks
at fidgets between reps."""
VALLEY: Final = 0.55
"""Two highs are one rep unless the signal comes back by this share of the lower one between them: nearer to rest than
to the top, and a little for noise. Larger: incomplete returns join reps. Smaller: bounces at the top are reps."""
NEIGHBOURS: Final = 3
"""So many lows on either side of a valley show where rest is."""
TRUST: Final = 3.0
"""Most pieces of evidence that earlier sets are for which way is open: a clear set later on overrules them."""
HABIT: Final = 0.5
"""Pieces of evidence that it is the way it seemed before, so that little evidence does not turn it over and over."""
ANATOMY: Final = 2.0
"""Pieces of evidence that the way is which hips turn inward. No more, since sensors may be on the wrong feet."""


class Template(NamedTuple):
    """What the person's reps were like in an earlier set: enough to know a single one again."""

    direction: FloatArray
    """(6,) joint direction, pointing open."""
    opening_rad: float
    evidence: float
    """Pieces of evidence for which way is open."""


class Clues(NamedTuple):
    """What was seen before that tells which way is open."""

    known: Template | None
    """What the person's earlier sets were like."""
    prior: FloatArray | None
    """(6,) joint direction last found, pointing to what seemed open then."""
    begun: int | None
    """Frame from which on a set is known to run."""
    inward: FloatArray | None
    """(2, 3) axes in the sensors' frames about which both hips turn inward, from walking."""
    swapped: bool
    """Whether left and right are known to be exchanged."""


class Found(NamedTuple):
    """The exercise that a stretch of poses holds."""

    direction: FloatArray
    """(6,) joint direction, pointing open."""
    axes: FloatArray
    """(2, 3) unit axes in the sensors' frames; a positive rotation opens."""
    q_rest: FloatArray
    """(2, 4) pose before a rep amid the others, from which openings are counted; rest is `rest_rad` from it."""
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


def common_stroke(
    stretch: HeelSignal,
    edges: IntArray,
    feet: tuple[int, ...],
    movement: Movement,
    prior: FloatArray | None,
    *,
    keep: bool = False,
) -> turning.JointDirection | None:
    """What most strokes of a stretch of poses have in common, between its instants of near standstill `edges`.

    `prior` is the joint direction (6,) last found, to `keep` or to be outvoted. In `one-leg` only the foot in `feet`
    counts.
    """
    seen = np.zeros((2, 1))
    seen[list(feet)] = 1.0
    strokes = turning.strokes_between(stretch["q_earth_sensor"], edges) * np.repeat(seen, 3)
    age_s = (edges[-1] - edges[1:]) / FRAME_RATE_HZ
    return turning.consensus(strokes, 0.3 * LIMITS[movement].least_opening_rad, ALIGNMENT, age_s, prior, keep=keep)


def find(
    stretch: HeelSignal,
    edges: IntArray,
    common: turning.JointDirection,
    feet: tuple[int, ...],
    movement: Movement,
    clues: Clues,
) -> Found | None:
    """Excursions along the strokes that a stretch of poses has in `common`; None where nothing turned far enough.

    Which way is open: what the strokes tell (`rest_is_low`), and the `clues`.
    """
    limits = LIMITS[movement]
    direction = common.direction
    axes, shares = turning.leg_axes(direction)
    q_rest = stretch["q_earth_sensor"][edges[int(np.argmax(common.support))]].copy()  # outlives the stretch
    searched = stretch[::SEARCH_STEP]
    legs = turning.opening(searched["q_earth_sensor"], q_rest, axes)
    legs = bridged(legs, searched["ok"], axes, shares, AWAY // SEARCH_STEP)[:, list(feet)]
    heel: FloatArray = legs.sum(axis=1)
    swings, _ = turning_points(heel, limits.least_opening_rad)
    if len(swings) < 3:
        return None
    most_rad = limits.most_range_rad * len(feet)
    typical = _typical(heel, np.array(swings), searched["q_earth_sensor"], direction, most_rad)
    rate_hz = FRAME_RATE_HZ / SEARCH_STEP
    since = None if clues.begun is None else clues.begun // SEARCH_STEP
    seen = np.asarray(searched["ok"][:, list(feet)].any(axis=1))
    evidence = rest_is_low(heel, np.array(swings), searched["q_earth_sensor"], direction, typical, rate_hz, seen, since)
    evidence += _hints(direction, clues)
    if len(feet) > 1:
        evidence += ANATOMY * _inward(direction, quaternion.rotate(q_rest, axes), clues)
    sign = 1.0 if evidence >= 0.0 else -1.0
    heel, legs = sign * heel, sign * legs
    points, starts_low = turning_points(heel, max(limits.least_opening_rad, HYSTERESIS * typical))
    triples = _excursions(heel, points if starts_low else points[1:], typical)
    last = points[-1] * SEARCH_STEP if points else 0
    spans = judge(stretch, heel, legs, triples, sign * axes, feet, typical, limits)
    lows = [low for triple in triples[-NEIGHBOURS:] for low in triple[::2]] or [0]
    rest = float(heel[lows].min())
    now = (float(heel[-1]) - rest) / typical
    leaves = [span.leaves for span in spans if span.passed]
    if leaves:  # the first stroke may have begun elsewhere, on the way into position
        middle = leaves[len(leaves) // 2]
        q_rest, rest = stretch["q_earth_sensor"][middle].copy(), rest - float(heel[middle // SEARCH_STEP])
    return Found(sign * direction, sign * axes, q_rest, typical, spans, rest, now, last, abs(evidence))


def _hints(direction: FloatArray, clues: Clues) -> float:
    """Pieces of evidence from earlier sets, and from how it seemed before, that the direction (6,) opens."""
    hints = 0.0
    if clues.known is not None and abs(direction @ clues.known.direction) > ALIGNMENT:
        hints += float(np.sign(direction @ clues.known.direction)) * min(clues.known.evidence, TRUST)
    if clues.prior is not None and abs(direction @ clues.prior) > ALIGNMENT:
        hints += float(np.sign(direction @ clues.prior)) * HABIT
    return hints


def _inward(direction: FloatArray, axes_earth: FloatArray, clues: Clues) -> float:
    """How much the direction (6,), about axes_earth (2, 3), turns both hips inward, from -1 to 1; 0 where unknown."""
    if clues.inward is not None and clues.inward.any():
        return float(np.clip(direction @ clues.inward.ravel(), -1.0, 1.0))
    return -turning.opens(axes_earth) if clues.swapped else turning.opens(axes_earth)


def _typical(
    heel: FloatArray, swings: IntArray, q_earth_sensor: FloatArray, direction: FloatArray, most_rad: float
) -> float:
    """The person's typical swing of the heel opening (n) between turning points, what can be no rep's left out."""
    moved = turning.rotations(q_earth_sensor, swings[:-1], swings[1:]).reshape(-1, 6) * (direction != 0.0)
    size = np.abs(np.diff(heel[swings]))
    likely = (np.abs(moved @ direction) > ALIGNMENT * np.sqrt((moved**2).sum(axis=1))) & (size <= most_rad)
    return turning.path_quantile(size[likely] if likely.any() else size, TYPICAL)


def _excursions(heel: FloatArray, points: list[int], typical: float) -> list[tuple[int, int, int]]:
    """(low, high, next low) of each excursion between turning points; highs without a real valley between are one.

    A valley is judged against the rest level around it, as its neighbours on either side show it, and of the two the
    higher. Lows a typical swing below the highs next to them are neighbours before others are: pulses at the top, even
    many, show no rest. The very first and last low count as no lower than those next to them: before and after a set
    the legs come from, and go, elsewhere.
    """
    lows, highs = points[::2], points[1::2]
    highs = highs[: len(lows) - 1]
    tops = [math.inf, *heel[highs].tolist(), math.inf]
    levels = [
        _Low(level, min(before, after) - level >= VALLEY * typical)
        for level, (before, after) in zip(heel[lows].tolist(), itertools.pairwise(tops), strict=True)
    ]
    if len(lows) > 2:
        inner = levels[1:-1]
        levels[0] = levels[0]._replace(level=max(levels[0].level, _rest(inner, typical, NEIGHBOURS + 1)))
        levels[-1] = levels[-1]._replace(level=max(levels[-1].level, _rest(inner[::-1], typical, NEIGHBOURS + 1)))
    valleys = lows[:1]
    for k in range(1, len(highs)):
        rest = max(_rest(levels[k - 1 :: -1], typical), _rest(levels[k + 1 :], typical))
        if heel[lows[k]] - rest <= (1.0 - VALLEY) * (min(tops[k], tops[k + 1]) - rest):
            valleys.append(lows[k])
    valleys += lows[len(highs) :][:1] if highs else []
    triples = [
        (low, max((high for high in highs if low < high < next_low), key=heel.__getitem__), next_low)
        for low, next_low in itertools.pairwise(valleys)
    ]
    return [trimmed(heel, *triple, confirmed=triple[2] != points[-1]) for triple in triples]


class _Low(NamedTuple):
    """A low of the heel opening."""

    level: float
    is_deep: bool
    """Whether it is a typical swing below the highs next to it."""


def _rest(lows: Sequence[_Low], typical: float, nearest: int = NEIGHBOURS) -> float:
    """The lowest of the nearest deep ones among the lows, which are nearest first, or of all where none is deep.

    One that lies below most of them as the top lies above is no rest: knees fall apart, as a ball drops.
    """
    deep = [low.level for low in lows if low.is_deep][:nearest]
    near = deep or [low.level for low in lows[:nearest]]
    least = median(near) - VALLEY * typical
    return min(level for level in near if level >= least)
