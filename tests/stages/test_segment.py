"""Reps found in motion made by hand: how many, when they are announced, and what is no rep."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sensorrep import quaternion
from sensorrep.kinematics.otherwise import Other
from sensorrep.kinematics.reps import Found, find
from sensorrep.kinematics.spans import Span
from sensorrep.model import (
    FRAME_RATE_HZ,
    Check,
    FloatArray,
    Foot,
    HeelSignal,
    Movement,
    Poses,
    Rejected,
    RepCounted,
    RepsCorrected,
)
from sensorrep.stages.segment import Finding, Segment, SetFound
from tests.motion import ARM_M, LEVEL, STRAPS, course, findings, poses, reps, rise, sets, signal, worn

EXAMPLES = settings(deadline=None, derandomize=True, max_examples=15)
VERTICAL = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
"""With the thighs upright (table-top), the shanks turn about the vertical, each the other way."""


def alike(opening: FloatArray) -> FloatArray:
    return np.stack([opening, opening], axis=1)


def counts(found: Sequence[Finding]) -> list[int]:
    return [len(one) for one in sets(found)]


def session(sets_of: Sequence[int], rest_s: float = 15.0) -> FloatArray:
    """Opening (degrees) of sets of so many reps of 3.2 s, with rests between them."""
    starts_s: list[float] = []
    now_s = 3.0
    for count in sets_of:
        starts_s += [now_s + 3.2 * number for number in range(count)]
        now_s = starts_s[-1] + 3.2 + rest_s
    return 12.0 * reps(course(now_s), starts_s)


@pytest.mark.parametrize("axes", [LEVEL, VERTICAL])
@pytest.mark.parametrize("count", [3, 8, 15])
def test_every_rep_of_a_set_is_counted_once(axes: FloatArray, count: int) -> None:
    found = findings(poses(alike(session([count])), axes))
    assert counts(found) == [count]
    assert not [one for one in found if isinstance(one, RepsCorrected)]


def test_sets_are_told_apart_by_their_rests() -> None:
    found = findings(poses(alike(session([8, 6, 5]))))
    assert counts(found) == [8, 6, 5]
    announced = [(one.set_number, one.number) for one in found if isinstance(one, RepCounted)]
    assert announced == [(of, number) for of, count in ((1, 8), (2, 6), (3, 5)) for number in range(1, count + 1)]


def test_a_rep_is_announced_soon_after_its_end_from_the_third_on() -> None:
    for one in findings(poses(alike(session([8])))):
        if isinstance(one, RepCounted):
            late_s = one.decided_s - one.rep.end_s
            assert -0.2 < late_s < (7.5 if one.number < 3 else 0.8), one.number


def test_one_rep_is_enough_once_a_set_has_shown_what_a_rep_is() -> None:
    assert counts(findings(poses(alike(session([5, 1, 2]))))) == [5, 1, 2]


def test_two_movements_alike_are_no_exercise() -> None:
    found = findings(poses(alike(session([2]))))
    assert counts(found) == []
    assert len([one for one in found if isinstance(one, Rejected)]) == 2


def test_reps_below_the_least_opening_are_none() -> None:
    assert counts(findings(poses(0.1 * alike(session([8]))))) == []


@pytest.mark.parametrize("range_deg", [3.0, 6.0, 25.0])
def test_reps_of_all_sizes_are_counted_and_measured(range_deg: float) -> None:
    (found,) = sets(findings(poses(range_deg / 12.0 * alike(session([8])))))
    assert len(found) == 8
    assert_allclose(np.degrees(np.array([rep.range_rad for rep in found], float)), range_deg, rtol=0.02)


@pytest.mark.parametrize("pulses", [2, 5])
def test_pulses_at_the_top_are_no_reps_however_many(pulses: int) -> None:
    time_s = course(80.0)
    starts_s = [3.0 + 9.0 * number for number in range(8)]
    opening = reps(time_s, starts_s, hold_s=0.9 * pulses)
    for start_s in starts_s:
        begun_s = [start_s + 1.0 + 0.9 * number for number in range(pulses)]
        opening -= 0.3 * reps(time_s, begun_s, out_s=0.45, hold_s=0.0, back_s=0.45)
    assert counts(findings(poses(12.0 * alike(opening)))) == [8]


@pytest.mark.parametrize("later_s", [0.45, -0.45])
def test_who_leads_with_one_leg_by_half_a_second_is_counted_however_quickly_the_legs_open(later_s: float) -> None:
    time_s = course(40.0)
    starts_s = np.array([3.0 + 4.0 * number for number in range(8)])
    legs = [12.0 * reps(time_s, (starts_s + late_s).tolist(), out_s=0.7) for late_s in (0.0, later_s)]
    assert counts(findings(poses(np.stack(legs, axis=1)))) == [8]


def test_legs_that_take_turns_make_no_rep_of_both() -> None:
    time_s = course(60.0)
    starts_s = np.array([3.0 + 6.4 * number for number in range(8)])
    legs = [12.0 * reps(time_s, (starts_s + late_s).tolist()) for late_s in (0.0, 3.0)]
    assert counts(findings(poses(np.stack(legs, axis=1)))) == []


@pytest.mark.parametrize("axes", [LEVEL, VERTICAL])
def test_knees_that_fall_apart_in_mid_set_as_the_ball_drops_cost_no_rep(axes: FloatArray) -> None:
    time_s = course(60.0)
    starts_s = [5.0 + 4.0 * number for number in (0, 1, 2, 3, 4, 5, 8, 9, 10, 11)]
    elsewhere = 40.0 * (rise(time_s, 2.0, 1.0) - 1.0)
    fallen = -25.0 * reps(time_s, [30.0], out_s=0.5, hold_s=2.0)
    assert sum(counts(findings(poses(alike(elsewhere + fallen + 12.0 * reps(time_s, starts_s)), axes)))) == 10


def test_a_set_is_kept_when_the_movement_that_joined_the_next_one_to_it_turns_out_to_be_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts_s = [*(3.0 + 3.5 * number for number in range(8)), 35.0, *(43.0 + 3.5 * number for number in range(5))]

    def second_thoughts(stretch: HeelSignal, *rest: Any) -> Found | None:
        found = find(stretch, *rest)
        if found is None or stretch["time_s"][-1] < 48.0:
            return found
        at_s = [float(stretch["time_s"][span.leaves]) for span in found.spans]
        kept = [span for span, leaves_s in zip(found.spans, at_s, strict=True) if not 34.0 < leaves_s < 37.0]
        return found._replace(spans=tuple(kept))

    monkeypatch.setattr("sensorrep.stages.segment.find", second_thoughts)
    assert counts(findings(poses(12.0 * alike(reps(course(75.0), starts_s))))) == [8, 5]


def test_heels_that_stayed_together_for_a_while_before_the_reps_do_not_show_the_headings() -> None:
    """By that turn the legs would be parallel, and by the reps turn the same way."""
    time_s = course(50.0)
    closed = 36.0 * (rise(time_s, 4.0, 1.5) - 1.0)
    assert counts(
        findings(poses(alike(closed + 12.0 * reps(time_s, [9.0 + 4.0 * number for number in range(8)]))))
    ) == [8]


def test_both_feet_to_the_same_side_are_no_rep() -> None:
    """With upright thighs gravity alone tells it."""
    same = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    assert counts(findings(poses(alike(session([8])), same))) == []


def test_an_accelerometer_that_feels_gravity_alone_counts_all_the_same() -> None:
    """The arm from the knee is a help, no condition: other programs' simulations and fused recordings have none."""
    for axes in (LEVEL, VERTICAL):
        assert counts(findings(poses(alike(session([8])), axes, arm_m=np.zeros(3)))) == [8]


def test_a_set_that_turns_out_to_be_another_exercise_when_it_is_over_is_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three reps may leave it in doubt, all of them no more."""

    def in_doubt(_stretch: HeelSignal, _found: Found, run: Sequence[Span], *_: object) -> Other | None:
        return Other("another exercise", Check("rule", 0.0, 1.0, passed=False)) if len(run) > 5 else None

    monkeypatch.setattr("sensorrep.stages.segment.otherwise", in_doubt)
    found = findings(poses(alike(session([8]))))
    assert sum(isinstance(one, RepCounted) for one in found) == 8
    assert [(one.announced, one.count, one.why) for one in found if isinstance(one, RepsCorrected)] == [
        (8, 0, "another exercise")
    ]
    assert counts(found) == []


def test_thighs_that_slope_a_little_unlike_each_other_are_no_sway() -> None:
    uneven = np.array([[1.0, 0.0, 0.22], [-1.0, 0.0, 0.22]])
    uneven /= np.linalg.norm(uneven, axis=1, keepdims=True)
    assert counts(findings(poses(alike(session([8])), uneven))) == [8]


def knocked(motion: Poses, feet_at_s: Sequence[tuple[int, float]], reps: int = 8) -> Poses:
    """The motion with knocks of feet at so many seconds from the begin of each of its first reps."""
    for foot, at_s in feet_at_s:
        for rep in range(reps):
            at = round((3.0 + 3.2 * rep + at_s) * FRAME_RATE_HZ)
            motion["acc_m_s2"][at : at + 4, foot] *= 1.6
    return motion


def test_movements_in_which_the_floor_knocks_the_feet_in_turn_are_steps() -> None:
    assert counts(findings(knocked(poses(alike(session([8]))), [(0, 1.2), (1, 2.6)]))) == []


@pytest.mark.parametrize("knocks", [[(0, 2.5), (1, 2.53)], [(0, 2.5)], [(1, 1.2)]])
def test_heels_that_meet_and_single_feet_that_bump_are_no_steps(knocks: list[tuple[int, float]]) -> None:
    assert counts(findings(knocked(poses(alike(session([8]))), knocks))) == [8]


def test_steps_before_a_set_are_told_as_such_and_cost_none_of_its_reps() -> None:
    """Twice as far as the reps, and about another axis: while they were remembered, they would outvote these."""
    opening = session([8, 6])
    steps = np.arange(len(opening)) < (3.0 + 8 * 3.2 + 2.0) * FRAME_RATE_HZ
    apart = np.array([1.0, -1.0])[:, None, None] * np.radians(opening)[:, None]
    walk = quaternion.from_rotation_vector((2.0 * apart * steps[None, :, None] * [0.0, 1.0, 0.0]).swapaxes(0, 1))
    legs = quaternion.from_rotation_vector((apart * ~steps[None, :, None] * [1.0, 0.0, 0.0]).swapaxes(0, 1))
    found = findings(knocked(worn(quaternion.multiply(legs, walk)), [(0, 1.2), (1, 2.6)]))
    assert counts(found) == [6]
    assert [one.why for one in found if isinstance(one, Rejected)][:6] == [
        "steps: the floor knocked the feet in turn"
    ] * 6


def knees_bend_first(right_sign: float, heading_rad: float) -> Poses:
    """Both knees bend by 80 degrees about y, after a little shuffle; then eight movements about x.

    The right leg's are times `right_sign`, and its earth frame has its own heading.
    """
    opening = session([8])
    time_s = np.arange(len(opening) + 600) / FRAME_RATE_HZ
    bend = np.radians(80.0 * rise(time_s, 2.0, 6.5) + 3.0 * rise(time_s, 0.2, 1.0))
    legs = np.radians(np.concatenate([np.zeros(600), opening]))[:, None] * [1.0, right_sign]
    turns = quaternion.from_rotation_vector(legs[:, :, None] * [1.0, 0.0, 0.0])
    bends = quaternion.from_rotation_vector(bend[:, None] * [0.0, 1.0, 0.0])[:, None, :]
    before_m = quaternion.rotate(
        quaternion.conjugate(bends[-1, 0]), ARM_M
    )  # once bent, the sensors are above the knees
    out = worn(quaternion.multiply(turns, bends), arm_m=before_m)
    heading = quaternion.from_rotation_vector(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, heading_rad]]))
    out["q_earth_sensor"] = quaternion.multiply(heading, out["q_earth_sensor"])
    return out


@EXAMPLES
@given(st.floats(-3.0, 3.0))
def test_a_knee_bend_tells_heels_apart_from_sway_whatever_the_heading(heading_rad: float) -> None:
    assert counts(findings(knees_bend_first(-1.0, heading_rad))) == [8]
    assert counts(findings(knees_bend_first(1.0, heading_rad))) == []


@pytest.mark.parametrize(
    ("motion", "why"),
    [
        (poses(alike(session([2]))), "not enough alike for a set"),
        (knocked(poses(alike(session([8]))), [(0, 1.2), (1, 2.6)]), "steps: the floor knocked the feet in turn"),
        (knees_bend_first(1.0, 0.5), "both legs turning the same way"),
        (poses(alike(session([8])), arm_m=0.2 * ARM_M), "feet that twisted or stood on the spot"),
    ],
    ids=["too few", "steps", "sway", "twists"],
)
def test_movements_that_are_not_counted_show_the_rule_that_they_broke_and_by_how_much(motion: Poses, why: str) -> None:
    rejected = [one for one in findings(motion) if isinstance(one, Rejected) and one.why.startswith(why)]
    assert rejected
    for one in rejected:
        broken = [check for check in one.checks if not check.passed]
        assert broken
        assert all(check.value != check.limit for check in broken)


def test_legs_at_their_reps_are_told_from_legs_at_rest() -> None:
    moved = signal(poses(alike(session([8]))))
    segment, seen = Segment(), []
    for start in range(0, len(moved), 50):
        segment.push(HeelSignal(moved[start : start + 50]))
        seen.append(segment.moves())
    assert not any(seen[:6])
    assert not seen[-1]
    assert sum(seen) > 0.3 * len(seen)


def test_one_leg_counts_the_foot_that_it_is_told() -> None:
    motion = poses(np.stack([np.zeros(len(session([8]))), session([8])], axis=1))
    assert counts(findings(motion, "one-leg", Foot.RIGHT)) == [8]
    assert counts(findings(motion, "one-leg", Foot.LEFT)) == []
    ((rep, *_),) = sets(findings(motion, "one-leg", Foot.RIGHT))
    assert rep.range_rad[Foot.LEFT] is None
    assert rep.opening_rad == rep.range_rad[Foot.RIGHT]


@pytest.mark.parametrize(("share", "expected"), [(0.3, []), (0.5, [8])])
def test_one_leg_is_not_counted_where_the_other_only_takes_it_along(share: float, expected: list[int]) -> None:
    """A pelvis rolls with the other leg's exercise; of two legs that exercise, one may do half as much."""
    motion = poses(3.0 * session([8])[:, None] * [share, 1.0])
    assert counts(findings(motion, "one-leg", Foot.LEFT)) == expected
    assert counts(findings(motion, "one-leg", Foot.RIGHT)) == [8]


def test_legs_that_lie_still_give_no_findings() -> None:
    assert findings(poses(np.zeros((3000, 2)))) == []


def test_an_empty_recording_gives_no_findings() -> None:
    stage = Segment()
    assert stage.push(HeelSignal(signal(poses(np.zeros((100, 2))))[:0])) == []
    assert stage.finish() == []


def run(
    block: HeelSignal, cuts: Sequence[int], movement: Movement = "heels-apart", foot: Foot | None = None
) -> list[Finding]:
    stage = Segment(movement, foot)
    bounds = [0, *sorted(cuts), len(block)]
    return [*[one for a, b in pairwise(bounds) for one in stage.push(HeelSignal(block[a:b]))], *stage.finish()]


def assert_same(one: Sequence[Finding], other: Sequence[Finding]) -> None:
    assert [type(finding) for finding in one] == [type(finding) for finding in other]
    for a, b in zip(one, other, strict=True):
        if isinstance(a, SetFound) and isinstance(b, SetFound):
            assert (a.decided_s, a.reps, a.posture) == (b.decided_s, b.reps, b.posture)
            assert_array_equal(a.found.direction, b.found.direction)
        else:
            assert a == b


def untidy(seed: int) -> HeelSignal:
    """Sets, stray movements of one leg or both, noise."""
    rng = np.random.default_rng(seed)
    opening = alike(session([5, 4], rest_s=12.0))
    time_s = np.arange(len(opening)) / FRAME_RATE_HZ
    for _ in range(6):
        at_s, size = rng.uniform(0.0, time_s[-1]), rng.uniform(-20.0, 20.0, size=2)
        opening += (rise(time_s, at_s, 0.7) - rise(time_s, at_s + rng.uniform(0.8, 3.0), 0.9))[:, None] * size
    motion = poses(opening)
    motion["rate_rad_s"] += 0.003 * rng.normal(size=motion["rate_rad_s"].shape)
    return signal(motion)


@EXAMPLES
@given(st.integers(0, 10**6), st.lists(st.integers(0, 5000), max_size=30))
def test_where_the_stream_is_cut_changes_no_finding(seed: int, cuts: list[int]) -> None:
    block = untidy(seed)
    cuts = [cut for cut in cuts if cut <= len(block)]
    assert_same(run(block, cuts), run(block, ()))


def test_where_the_stream_is_cut_changes_no_finding_where_both_feet_are_away_now_and_then() -> None:
    """What comes after the standstill that decides is not looked at, also where it is here already."""
    for seed in (10, 48, 53):
        block, rng = untidy(seed), np.random.default_rng(seed)
        for at in rng.integers(0, len(block), size=25).tolist():
            block["ok"][at : at + int(rng.integers(10, 120))] = False
        assert_same(run(block, range(7, len(block), 7)), run(block, ()))


def test_one_frame_at_a_time_changes_no_finding() -> None:
    block = untidy(3)
    assert_same(run(block, range(1, len(block))), run(block, ()))


def test_swapping_the_feet_swaps_the_sides_and_nothing_else() -> None:
    left, right = session([6]), 0.7 * session([6])
    (plain,) = sets(findings(poses(np.stack([left, right], axis=1))))
    (swapped,) = sets(findings(poses(np.stack([right, left], axis=1), LEVEL[::-1], STRAPS[::-1])))
    for a, b in zip(plain, swapped, strict=True):
        assert (a.start_s, a.open_s, a.close_s, a.end_s) == pytest.approx((b.start_s, b.open_s, b.close_s, b.end_s))
        assert a.range_rad == pytest.approx(b.range_rad[::-1])
        assert a.lag_s == pytest.approx(-float(b.lag_s or 0.0), abs=1e-9)


def test_a_heading_that_drifts_ends_no_set() -> None:
    """Nothing bounds it: a gyroscope's bias of a degree a second is common before a rest has shown it."""
    motion = poses(alike(session([24])))
    drift = np.radians([1.0, -0.8])[None, :, None] * motion["time_s"][:, None, None] * [0.0, 0.0, 1.0]
    motion["q_earth_sensor"] = quaternion.multiply(quaternion.from_rotation_vector(drift), motion["q_earth_sensor"])
    assert counts(findings(motion)) == [24]


def test_legs_that_are_laid_down_otherwise_end_a_set_without_a_standstill() -> None:
    opening = alike(session([6, 6], rest_s=5.0))
    time_s = np.arange(len(opening)) / FRAME_RATE_HZ
    begin_s = 3.0 + 6 * 3.2 + 0.5
    moved = np.radians(80.0 * (rise(time_s, begin_s, 1.5) - rise(time_s, begin_s + 2.0, 1.5)))
    turns = quaternion.from_rotation_vector(np.radians(opening)[:, :, None] * LEVEL)
    laid = quaternion.from_rotation_vector(moved[:, None] * [0.0, 1.0, 0.0])[:, None, :]
    assert counts(findings(worn(quaternion.multiply(laid, turns)))) == [6, 6]


def test_what_one_leg_does_before_or_after_a_set_of_both_is_no_rep_of_it() -> None:
    opening = alike(session([6]))
    extra = 12.0 * reps(course(len(opening) / FRAME_RATE_HZ + 6.0), [3.0 + 6 * 3.2])
    opening = np.concatenate([opening, np.zeros((len(extra) - len(opening), 2))])
    opening[:, 1] += extra
    assert counts(findings(poses(opening))) == [6]


def test_five_hurried_reps_are_a_set() -> None:
    starts_s = [3.0 + 0.85 * number for number in range(5)]
    opening = 12.0 * reps(course(16.0), starts_s, out_s=0.3, hold_s=0.1, back_s=0.3)
    assert counts(findings(poses(alike(opening)))) == [5]


def test_straps_that_wobble_each_for_itself_unmake_no_set() -> None:
    opening = alike(0.6 * session([8]))
    time_s = course(len(opening) / FRAME_RATE_HZ)[:, None]
    moves = np.abs(np.gradient(opening[:, :1], axis=0)) > 0.0
    wobble = 0.35 * np.sin(2 * np.pi * np.array([6.1, 7.3]) * time_s) * moves
    assert counts(findings(poses(opening + wobble))) == [8]


@pytest.mark.parametrize(("there", "flagged"), [(slice(0, 0), False), (slice(0, 500), True)])
def test_only_a_foot_that_came_leaves_gaps_in_reps(there: slice, flagged: bool) -> None:
    motion = poses(alike(session([8])))
    ok = np.zeros(len(motion), bool)
    ok[there] = True
    motion["ok"][:, 1] = ok
    ((*reps_found,),) = sets(findings(motion))
    assert [("gap" in rep.flags) for rep in reps_found] == [flagged] * 8
