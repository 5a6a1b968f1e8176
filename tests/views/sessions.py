"""Sessions made by hand for the views: smooth openings and the summary that says exactly what is in them.

A movement is a raised cosine out, a hold, a raised cosine back and a pause, so that its 10 % and 90 % crossings, its
speeds and its ranges are known in closed form. `CASES` names the sessions that every view must cope with.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sensorrep.model import (
    Check,
    Fatigue,
    FloatArray,
    Foot,
    FootStats,
    Movement,
    PerFoot,
    Posture,
    Rejected,
    Rep,
    SessionSummary,
    SetSummary,
    Spread,
    Symmetry,
    Tempo,
    Trace,
)

RATE_HZ: Final = 50.0
TENTH: Final = math.acos(0.8) / math.pi
"""Part of a raised cosine's time that it takes to its first 10 %."""


@dataclass(frozen=True, slots=True)
class Move:
    """One opening and return: full times of the phases, and how far each side goes."""

    out_s: float = 1.5
    hold_s: float = 0.4
    back_s: float = 1.8
    pause_s: float = 0.7
    left_deg: float = 13.0
    right_deg: float = 13.4

    @property
    def length_s(self) -> float:
        return self.out_s + self.hold_s + self.back_s


@dataclass(frozen=True, slots=True)
class Case:
    """A session to show: what the pipeline would have made of it."""

    summary: SessionSummary
    trace: Trace
    source: str = "recordings/typical.jsonl"
    simulated: bool = False
    started_at: str | None = "2026-03-04T17:20:00+01:00"


Moves = Sequence[Move]


def moves(count: int, seed: int = 1, tired_from: int | None = None, **given: float) -> list[Move]:
    """Movements that vary as people do (4 %); from rep `tired_from` on they get smaller and slower."""
    rng = np.random.default_rng(seed)
    usual = replace(Move(), **given)
    made = []
    for number in range(1, count + 1):
        late = 0 if tired_from is None else max(0, number - tired_from + 1)
        vary = 1 + 0.04 * rng.standard_normal(5)
        made.append(
            replace(
                usual,
                out_s=usual.out_s * vary[0] * (1 + 0.09 * late),
                hold_s=usual.hold_s * vary[1],
                back_s=usual.back_s * vary[2] / (1 + 0.07 * late),
                left_deg=usual.left_deg * vary[3] * 0.91**late,
                right_deg=usual.right_deg * vary[4] * 0.90**late,
            )
        )
    return made


def session(
    sets: Sequence[Moves],
    *,
    missing: Foot | None = None,
    gap: tuple[float, float] | None = None,
    posture: Posture | None = "prone",
    movement: Movement = "heels-apart",
    fatigues: Sequence[Fatigue | None] = (),
    rejected: Sequence[Rejected] = (),
    rest_s: float = 45.0,
) -> Case:
    """Sets of movements 8 s after the start, with rests between, as summary and trace; `gap` loses the right foot."""
    starts, at_s = [], 8.0
    for one in sets:
        starts.append(at_s)
        at_s += sum(move.length_s + move.pause_s for move in one) + rest_s
    duration_s = at_s - rest_s + 6.0 if sets else 40.0
    time_s = np.arange(0.0, duration_s, 1 / RATE_HZ)
    opening_rad = np.zeros((len(time_s), 2))
    ok = np.ones((len(time_s), 2), bool)
    if missing is not None:
        ok[:, missing] = False
    if gap is not None:
        ok[(time_s >= gap[0]) & (time_s < gap[1]), Foot.RIGHT] = False
    summaries: list[SetSummary] = []
    for number, (start_s, one) in enumerate(zip(starts, sets, strict=True)):
        reps, begin_s = [], start_s
        for index, move in enumerate(one):
            opening_rad += drawn(time_s - begin_s, move)
            flags: tuple[str, ...] = ()
            blind = missing
            if gap is not None and begin_s < gap[1] and begin_s + move.length_s > gap[0]:
                flags, blind = ("gap",), Foot.RIGHT
            reps.append(rep(move, begin_s, last=index == len(one) - 1, blind=blind, flags=flags))
            begin_s += move.length_s + move.pause_s
        rest = None if number == 0 else start_s - summaries[-1].end_s
        given = fatigues[number] if number < len(fatigues) else None
        summaries.append(set_summary(reps, rest, posture, given))
    opening_rad[~ok] = 0.0
    feet = {
        foot: FootStats(
            "dot",
            round(duration_s * 60),
            0 if gap is None or foot is Foot.LEFT else round(60 * (gap[1] - gap[0])),
            60.0,
            () if gap is None or foot is Foot.LEFT else (gap,),
        )
        for foot in Foot
        if foot != missing
    }
    summary = SessionSummary(duration_s, movement, posture, feet, tuple(summaries), tuple(rejected))
    return Case(summary, Trace(time_s, ok, opening_rad))


def drawn(time_s: FloatArray, move: Move) -> FloatArray:
    """Opening of both legs for times from the movement's begin."""
    out = np.clip(time_s / move.out_s, 0, 1)
    back = np.clip((time_s - move.out_s - move.hold_s) / move.back_s, 0, 1)
    level = (np.cos(np.pi * back) - np.cos(np.pi * out)) / 2
    shape: FloatArray = level[:, None] * np.radians([move.left_deg, move.right_deg])
    return shape


def rep(move: Move, begin_s: float, *, last: bool, blind: Foot | None, flags: tuple[str, ...] = ()) -> Rep:
    """What there is to measure in a movement."""

    def seen(left: float, right: float) -> PerFoot:
        return (None if blind is Foot.LEFT else left, None if blind is Foot.RIGHT else right)

    ranges = seen(math.radians(move.left_deg), math.radians(move.right_deg))
    opening = sum(one for one in ranges if one is not None)
    return_from_s = begin_s + move.out_s + move.hold_s
    return Rep(
        start_s=begin_s + TENTH * move.out_s,
        open_s=begin_s + (1 - TENTH) * move.out_s,
        close_s=return_from_s + TENTH * move.back_s,
        end_s=return_from_s + (1 - TENTH) * move.back_s,
        pause_s=None if last else TENTH * move.back_s + move.pause_s + TENTH * move.out_s,
        range_rad=ranges,
        range_sd_rad=seen(math.radians(0.5), math.radians(0.6)),
        opening_rad=opening,
        peak_speed_rad_s=seen(*(math.radians(d) * math.pi / 2 / move.out_s for d in (move.left_deg, move.right_deg))),
        return_speed_rad_s=seen(
            *(math.radians(d) * math.pi / 2 / move.back_s for d in (move.left_deg, move.right_deg))
        ),
        smoothness=seen(-1.55 - 0.1 * move.out_s, -1.6 - 0.1 * move.out_s),
        tremor_rad_s=math.radians(1.2) if move.hold_s > 0.3 else None,
        lag_s=None if blind is not None else 0.03,
        flags=flags,
        checks=(
            Check("large enough (rad)", opening, math.radians(4.0), True),
            Check("comes back (share)", 0.97, 0.5, True),
        ),
    )


def set_summary(
    reps: Sequence[Rep], rest_s: float | None, posture: Posture | None, found: Fatigue | None
) -> SetSummary:
    """Means and medians of the reps."""
    spreads = (spread([one.range_rad[0] for one in reps]), spread([one.range_rad[1] for one in reps]))
    pauses = [one.pause_s for one in reps if one.pause_s is not None]
    return SetSummary(
        start_s=reps[0].start_s,
        end_s=reps[-1].end_s,
        rest_before_s=rest_s,
        posture=posture,
        reps=tuple(reps),
        tempo=Tempo(
            float(np.median([one.concentric_s for one in reps])),
            float(np.median([one.hold_s for one in reps])),
            float(np.median([one.eccentric_s for one in reps])),
            float(np.median(pauses)) if pauses else None,
        ),
        range_rad=spreads,
        symmetry=symmetry(spreads) if len(reps) > 1 else None,
        fatigue=found or untired(reps),
        axes=((0.0, 1.0, 0.0), (0.0, 1.0, 0.0)),
    )


def untired(reps: Sequence[Rep]) -> Fatigue:
    if len(reps) < 5:
        return Fatigue(False, None, None, None, None, ())
    return Fatigue(False, None, 1.4, -2.2, 3.1, (), max(one.opening_rad for one in reps[:3]))


def spread(values: Sequence[float | None]) -> Spread | None:
    known = [one for one in values if one is not None]
    if not known:
        return None
    sd = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
    return Spread(float(np.mean(known)), sd, math.hypot(sd / math.sqrt(len(known)), math.radians(0.4)))


def symmetry(spreads: tuple[Spread | None, Spread | None]) -> Symmetry | None:
    left, right = spreads
    if left is None or right is None:
        return None
    index = 200 * (right.mean - left.mean) / (right.mean + left.mean)
    half = 400 * math.hypot(left.uncertainty, right.uncertainty) / (right.mean + left.mean)
    clear = abs(index) > half
    return Symmetry(
        index,
        (index - half, index + half),
        f"{'left' if index > 0 else 'right'} opened less" if clear else "no difference we can measure",
    )


TIRED: Final = Fatigue(
    True,
    6,
    27.0,
    41.0,
    31.0,
    ("range is down by 20% or more from rep 6 on", "opening speed is down by 20% or more from rep 6 on"),
    math.radians(26.4),
)
KNOCK: Final = Rejected(
    3.1, 3.6, "too small", (Check("large enough (rad)", math.radians(2.1), math.radians(4.0), False),)
)
SWAY: Final = Rejected(
    50.2,
    52.0,
    "both feet went to the same side",
    (Check("comes back (share)", 0.9, 0.5, True), Check("about the set's own axes (cosine)", 0.2, 0.7, False)),
)


def typical() -> Case:
    return session([moves(8, 1), moves(8, 2), moves(7, 3)], rejected=(KNOCK, SWAY))


def fatigued() -> Case:
    sets = [moves(8, 1), moves(8, 2, tired_from=6), moves(8, 3, tired_from=4, left_deg=12.0, right_deg=12.2)]
    return session(sets, fatigues=(None, TIRED, replace(TIRED, from_rep=4)))


def asymmetric() -> Case:
    return session([moves(8, 1, right_deg=9.8), moves(8, 2, right_deg=9.6)])


def no_reps() -> Case:
    return session([], posture=None, rejected=(KNOCK,))


def one_foot() -> Case:
    return session([moves(8, 1), moves(6, 2)], missing=Foot.RIGHT)


def one_leg() -> Case:
    return session([moves(10, 4, left_deg=48.0)], missing=Foot.RIGHT, movement="one-leg", posture=None)


def one_set() -> Case:
    return session([moves(8, 1)], posture="hook-lying")


def with_gap() -> Case:
    return session([moves(8, 1), moves(8, 2)], gap=(99.0, 108.5))


def one_rep() -> Case:
    return session([moves(1)])


def three_reps() -> Case:
    return session([moves(3)], posture="table-top")


def long_sets() -> Case:
    return session([moves(30, 1), moves(30, 2, tired_from=24)], fatigues=(None, replace(TIRED, from_rep=24)))


def five_sets() -> Case:
    return session([moves(9 - n % 3, n, left_deg=13 - 0.4 * n) for n in range(5)], rejected=(KNOCK,))


def half_reps() -> Case:
    case = session([moves(8, 1), moves(8, 2)])
    first, second = case.summary.sets
    reps = list(first.reps)
    reps[4] = replace(reps[4], flags=("partial", "one_sided"))
    reps[7] = replace(reps[7], flags=("gap",))
    summary = replace(case.summary, sets=(replace(first, reps=tuple(reps)), second))
    return replace(case, summary=summary, simulated=True, source="simulator")


CASES: Final[dict[str, Callable[[], Case]]] = {
    made.__name__: made
    for made in (
        *(typical, fatigued, asymmetric, no_reps, one_foot, one_leg, one_set),
        *(with_gap, one_rep, three_reps, long_sets, five_sets, half_reps),
    )
}
