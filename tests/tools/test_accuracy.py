"""Summing up a run of the matrix."""

from dataclasses import replace

from benchmark.accuracy import ALL, GRAVITY, LARGE, NONE, Job, Result, best_settings, sum_up
from benchmark.conditions import QUICK, Condition, conditions
from benchmark.scoring import Score
from benchmark.tables import accuracy_text, table
from sensorrep.sources.synthetic import Rest, Scenario, Set

GOOD = Score(sessions=1, minutes=1.0, true=10, found=10, matched=10, sets=1, sets_exact=1)
BAD = replace(GOOD, found=11, matched=8, sets_exact=0)
CHOSEN = [
    Condition("large", Scenario(activities=(Set(),)), 2, ("prone",)),
    Condition("small", Scenario(activities=(Set(),)), 1, ("prone",), small=True),
    Condition("rest", Scenario(activities=(Rest(),)), 1, ("resting",)),
]


def result(condition: int, seed: int, ours: Score) -> Result:
    return Result(Job(condition, seed, compare=True), ours, {"other": [BAD, GOOD]} if condition < 2 else {})


RESULTS = [
    result(0, 1, GOOD),
    result(0, 2, BAD),
    result(1, 1, BAD),
    result(2, 1, Score(sessions=1, minutes=2.0, found=1)),
]


def test_rows_add_up_their_sessions() -> None:
    rows = sum_up(CHOSEN, RESULTS).rows
    assert {name: row.ours["sessions"] for name, row in rows.items()} == {
        ALL: 3,
        GRAVITY: 3,
        LARGE: 2,
        NONE: 1,
        "prone": 3,
        "resting": 1,
    }
    assert rows["prone"].ours["missed"] == 4
    assert rows["resting"].ours["false_per_min"] == 0.5


def test_conditions_below_the_floor_are_named_with_the_sessions_at_fault() -> None:
    assert sum_up(CHOSEN, RESULTS).weak == {
        "large": "seed 2: 2 missed, 3 extra",
        "rest": "seed 1: 0 missed, 1 extra",
    }


def test_a_replay_that_fails_is_named_even_where_reps_are_small() -> None:
    failed = result(1, 1, Score(sessions=1, true=10))._replace(crash="IndexError('7072')")
    assert sum_up(CHOSEN, [failed]).weak == {"small": "seed 1: IndexError('7072')"}


def test_a_comparator_gets_the_setting_that_was_best_over_the_whole_run() -> None:
    assert best_settings([{"other": [BAD, GOOD]}, {}, {"other": [GOOD, GOOD]}]) == {"other": 1}
    assert sum_up(CHOSEN, RESULTS).rows[ALL].others["other"]["f1"] == 1


def test_the_text_names_every_row_and_every_weak_condition() -> None:
    text = accuracy_text(sum_up(CHOSEN, RESULTS))
    for name in (ALL, NONE, "prone", "resting", "seed 2: 2 missed, 3 extra"):
        assert name in text


def test_columns_are_aligned() -> None:
    assert table("title", ["", "n"], [["long name", "5"], ["a", "12"]]).splitlines()[1:] == [
        "            n",
        "-------------",
        "long name   5",
        "a          12",
    ]


def test_the_matrix_is_what_it_says() -> None:
    """Names tell conditions apart, and the fast subset has every posture, reps and no reps."""
    every = conditions()
    quick = [one for one in every if one.quick]
    assert len({one.name for one in every}) == len(every)
    assert {one.scenario.posture for one in quick} == {"prone", "hook-lying", "table-top", "seated"}
    assert {one.has_reps for one in quick} == {True, False}
    assert {one.name for one in quick} == QUICK
    assert all(one.has_reps != one.name.split(", ")[1].startswith("no reps") for one in every)
