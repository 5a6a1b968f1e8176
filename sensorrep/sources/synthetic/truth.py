"""What really happened in a simulated session, measured on the noise-free motion at high resolution."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from sensorrep.model import BoolArray, FloatArray

REST_S: Final = 0.3
"""Length of the rest, before and after a rep, over which the rest level is taken."""
LEAST_DEG: Final = 1.0
"""Less than this is no rep: a rep that only the foot without a sensor does."""
FATIGUED: Final = 0.2
"""Loss of two reps in a row from which a set is called fatigued."""


class PlannedRep(NamedTuple):
    """A rep as it was meant: from the first move until both legs are back, and the rests before and after it."""

    onset_s: float
    back_s: float
    rest_before_s: float
    rest_after_s: float
    flags: tuple[str, ...] = ()
    loss: float = 0.0
    """Opening speed that fatigue takes, as a fraction."""


@dataclass(frozen=True, slots=True)
class TrueRep:
    """A rep as it was. Times are seconds from the recording's first sample, also where they lie outside (`truncated`).

    Ten and 90 % are taken from the rest level before it on the way out, and from the one after it on the way back.
    """

    start_s: float
    open_s: float
    close_s: float
    end_s: float
    range_deg: tuple[float, float]
    """Left and right: highest opening minus the mean of the rest levels before and after."""
    opening_deg: float
    """The same of the heel opening: the sum over the feet that wear a sensor."""
    flags: tuple[str, ...]
    """`partial`, `one_sided`, `bounce`, `hesitation`, `gap`, `truncated`."""


@dataclass(frozen=True, slots=True)
class TrueSet:
    """Reps with no long rest between them. `fatigued`: at least two in a row were meant to lose 20 % of speed."""

    start_s: float
    end_s: float
    posture: str
    reps: tuple[TrueRep, ...]
    fatigued: bool


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The whole session as it was: sets, all other movements, and each leg's opening at 100 Hz."""

    seed: int
    posture: str
    sets: tuple[TrueSet, ...]
    movements: tuple[tuple[str, float, float], ...]
    """(kind, start_s, end_s) of all that is no rep."""
    time_s: FloatArray
    """(n,)"""
    opening_deg: FloatArray
    """(n, 2), positive for heels apart, about zero at the first rest in the exercise position."""

    def as_json(self) -> dict[str, Any]:
        """All but the arrays, as JSON objects."""
        return {
            "format": "sensorrep-truth/1",
            "seed": self.seed,
            "posture": self.posture,
            "sets": [
                {
                    "start_s": round(one.start_s, 4),
                    "end_s": round(one.end_s, 4),
                    "posture": one.posture,
                    "fatigued": one.fatigued,
                    "reps": [_rep_as_json(rep) for rep in one.reps],
                }
                for one in self.sets
            ],
            "movements": [
                {"kind": kind, "start_s": round(start_s, 4), "end_s": round(end_s, 4)}
                for kind, start_s, end_s in self.movements
            ],
        }


def _rep_as_json(rep: TrueRep) -> dict[str, Any]:
    return {
        "start_s": round(rep.start_s, 4),
        "open_s": round(rep.open_s, 4),
        "close_s": round(rep.close_s, 4),
        "end_s": round(rep.end_s, 4),
        "range_deg": {"left": round(rep.range_deg[0], 3), "right": round(rep.range_deg[1], 3)},
        "opening_deg": round(rep.opening_deg, 3),
        "flags": list(rep.flags),
    }


class Course(NamedTuple):
    """True openings over the whole motion, on the recording's clock."""

    time_s: FloatArray
    """(n,) evenly spaced"""
    opening_deg: FloatArray
    """(n, 2)"""
    worn: FloatArray
    """(2,) 1 where a foot wears a sensor: these make up the heel opening."""


def measure_set(
    course: Course, planned: Sequence[PlannedRep], posture: str, recorded_s: float, gaps: Sequence[tuple[float, float]]
) -> TrueSet | None:
    """The reps of a set that fall into the recording at least in part, if any; those that it cuts are flagged."""
    reps = []
    for one in planned:
        rep = measure_rep(course, one)
        if rep is None:
            continue
        if any(start_s < rep.end_s and end_s > rep.start_s for start_s, end_s in gaps):
            rep = replace(rep, flags=(*rep.flags, "gap"))
        if rep.start_s < 0.0 or rep.end_s > recorded_s:
            rep = replace(rep, flags=(*rep.flags, "truncated"))
        if rep.start_s < recorded_s and rep.end_s > 0.0:
            reps.append(rep)
    if not reps:
        return None
    fatigued = any(min(pair) >= FATIGUED for pair in itertools.pairwise(one.loss for one in planned))
    return TrueSet(reps[0].start_s, reps[-1].end_s, posture, tuple(reps), fatigued)


def measure_rep(course: Course, planned: PlannedRep) -> TrueRep | None:
    """Boundaries and ranges of one rep; None where the worn feet together move less than `LEAST_DEG`."""
    time_s, heel = course.time_s, course.opening_deg @ course.worn
    before = _stretch(time_s, planned.onset_s - min(REST_S, planned.rest_before_s), planned.onset_s)
    after = _stretch(time_s, planned.back_s, planned.back_s + min(REST_S, planned.rest_after_s))
    moving = slice(before.stop - 1, after.start + 1)
    way, time_s = heel[moving], time_s[moving]
    top, level_before, level_after = way.max(), heel[before].mean(), heel[after].mean()
    if top - max(level_before, level_after) < LEAST_DEG:
        return None
    out = (way - level_before) / (top - level_before)
    back = (way - level_after) / (top - level_after)
    opened = int(np.argmax(out >= 0.9))
    started = _last(out[:opened] < 0.1)
    closing = _last(back >= 0.9)
    ended = closing + int(np.argmax(back[closing:] < 0.1))
    rest_deg = 0.5 * (course.opening_deg[before].mean(axis=0) + course.opening_deg[after].mean(axis=0))
    left, right = (course.opening_deg[moving].max(axis=0) - rest_deg).tolist()
    return TrueRep(
        start_s=_crossing(time_s, out, started, 0.1),
        open_s=_crossing(time_s, out, opened - 1, 0.9),
        close_s=_crossing(time_s, back, closing, 0.9),
        end_s=_crossing(time_s, back, ended - 1, 0.1),
        range_deg=(left, right),
        opening_deg=float(top - rest_deg @ course.worn),
        flags=planned.flags,
    )


def _stretch(time_s: FloatArray, from_s: float, to_s: float) -> slice:
    """At least one grid point, within the grid."""
    start, stop = np.searchsorted(time_s, [from_s, to_s]).tolist()
    start = min(start, len(time_s) - 1)
    return slice(start, max(stop, start + 1))


def _last(condition: BoolArray) -> int:
    return len(condition) - 1 - int(np.argmax(condition[::-1]))


def _crossing(time_s: FloatArray, level: FloatArray, at: int, limit: float) -> float:
    """Time between grid points `at` and `at + 1` at which `level` passes `limit`."""
    share = (limit - level[at]) / (level[at + 1] - level[at])
    return float(time_s[at] + share * (time_s[at + 1] - time_s[at]))
