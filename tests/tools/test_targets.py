"""Figures against what sensorrep means to reach."""

from benchmark.accuracy import Job, Result, sum_up
from benchmark.conditions import FATIGUE, Condition
from benchmark.real import Count, Counted, Tilt
from benchmark.scoring import Score
from benchmark.targets import targets
from sensorrep.sources.synthetic import Scenario, Set

CHOSEN = [Condition("large", Scenario(activities=(Set(),)), 1, ("prone", FATIGUE))]


def met(ours: Score, counted: Counted, tilt: Tilt) -> dict[str, bool]:
    found = sum_up(CHOSEN, [Result(Job(0, 1, compare=False), ours, {})])
    return {one.figure: one.met for one in targets(found, [counted] * 12, [tilt])}


def score(matched: int, error: float, fatigue_right: int) -> Score:
    """A session of 200 reps in which boundaries and ranges are off by `error` (s, deg)."""
    return Score(
        sessions=1,
        minutes=10.0,
        true=200,
        found=200,
        matched=matched,
        sets=1,
        sets_exact=matched // 200,
        fatigue_right=fatigue_right,
        fatigue_missed=1 - fatigue_right,
        edge_errors_s=[error, -error],
        range_errors_left_deg=[error],
        range_errors_right_deg=[-error],
    )


def counted(found: int, heels_apart: int) -> Counted:
    return Counted("name", Count(((found, 10),) * 3, elsewhere=0), 0, heels_apart, {})


def test_a_perfect_run_meets_every_target() -> None:
    got = met(score(200, 0.0, 1), counted(10, 0), Tilt("trial", 0.4, 0.4))
    assert len(got) >= 12
    assert all(got.values())


def test_a_poor_run_misses_every_target() -> None:
    got = met(score(150, 0.9, 0), counted(9, 1), Tilt("trial", 0.5, 0.4))
    assert [figure for figure, good in got.items() if good] == ["real leg exercises: extra, %"]
