"""Which excursions in a row are a set of reps, by their likeness, their rhythm, and the person's earlier sets."""

import itertools
from collections.abc import Iterator
from statistics import median
from typing import Final

import numpy as np

from sensorrep.kinematics.axes import ALIGNMENT, JointDirection
from sensorrep.kinematics.excursions import LIKE_SIZE, within
from sensorrep.kinematics.reps import Found, Template
from sensorrep.kinematics.spans import ALIKE, ONE_LEG, TOGETHER, Span
from sensorrep.model import FRAME_RATE_HZ, BoolArray, Check, FloatArray, IntArray

SET_GAP_S: Final = 8.0
"""Reps with a longer rest between them belong to two sets."""
LEAST_REPS: Final = 3
"""So many movements alike make an exercise, where none of the person's earlier sets shows what a rep is like."""
LEAST_DOUBTFUL: Final = 5
"""The same where one of the two legs hardly moves, or where the person's earlier sets show that a rep is otherwise."""
LOOSE: Final = 0.5
"""TOGETHER for a single movement, and for a few like the person's earlier sets: noise pulls one down further than all.
"""
ALONG: Final = 0.45
"""A leg that turns less than this share of the other's turn is only taken along. Larger: the weaker of two legs that
exercise together, by half as much, is not counted. Smaller: a pelvis that rolls with the other leg's exercise is."""
LEAST_TIME_S: Final = 4.0
"""They must last so long from the first to the last, pauses too: jerks at the band are shorter."""
LIKE_TIME: Final = 2.0
"""Movements are alike when their duration differs by less than this factor from the median."""
ODD: Final = 0.6
"""A movement of less than this share of the median is unlike the others."""
RHYTHM: Final = 3.0
"""A pause of more than so many usual ones, and a second, is out of the rhythm."""
ALL_WAYS: Final = 5
"""In so many ways a movement can be unlike the others (`_ways`)."""
RUNT: Final = 0.25
"""Smaller excursions, as a share of the set's median, are fidgets between reps, not partial reps."""


def may_be_set(common: JointDirection, known: Template | None) -> bool:
    """Whether there are strokes enough for a set that `last_set` would take: each rep has two, one way and back."""
    if known is None:
        least = LEAST_REPS
    else:
        least = 1 if abs(common.direction @ known.direction) >= ALIGNMENT else LEAST_DOUBTFUL
    return int(common.support.sum()) >= max(2 * least - 1, 2)


def last_set(found: Found, known: Template | None) -> list[Span]:
    """The last run of passed excursions without a rest longer than SET_GAP_S between them that is a set of reps.

    Stray movement seldom comes back the same way, about the same axes, by the same angle, three times in a row. A run
    like the person's earlier set needs no such evidence; one unlike it, or in which a leg hardly moves, as when a foot
    adjusts the band, needs more.
    """
    return next(_sets_backward(found, known), [])


def set_before(found: Found, known: Template | None) -> list[Span]:
    """The set before the last one that the stretch holds."""
    return next(itertools.islice(_sets_backward(found, known), 1, None), [])


def _sets_backward(found: Found, known: Template | None) -> Iterator[list[Span]]:
    return (reps for run in reversed(_runs(found.spans)) if (reps := _set_in(run, found, known)))


def begun(found: Found) -> int | None:
    """Where the last run of excursions that may be reps begins, in frames of the stretch."""
    return next((run[0].low for run in reversed(_runs(found.spans))), None)


def set_rules(found: Found, known: Template | None) -> dict[Span, tuple[Check, ...]]:
    """The rules put to each passed excursion as one of a run: whether that is a set, and it one of it."""
    return {span: checks for run in _runs(found.spans) for span, checks in _rules_in(run, found, known)}


def _rules_in(run: list[Span], found: Found, known: Template | None) -> Iterator[tuple[Span, tuple[Check, ...]]]:
    of_run = _rules_of_run(run, found, known)
    least = _least(run)
    large = [span for span in run if span.opening_rad >= least]
    ways = dict(zip(large, _ways(large).tolist(), strict=True))
    for span in run:
        size = Check("large enough beside the others (rad)", span.opening_rad, least, span in ways)
        alike = Check(
            "like the others of its set (ways in which it is not)", ways.get(span, 0), 0.0, not ways.get(span)
        )
        yield span, (*of_run, size, alike)


def _set_in(run: list[Span], found: Found, known: Template | None) -> list[Span]:
    """The reps of a run, none if it is no set."""
    if not all(check.passed for check in _rules_of_run(run, found, known)):
        return []
    least = _least(run)
    return _in_rhythm([span for span in run if span.opening_rad >= least])


def _least(run: list[Span]) -> float:
    """How large a rep of the run is at least, rad."""
    return RUNT * median(span.opening_rad for span in run)


def _rules_of_run(run: list[Span], found: Found, known: Template | None) -> tuple[Check, ...]:
    """The rules put to a run as a whole."""
    openings = np.array([span.opening_rad for span in run])
    is_known = _is_known(found, median(openings.tolist()), known)
    together, least = median(span.together for span in run), LOOSE if is_known else TOGETHER
    as_one = Check("done by both legs together (correlation)", together, least, together >= least)
    rules = (as_one, *_leads(run))
    if is_known:
        return rules
    durations = np.array([span.length for span in run])
    alike = _like(openings, LIKE_SIZE) & _like(durations, LIKE_TIME)
    legs = _usual_legs(run)
    both = min(legs) > ONE_LEG * max(legs)
    enough = LEAST_REPS if both and known is None else LEAST_DOUBTFUL
    count = int(alike.sum())
    ones = [span for span, one in zip(run, alike.tolist(), strict=True) if one]
    lasting_s = (ones[-1].back - ones[0].leaves) / FRAME_RATE_HZ if ones else 0.0
    return (
        *rules,
        Check("enough alike for a set (movements)", count, enough, count >= enough),
        Check("long enough for a set (s)", lasting_s, LEAST_TIME_S, lasting_s >= LEAST_TIME_S),
    )


def _leads(run: list[Span]) -> Iterator[Check]:
    """The rule that the one leg that is looked at does the exercise, where the other has a sensor too."""
    beside = median(span.beside_rad for span in run)
    if beside > 0.0:
        share = median(span.opening_rad for span in run) / beside
        yield Check("the leg that leads (share of the other leg's turn)", share, ALONG, share >= ALONG)


def _in_rhythm(run: list[Span]) -> list[Span]:
    """The run without fidgets: at its ends what is unlike the others in two ways, or in one and out of rhythm.

    Between them it may be a rep that went wrong, unless it is unlike the others in all ways.
    """
    ways = _ways(run)
    pauses = np.array([after.leaves - span.back for span, after in itertools.pairwise(run)])
    longest = RHYTHM * median(pauses.tolist()) + FRAME_RATE_HZ if len(pauses) else 0.0
    breaks = (pauses > longest) | (ways[1:] > 1) | (ways[:-1] > 1)
    groups = np.split(np.arange(len(run)), np.flatnonzero(breaks) + 1)
    while len(groups) > 1 and (ways[groups[0]] > 0).all():
        groups = groups[1:]
    while len(groups) > 1 and (ways[groups[-1]] > 0).all():
        groups = groups[:-1]
    inner = range(int(groups[0][0]), int(groups[-1][-1]) + 1)
    return [run[number] for number in inner if ways[number] < ALL_WAYS]


def _ways(run: list[Span]) -> IntArray:
    """(k,) in how many ways each movement is unlike the others: size, share of the legs, time, and togetherness."""
    openings, durations = np.array([[span.opening_rad, span.length] for span in run]).T
    legs = np.array([span.legs_rad for span in run])
    usual = np.array(_usual_legs(run))
    cosine = legs @ usual / np.sqrt((legs**2).sum(axis=1) * (usual @ usual))
    one_sided = legs.min(axis=1) < ONE_LEG * legs.max(axis=1)
    together = np.array([span.together for span in run])
    ways: IntArray = (
        (openings < ODD * median(openings.tolist())).astype(int)
        + (cosine < ALIGNMENT)
        + (one_sided & (usual.min() >= ONE_LEG * usual.max()))
        + ~_like(durations, LIKE_TIME)
        + (together < min(LOOSE, median(together.tolist())))
    )
    return ways


def _usual_legs(run: list[Span]) -> list[float]:
    """How far each leg that is looked at usually turns."""
    return [median(turned) for turned in zip(*(span.legs_rad for span in run), strict=True)]


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
