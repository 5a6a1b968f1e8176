"""True and found sessions as `Marks`, the form in which they are compared. Degrees from here on."""

import math
from collections.abc import Sequence
from typing import Final

from benchmark.scoring import Mark, Marks
from sensorrep.model import Foot, PerFoot, SessionSummary
from sensorrep.sources.synthetic import Outage, TrueRep, TrueSet, Truth

BLIND_S: Final = 0.3
"""A rep in which both feet were away for longer than this can't be asked for: what is known of it is chance."""

LONG_REST_S: Final = 10.0
"""What lies between two sets at least: a wearer who pulls at the band for a moment goes on with the same set."""


def of_truth(truth: Truth, outages: Sequence[Outage] = ()) -> Marks:
    """What a simulated wearer did. Reps that the recording cuts off, or that nobody saw, are optional."""
    blind = _blind(outages)
    sets: list[list[TrueSet]] = []
    for one in truth.sets:
        if sets and one.start_s - sets[-1][-1].end_s < LONG_REST_S:
            sets[-1].append(one)
        else:
            sets.append([one])
    return Marks(
        float(truth.time_s[-1] - truth.time_s[0]),
        tuple(_true_mark(rep, n, blind) for n, parts in enumerate(sets) for one in parts for rep in one.reps),
        tuple(_fatigued(parts) for parts in sets),
    )


def of_summary(summary: SessionSummary) -> Marks:
    """What sensorrep found."""
    return Marks(
        summary.duration_s,
        tuple(
            Mark(
                rep.start_s,
                rep.end_s,
                rep.open_s,
                rep.close_s,
                _degrees(rep.range_rad),
                _degrees(rep.range_sd_rad),
                number,
                partial="partial" in rep.flags,
            )
            for number, one in enumerate(summary.sets)
            for rep in one.reps
        ),
        tuple(one.fatigue.detected for one in summary.sets),
    )


def _true_mark(rep: TrueRep, set_number: int, blind: Sequence[tuple[float, float]]) -> Mark:
    unseen_s = sum(max(min(rep.end_s, end_s) - max(rep.start_s, start_s), 0.0) for start_s, end_s in blind)
    return Mark(
        rep.start_s,
        rep.end_s,
        rep.open_s,
        rep.close_s,
        rep.range_deg,
        set_number=set_number,
        optional="truncated" in rep.flags or unseen_s > BLIND_S,
        partial="partial" in rep.flags,
    )


def _blind(outages: Sequence[Outage]) -> list[tuple[float, float]]:
    """Spans in which both feet were away."""
    spans = [[(one.start_s, one.start_s + one.seconds) for one in outages if one.foot == foot] for foot in Foot]
    both = [(max(a, c), min(b, d)) for a, b in spans[0] for c, d in spans[1]]
    return [(start_s, end_s) for start_s, end_s in both if end_s > start_s]


def _fatigued(parts: Sequence[TrueSet]) -> bool | None:
    """Can't be said of a set of which the recording holds only a part, nor of one that was broken off and resumed."""
    cut = any("truncated" in rep.flags for one in parts for rep in one.reps)
    return None if cut or len(parts) > 1 else parts[0].fatigued


def _degrees(angles_rad: PerFoot) -> tuple[float | None, float | None]:
    left, right = (None if angle_rad is None else math.degrees(angle_rad) for angle_rad in angles_rad)
    return left, right
