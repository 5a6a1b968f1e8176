import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sensorrep.model import Foot, Posture
from sensorrep.sources.synthetic import (
    Activity,
    Adjust,
    Fatigue,
    Fidget,
    KneeBends,
    OneLeg,
    Outage,
    Rest,
    RollOver,
    Scenario,
    Set,
    SitToStand,
    Stand,
    Sway,
    ToeTap,
    TrueRep,
    Truth,
    Walk,
    simulate,
    typical,
)
from sensorrep.sources.synthetic.truth import Course, PlannedRep, measure_rep, measure_set

POSTURES: tuple[Posture, ...] = ("prone", "hook-lying", "table-top", "seated")
EVEN = Set(5, variation=0.0)


def truth(*activities: Activity, seed: int = 1, posture: Posture = "prone") -> Truth:
    return simulate(Scenario(posture, (Rest(1.0, "still"), *activities), lies_ready=True), seed).truth


def sawtooth() -> Course:
    """Straight lines: rest 1 s, left 0 to 10 in 2 s (right to 20), 1 s at the top, back in 4 s to 2 (right 4), rest."""
    time_s = np.arange(0.0, 10.0, 0.0025)
    left = np.interp(time_s, [1.0, 3.0, 4.0, 8.0], [0.0, 10.0, 10.0, 2.0])
    return Course(time_s, np.column_stack([left, 2.0 * left]), np.ones(2))


def measured(course: Course) -> TrueRep:
    rep = measure_rep(course, PlannedRep(1.0, 8.0, 1.0, 1.0))
    assert rep is not None
    return rep


def test_boundaries_of_straight_lines_lie_at_ten_and_ninety_percent_of_each_way() -> None:
    rep = measured(sawtooth())
    assert_allclose([rep.start_s, rep.open_s, rep.close_s, rep.end_s], [1.2, 2.8, 4.4, 7.6], atol=1e-6)
    assert_allclose(rep.range_deg, (9.0, 18.0), atol=1e-6)
    assert_allclose(rep.opening_deg, 27.0, atol=1e-6)


def test_one_worn_foot_makes_the_heel_opening_alone() -> None:
    rep = measured(sawtooth()._replace(worn=np.array([0.0, 1.0])))
    assert_allclose(rep.opening_deg, 18.0, atol=1e-6)


def test_a_dip_below_ninety_percent_does_not_close_a_rep_that_comes_up_again() -> None:
    course = sawtooth()
    dip = np.interp(course.time_s, [3.2, 3.5, 3.8], [0.0, -3.0, 0.0])
    rep = measured(course._replace(opening_deg=course.opening_deg + dip[:, None]))
    assert_allclose([rep.open_s, rep.close_s], [2.8, 4.4], atol=1e-6)


@pytest.mark.parametrize(("recorded_s", "flags"), [(9.0, ()), (7.5, ("truncated",)), (2.0, ("truncated",))])
def test_a_rep_that_outlasts_the_recording_is_truncated(recorded_s: float, flags: tuple[str, ...]) -> None:
    one = measure_set(sawtooth(), [PlannedRep(1.0, 8.0, 1.0, 1.0)], "prone", recorded_s, [])
    assert one is not None
    assert one.reps[0].flags == flags


def test_a_rep_after_the_recording_is_none() -> None:
    assert measure_set(sawtooth(), [PlannedRep(1.0, 8.0, 1.0, 1.0)], "prone", 1.1, []) is None


@pytest.mark.parametrize("posture", POSTURES)
@pytest.mark.parametrize("tempo_s", [(1.2, 0.4, 1.4, 0.6), (2.0, 1.0, 2.0, 1.0), (0.7, 0.3, 0.8, 0.4)])
def test_reps_without_variation_have_about_the_tempo_and_range_asked_for(
    posture: Posture, tempo_s: tuple[float, float, float, float]
) -> None:
    reps = truth(replace(EVEN, tempo_s=tempo_s, range_deg=(10.0, 15.0)), posture=posture).sets[0].reps
    assert len(reps) == 5
    phases = np.array([(rep.open_s - rep.start_s, rep.close_s - rep.open_s, rep.end_s - rep.close_s) for rep in reps])
    assert_allclose(phases.mean(axis=0), tempo_s[:3], rtol=0.15, atol=0.15)
    assert_allclose([later.start_s - rep.end_s for rep, later in pairwise(reps)], tempo_s[3], atol=0.2)
    assert_allclose([rep.range_deg for rep in reps], np.tile((10.0, 15.0), (5, 1)), atol=1.0)
    assert_allclose([rep.opening_deg for rep in reps], 25.0, atol=1.6)


def test_reps_vary_as_asked() -> None:
    ranges = [rep.range_deg[0] for rep in truth(Set(60, variation=0.08)).sets[0].reps]
    assert 0.05 < np.std(ranges) / np.mean(ranges) < 0.12


def test_fatigue_takes_range_and_speed_and_is_told() -> None:
    tired = truth(replace(EVEN, reps=10, fatigue=Fatigue(4, range_loss=0.3, slowing=0.2))).sets[0]
    assert tired.fatigued
    assert_allclose(tired.reps[-1].opening_deg / tired.reps[0].opening_deg, 0.7, atol=0.05)
    out_s = [rep.open_s - rep.start_s for rep in tired.reps]
    back_s = [rep.end_s - rep.close_s for rep in tired.reps]
    assert np.mean(out_s[-2:]) > 1.08 * np.mean(out_s[:3])
    assert np.mean(back_s[-2:]) < 0.92 * np.mean(back_s[:3])
    assert not truth(EVEN).sets[0].fatigued
    assert not truth(replace(EVEN, fatigue=Fatigue(4, range_loss=0.1, slowing=0.0))).sets[0].fatigued


def test_special_reps_do_what_their_flags_say() -> None:
    one = replace(
        EVEN, reps=6, partial=(2,), one_sided=((3, Foot.RIGHT),), bounce=(4,), hesitate=(5,), tempo_s=(1, 1, 1, 1)
    )
    session = truth(one)
    reps = session.sets[0].reps
    assert [rep.flags for rep in reps] == [(), ("partial",), ("one_sided",), ("bounce",), ("hesitation",), ()]
    assert 0.3 < reps[1].opening_deg / reps[0].opening_deg < 0.55
    left, right = reps[2].range_deg
    assert left < 1.5 < 10.0 < right
    held = (session.time_s > reps[3].open_s) & (session.time_s < reps[3].close_s)
    assert session.opening_deg[held].sum(axis=1).min() < 0.88 * 24.0
    out = (session.time_s > reps[4].start_s) & (session.time_s < reps[4].open_s)
    speed = np.gradient(session.opening_deg[out].sum(axis=1), 0.01)
    assert speed[20:-20].min() < 0.3 * speed.max()


def test_the_right_foot_lags_when_asked() -> None:
    session = truth(replace(EVEN, lag_s=0.3))
    halves_s = [np.interp(6.0, session.opening_deg[300:420, foot], session.time_s[300:420]) for foot in Foot]
    assert session.opening_deg[419].min() > 6.0
    assert_allclose(halves_s[1] - halves_s[0], 0.3, atol=0.12)


def test_feet_that_do_not_come_back_leave_the_next_rep_a_higher_rest() -> None:
    session = truth(replace(EVEN, incomplete=0.2))
    reps = session.sets[0].reps
    between = np.interp(0.5 * (reps[1].end_s + reps[2].start_s), session.time_s, session.opening_deg[:, 0])
    assert 1.0 < between < 4.5
    assert all(rep.range_deg[0] < 11.5 for rep in reps[1:4])


CONFOUNDERS: tuple[Activity, ...] = (
    Fidget(8),
    Sway(3, 15.0),
    KneeBends(3, 15.0),
    KneeBends(2, 70.0, alternate=True),
    OneLeg(Foot.RIGHT, 2),
    Adjust(8.0),
    ToeTap(),
    RollOver(),
    SitToStand(1),
    Stand(2.0),
    Walk(10),
    Rest(40.0),
)


@pytest.mark.parametrize("posture", POSTURES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_but_a_rep_takes_both_heels_apart(posture: Posture, seed: int) -> None:
    session = truth(*CONFOUNDERS, posture=posture, seed=seed)
    assert session.sets == ()
    assert {kind for kind, _, _ in session.movements} >= {"fidget", "sway", "knee bends", "one leg", "walking"}
    elsewhere = np.zeros(len(session.time_s), dtype=bool)
    for kind, start_s, end_s in session.movements:
        elsewhere |= (
            (kind == "getting into position") & (session.time_s > start_s - 0.5) & (session.time_s < end_s + 0.5)
        )
    assert np.min(session.opening_deg[~elsewhere], axis=1).max() < 3.5


def test_a_typical_session_has_its_sets_and_long_rests_between_them() -> None:
    session = simulate(typical("hook-lying", sets=3, reps=9, rest_s=30.0), 4).truth
    assert [len(one.reps) for one in session.sets] == [9, 9, 9]
    assert all(later.start_s - one.end_s > 30.0 for one, later in pairwise(session.sets))
    assert session.movements[0][0] == "walking"
    assert session.movements[-1][0] == "leaving the position"
    times = [
        time_s
        for one in session.sets
        for rep in one.reps
        for time_s in (rep.start_s, rep.open_s, rep.close_s, rep.end_s)
    ]
    assert times == sorted(times)


def test_options_of_a_typical_session_reach_its_sets_and_itself() -> None:
    scenario = typical(fatigue=Fatigue(3), right=None, lag_s=0.1)
    sets = [one for one in scenario.activities if isinstance(one, Set)]
    assert [one.fatigue for one in sets] == [Fatigue(3)] * 3
    assert scenario.right is None
    with pytest.raises(ValueError, match="no such posture"):
        typical("standing on the head")


def test_a_recording_may_begin_and_end_within_a_rep() -> None:
    whole = simulate(Scenario("prone", (Set(),), lies_ready=True), 6)
    second, last = whole.truth.sets[0].reps[1], whole.truth.sets[0].reps[-2]
    cut = Scenario("prone", (Set(),), lies_ready=True, begin_s=second.open_s, end_s=last.open_s + 0.1)
    part = simulate(cut, 6)
    reps = part.truth.sets[0].reps
    assert [rep.flags for rep in reps] == [("truncated",), *[()] * (len(reps) - 2), ("truncated",)]
    assert reps[0].start_s < 0.0 < reps[0].end_s
    assert_allclose([rep.range_deg for rep in reps], [rep.range_deg for rep in whole.truth.sets[0].reps[1:-1]])
    assert_allclose(part.truth.time_s[-1], last.open_s + 0.1 - second.open_s, atol=0.03)


def test_a_rep_during_an_outage_has_a_gap() -> None:
    scenario = Scenario("prone", (Set(),), lies_ready=True)
    third = simulate(scenario, 6).truth.sets[0].reps[2]
    for kind, flags in (("away", ("gap",)), ("stall", ())):
        outage = Outage(Foot.LEFT, third.open_s, 0.2, "away" if kind == "away" else "stall")
        reps = simulate(replace(scenario, outages=(outage,)), 6).truth.sets[0].reps
        assert [rep.flags for rep in reps[1:4]] == [(), flags, ()]


def test_a_rep_of_the_foot_without_a_sensor_is_none() -> None:
    one = Set(4, one_sided=((2, Foot.LEFT), (3, Foot.RIGHT)))
    session = simulate(Scenario("prone", (one,), right=None, lies_ready=True), 2).truth
    assert [rep.flags for rep in session.sets[0].reps] == [(), ("one_sided",), ()]


numbers = st.lists(st.integers(1, 4), max_size=2).map(tuple)


@given(
    one=st.builds(
        Set,
        reps=st.integers(1, 4),
        range_deg=st.tuples(st.floats(6.0, 35.0), st.floats(6.0, 35.0)),
        tempo_s=st.tuples(*[st.floats(0.2, 4.0)] * 4),
        variation=st.floats(0.0, 0.25),
        fatigue=st.none() | st.builds(Fatigue, st.integers(1, 4), st.floats(0.0, 0.6), st.floats(0.0, 0.5)),
        partial=numbers,
        bounce=numbers,
        hesitate=numbers,
        sag=st.floats(0.0, 0.15),
        lag_s=st.floats(-0.5, 0.5),
        incomplete=st.floats(0.0, 0.3),
        drift_deg=st.floats(0.0, 5.0),
    ),
    other=st.sampled_from([*CONFOUNDERS, Rest(12.0, "relax"), Rest(12.0, "fidget"), Rest(0.0)]),
    posture=st.sampled_from(POSTURES),
    seed=st.integers(0, 10_000),
)
@settings(deadline=None, max_examples=25, derandomize=True)
def test_whatever_the_set_its_boundaries_are_in_order_and_all_whole_reps_are_there(
    one: Set, other: Activity, posture: Posture, seed: int
) -> None:
    session = simulate(Scenario(posture, (one, other), lies_ready=True), seed).truth
    reps = session.sets[0].reps
    whole = [rep for rep in reps if "partial" not in rep.flags]
    assert len(whole) == one.reps - len({number for number in one.partial if number <= one.reps})
    assert len(reps) <= one.reps  # a partial rep may drown in incomplete returns around it, and is none then
    times = [time_s for rep in reps for time_s in (rep.start_s, rep.open_s, rep.close_s, rep.end_s)]
    assert times == sorted(times)
    assert times[0] > 0.0
    assert times[-1] < session.time_s[-1] + 0.02
    assert all(0.3 * min(one.range_deg) * 0.35 < rep.opening_deg < 2.5 * sum(one.range_deg) for rep in reps)
    assert all(0.0 <= start_s < end_s for _, start_s, end_s in session.movements)
    assert np.isfinite(session.opening_deg).all()


def test_the_truth_is_written_without_its_arrays() -> None:
    session = simulate(typical("seated", sets=1, reps=2), 8).truth
    written = json.loads(json.dumps(session.as_json()))
    assert written["format"] == "sensorrep-truth/1"
    assert (written["seed"], written["posture"]) == (8, "seated")
    assert written["sets"][0]["reps"][1]["start_s"] == round(session.sets[0].reps[1].start_s, 4)
    assert set(written["movements"][0]) == {"kind", "start_s", "end_s"}
