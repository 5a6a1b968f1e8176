"""Found reps against true ones: who matches whom, and by how much they differ. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Final, NamedTuple, Self

import numpy as np

LEAST_IOU: Final = 0.5
"""Two reps are the same movement when they share at least half of the time that either lasts."""
LEAST_FATIGUE_REPS: Final = 6
"""A set of fewer reps does not show fatigue reliably, even to a person who sees the truth."""
COVERAGE_SD: Final = 1.96
"""Errors within so many stated standard uncertainties: 95 % of them, if the statement is honest."""


class Mark(NamedTuple):
    """One rep, true or found. Edges are start, open, close and end; some methods know only the outer two."""

    start_s: float
    end_s: float
    open_s: float | None = None
    close_s: float | None = None
    range_deg: tuple[float | None, float | None] = (None, None)
    range_sd_deg: tuple[float | None, float | None] = (None, None)
    set_number: int = 0
    optional: bool = False
    """True reps only: right to count and right not to count, such as one that the recording cuts off."""
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """All reps of a session, in order, and whether each set was fatigued (None: can't be said)."""

    duration_s: float
    reps: tuple[Mark, ...]
    fatigued: tuple[bool | None, ...] = ()


@dataclass(slots=True)
class Score:
    """Tallies and errors of one or more sessions; `+=` adds another's."""

    sessions: int = 0
    minutes: float = 0.0
    true: int = 0
    found: int = 0
    matched: int = 0
    matched_by_middle: int = 0
    sets: int = 0
    sets_exact: int = 0
    partial_right: int = 0
    partial_missed: int = 0
    partial_false: int = 0
    fatigue_right: int = 0
    fatigue_missed: int = 0
    fatigue_false: int = 0
    edge_errors_s: list[float] = field(default_factory=list)
    concentric_errors_s: list[float] = field(default_factory=list)
    hold_errors_s: list[float] = field(default_factory=list)
    eccentric_errors_s: list[float] = field(default_factory=list)
    range_errors_left_deg: list[float] = field(default_factory=list)
    range_errors_right_deg: list[float] = field(default_factory=list)
    range_errors_sd: list[float] = field(default_factory=list)
    """Range errors in stated standard uncertainties, both sides."""

    def __iadd__(self, other: Self) -> Self:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        return self


def total(scores: Iterable[Score]) -> Score:
    """The sum of scores."""
    out = Score()
    for one in scores:
        out += one
    return out


def iou(a: Mark, b: Mark) -> float:
    """Time that two reps share, as a part of the time that either lasts; 0 where they don't meet."""
    shared = min(a.end_s, b.end_s) - max(a.start_s, b.start_s)
    return max(shared, 0.0) / max(max(a.end_s, b.end_s) - min(a.start_s, b.start_s), 1e-9)


def match(found: Sequence[Mark], true: Sequence[Mark]) -> list[tuple[int, int]]:
    """One-to-one pairs (index of found, index of true) of at least LEAST_IOU, best first.

    Reps of one list don't overlap, so a rep shares more than half with one other at most, and greedy is optimal.
    """
    pairs = sorted(
        ((iou(f, t), i, j) for i, f in enumerate(found) for j, t in enumerate(true) if iou(f, t) >= LEAST_IOU),
        key=lambda pair: -pair[0],
    )
    return _one_to_one((i, j) for _, i, j in pairs)


def match_by_middle(found: Sequence[Mark], true: Sequence[Mark]) -> list[tuple[int, int]]:
    """One-to-one pairs where the middle of the found rep lies within the true one: mild on boundaries."""
    middles = [(one.start_s + one.end_s) / 2 for one in found]
    return _one_to_one((i, j) for j, t in enumerate(true) for i, m in enumerate(middles) if t.start_s <= m <= t.end_s)


def _one_to_one(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for i, j in pairs:
        if all(i != a and j != b for a, b in out):
            out.append((i, j))
    return out


def score(found: Marks, truth: Marks) -> Score:
    """Everything that is measured of one session.

    An optional true rep is neither missed when it isn't found nor extra when it is, and it isn't measured.
    """
    pairs = match(found.reps, truth.reps)
    forgiven = {i for i, j in pairs if truth.reps[j].optional}
    pairs = [(i, j) for i, j in pairs if not truth.reps[j].optional]
    by_middle = match_by_middle(found.reps, truth.reps)
    out = Score(
        sessions=1,
        minutes=truth.duration_s / 60,
        true=sum(not one.optional for one in truth.reps),
        found=len(found.reps) - len(forgiven),
        matched=len(pairs),
        matched_by_middle=sum(not truth.reps[j].optional for _, j in by_middle),
        partial_false=sum(one.partial for i, one in enumerate(found.reps) if i not in {i for i, _ in pairs}),
    )
    for i, j in pairs:
        _add_errors(out, found.reps[i], truth.reps[j])
    _add_sets(out, found, truth, pairs, forgiven)
    return out


def _add_errors(out: Score, found: Mark, true: Mark) -> None:
    out.partial_right += found.partial and true.partial
    out.partial_missed += true.partial and not found.partial
    out.partial_false += found.partial and not true.partial
    out.edge_errors_s += [found.start_s - true.start_s, found.end_s - true.end_s]
    if found.open_s is None or found.close_s is None or true.open_s is None or true.close_s is None:
        return
    out.edge_errors_s += [found.open_s - true.open_s, found.close_s - true.close_s]
    out.concentric_errors_s.append((found.open_s - found.start_s) - (true.open_s - true.start_s))
    out.hold_errors_s.append((found.close_s - found.open_s) - (true.close_s - true.open_s))
    out.eccentric_errors_s.append((found.end_s - found.close_s) - (true.end_s - true.close_s))
    for foot, errors in enumerate((out.range_errors_left_deg, out.range_errors_right_deg)):
        measured, right, sd = found.range_deg[foot], true.range_deg[foot], found.range_sd_deg[foot]
        if measured is None or right is None:
            continue
        errors.append(measured - right)
        if sd is not None:
            out.range_errors_sd.append((measured - right) / max(sd, 1e-9))


def _add_sets(
    out: Score, found: Marks, truth: Marks, pairs: Sequence[tuple[int, int]], forgiven: Iterable[int]
) -> None:
    """A set is exact when each of its reps was matched, all in one found set, and that set holds no other rep."""
    partner = {j: i for i, j in pairs}
    for number in sorted({one.set_number for one in truth.reps if not one.optional}):
        wanted = [j for j, one in enumerate(truth.reps) if one.set_number == number and not one.optional]
        homes = {found.reps[partner[j]].set_number for j in wanted if j in partner}
        inside = {i for i, one in enumerate(found.reps) if one.set_number in homes} - set(forgiven)
        out.sets += 1
        out.sets_exact += len(homes) == 1 and inside == {partner.get(j) for j in wanted}
        _add_fatigue(out, found, truth, number, homes, len(wanted))


def _add_fatigue(out: Score, found: Marks, truth: Marks, number: int, homes: set[int], reps: int) -> None:
    true = truth.fatigued[number] if number < len(truth.fatigued) else None
    if true is None or reps < LEAST_FATIGUE_REPS:
        return
    said = any(found.fatigued[home] for home in homes if home < len(found.fatigued))
    out.fatigue_right += said == true
    out.fatigue_missed += true and not said
    out.fatigue_false += said and not true


Figures = dict[str, float | None]


def figures(score: Score) -> Figures:
    """The score as the figures that people compare; None where nothing was there to be measured."""
    left, right = score.range_errors_left_deg, score.range_errors_right_deg
    fatigue = score.fatigue_right + score.fatigue_missed + score.fatigue_false
    return {
        "sessions": score.sessions,
        "minutes": score.minutes,
        "reps": score.true,
        "missed": score.true - score.matched,
        "extra": score.found - score.matched,
        "precision": _ratio(score.matched, score.found),
        "recall": _ratio(score.matched, score.true),
        "f1": _ratio(2 * score.matched, score.found + score.true),
        "f1_by_middle": _ratio(2 * score.matched_by_middle, score.found + score.true),
        "sets": score.sets,
        "sets_exact": _ratio(score.sets_exact, score.sets),
        "false_per_min": _ratio(score.found - score.matched, score.minutes),
        "edge_median_ms": _scaled(_quantile(score.edge_errors_s, 0.5), 1000),
        "edge_p95_ms": _scaled(_quantile(score.edge_errors_s, 0.95), 1000),
        "concentric_median_ms": _scaled(_quantile(score.concentric_errors_s, 0.5), 1000),
        "hold_median_ms": _scaled(_quantile(score.hold_errors_s, 0.5), 1000),
        "eccentric_median_ms": _scaled(_quantile(score.eccentric_errors_s, 0.5), 1000),
        "range_rmse_deg": _rms(left + right),
        "range_bias_left_deg": _mean(left),
        "range_bias_right_deg": _mean(right),
        "range_covered": _ratio(
            sum(abs(one) <= COVERAGE_SD for one in score.range_errors_sd), len(score.range_errors_sd)
        ),
        "partial_right": score.partial_right,
        "partial_missed": score.partial_missed,
        "partial_false": score.partial_false,
        "fatigue_sets": fatigue,
        "fatigue_right": _ratio(score.fatigue_right, fatigue),
        "fatigue_missed": score.fatigue_missed,
        "fatigue_false": score.fatigue_false,
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value


def _quantile(errors: Sequence[float], share: float) -> float | None:
    return float(np.quantile(np.abs(errors), share)) if errors else None


def _mean(errors: Sequence[float]) -> float | None:
    return float(np.mean(errors)) if errors else None


def _rms(errors: Sequence[float]) -> float | None:
    return float(np.sqrt(np.mean(np.square(errors)))) if errors else None
