"""What sensorrep means to reach, beside what a run measured."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmark.accuracy import ALL, GRAVITY, NONE, TABLE_TOP, Accuracy
from benchmark.conditions import FATIGUE
from benchmark.real import Counted, Tilt
from benchmark.scoring import Figures


class Target(NamedTuple):
    """One figure: what it is, the bound in words, what was measured, and whether that is good enough."""

    figure: str
    bound: str
    measured: str
    met: bool


def targets(found: Accuracy, pted: Sequence[Counted], tilt: Sequence[Tilt]) -> list[Target]:
    """Every target for which this run has figures."""
    out = [*_counting(found), *_measuring(found)]
    if pted:
        out += _pted(pted)
    if tilt:
        worse = [one for one in tilt if one.ours_deg > one.default_deg + 5e-4]
        out.append(Target("trials in which tilt is worse than VQF's defaults", "0", str(len(worse)), not worse))
    return out


def _counting(found: Accuracy) -> Iterator[Target]:
    every = found.rows[ALL].ours
    yield _at_least("F1, sessions with reps, %", every, "f1", 99.5, 100)
    yield _at_least("sets exact, %", every, "sets_exact", 98, 100)
    weak = [name for name in found.weak if found.conditions[name]["reps"]]
    yield Target("conditions of 6 degrees and more below 99 % precision or recall", "0", str(len(weak)), not weak)
    if NONE in found.rows:
        none = found.rows[NONE].ours
        extra = none["extra"]
        yield Target(f"reps counted in {none['minutes']:.0f} minutes without any", "0", f"{extra:.0f}", not extra)


def _measuring(found: Accuracy) -> Iterator[Target]:
    every = found.rows[ALL].ours
    yield _at_most("boundaries, median, ms", every, "edge_median_ms", 25)
    yield _at_most("boundaries, 95 %, ms", every, "edge_p95_ms", 120)
    for row, bound in ((GRAVITY, 0.7), (TABLE_TOP, 1.2)):
        if row in found.rows:
            got = found.rows[row].ours
            yield _at_most(f"range RMSE, {row}, deg", got, "range_rmse_deg", bound)
            for side in ("left", "right"):
                bias = got[f"range_bias_{side}_deg"] or 0.0
                yield Target(f"range bias {side}, {row}, deg", "within 0.2", f"{bias:+.2f}", abs(bias) < 0.2)
    yield _at_least("fatigue right, sets of 6 and more, %", every, "fatigue_right", 97, 100)
    if FATIGUE in found.rows:
        some = found.rows[FATIGUE].ours
        yield _at_least("fatigue right, sets of 10, three in five tired, %", some, "fatigue_right", 97, 100)


def _pted(pted: Sequence[Counted]) -> Iterator[Target]:
    blocks = [block for one in pted for block in one.moving.blocks]
    true = sum(reps for _, reps in blocks)
    for what in ("missed", "extra"):
        pct = 100 * sum(getattr(one.moving, what) for one in pted) / true
        yield Target(f"real leg exercises: {what}, %", "<= 0.6", f"{pct:.2f}", pct <= 0.6)
    exact = sum(got == reps for got, reps in blocks)
    yield Target(f"real leg exercises: blocks exact of {len(blocks)}", ">= 34", str(exact), exact >= 34)
    heels_apart = sum(one.heels_apart for one in pted)
    yield Target("real leg exercises: counted as heels apart", "0", str(heels_apart), not heels_apart)


def _at_least(figure: str, got: Figures, key: str, bound: float, factor: float) -> Target:
    value = (got[key] or 0.0) * factor
    return Target(figure, f">= {bound:g}", f"{value:.2f}", value >= bound)


def _at_most(figure: str, got: Figures, key: str, bound: float) -> Target:
    value = got[key]
    return Target(
        figure, f"<= {bound:g}", "–" if value is None else f"{value:.2f}", value is not None and value <= bound
    )
