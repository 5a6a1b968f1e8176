"""Measures of reps made by hand: raised cosines of known size, shape and lag, seen by sensors strapped on anyhow."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sensorrep.kinematics.measures import sparc
from sensorrep.model import FloatArray, Poses, Rep
from tests.motion import course, findings, poses, reps, rise, sets

QUICK = settings(deadline=None, derandomize=True, max_examples=12)
STARTS_S = (3.0, 6.4, 9.8, 13.2)
TIME_S = course(18.0)
TENTH = np.arccos(0.8) / np.pi
"""Share of a raised cosine's time at which it is at 10 %."""


def measured(motion: Poses) -> tuple[Rep, ...]:
    """The reps of the only set."""
    (found,) = sets(findings(motion))
    return found


def both(left: FloatArray, right: FloatArray | None = None) -> FloatArray:
    return np.stack([left, left if right is None else right], axis=1)


def test_range_times_and_speed_of_reps_made_by_hand() -> None:
    """Out 1 s, hold 0.4 s, back 1.2 s; 10 and 14 degrees; a raised cosine is fastest at pi / 2 times its mean speed."""
    shape = reps(TIME_S, STARTS_S)
    for rep, start_s in zip(measured(poses(both(10 * shape, 14 * shape))), STARTS_S, strict=True):
        assert_allclose(np.degrees(np.array(rep.range_rad, float)), [10, 14], atol=0.1)
        assert np.degrees(rep.opening_rad) == pytest.approx(24, abs=0.2)
        expected_s = [start_s + TENTH, start_s + 1 - TENTH, start_s + 1.4 + 1.2 * TENTH, start_s + 2.6 - 1.2 * TENTH]
        assert_allclose([rep.start_s, rep.open_s, rep.close_s, rep.end_s], expected_s, atol=0.015)
        assert_allclose(np.degrees(np.array(rep.peak_speed_rad_s, float)), np.array([10, 14]) * np.pi / 2, rtol=0.01)
        back = np.array([10, 14]) * np.pi / 2 / 1.2
        assert_allclose(np.degrees(np.array(rep.return_speed_rad_s, float)), back, rtol=0.01)
        assert rep.lag_s == pytest.approx(0.0, abs=1e-6)
        assert rep.flags == ()


def test_pauses_are_from_end_to_start_and_the_last_rep_has_none() -> None:
    found = measured(poses(both(10 * reps(TIME_S, STARTS_S))))
    assert len(found) == len(STARTS_S)
    for rep, after in pairwise(found):
        assert rep.pause_s == pytest.approx(after.start_s - rep.end_s)
    assert found[-1].pause_s is None


@pytest.mark.parametrize("lag_s", [-0.15, 0.04, 0.25])
def test_the_lag_of_a_shifted_copy_is_the_shift(lag_s: float) -> None:
    left = 12 * reps(TIME_S, STARTS_S)
    right = 9 * reps(TIME_S, [start_s + lag_s for start_s in STARTS_S])
    for rep in measured(poses(both(left, right))):
        assert rep.lag_s == pytest.approx(lag_s, abs=0.01)


def test_a_pelvis_that_rolls_before_a_rep_is_no_lag_of_it() -> None:
    opening = 12 * reps(TIME_S, STARTS_S)
    roll = 8 * np.clip(STARTS_S[0] - 1.0 - TIME_S, 0.0, 1.0)
    for rep in measured(poses(both(opening - roll, opening + roll))):
        assert rep.lag_s == pytest.approx(0.0, abs=0.01)


def test_a_leg_that_hardly_moves_makes_the_rep_one_sided_and_shows_no_lag() -> None:
    shape = reps(TIME_S, STARTS_S)
    weak = np.where(STARTS_S[2] < TIME_S, 1.5, 12.0) * shape
    found = measured(poses(both(12 * shape, weak)))
    assert [rep.flags for rep in found] == [(), (), ("one_sided",), ("one_sided",)]
    assert [rep.lag_s is None for rep in found] == [False, False, True, True]


def test_a_rep_in_which_a_foot_was_away_has_a_gap() -> None:
    motion = poses(both(10 * reps(TIME_S, STARTS_S)))
    motion["ok"][740:750, 1] = False
    motion["ok"][1290:1310, 0] = False  # in a pause
    assert [rep.flags for rep in measured(motion)] == [(), ("gap",), (), ()]


def test_a_rep_in_which_no_foot_was_there_is_counted_and_not_measured() -> None:
    """What happened meanwhile is not known: what looks like a long hold may have been anything."""
    motion = poses(both(10 * reps(TIME_S, STARTS_S)))
    motion["ok"][760:800] = False  # in the hold of the second
    first, second, third, _ = measured(motion)
    assert first.is_measured
    assert third.is_measured
    assert second.flags == ("gap",)
    assert (second.concentric_s, second.hold_s, second.eccentric_s, second.pause_s) == (None,) * 4
    assert second.range_rad == second.peak_speed_rad_s == (None, None)
    assert first.pause_s is None
    assert third.pause_s is not None
    assert third.hold_s == pytest.approx(first.hold_s, abs=0.02)


@pytest.mark.parametrize(("from_frame", "to_frame"), [(600, 655), (880, 935)])
def test_a_rest_that_was_not_seen_is_none(from_frame: int, to_frame: int) -> None:
    """The pose that is held in a gap before or after the rep is no rest, where the rep would begin or end."""
    motion = poses(both(10 * reps(TIME_S, STARTS_S)))
    motion["ok"][from_frame:to_frame] = False
    found = measured(motion)
    assert [rep.is_measured for rep in found] == [True, False, True, True]
    assert found[1].flags == ("gap",)


def test_a_pause_in_which_no_foot_was_there_is_none_that_was_measured() -> None:
    motion = poses(both(10 * reps(TIME_S, STARTS_S)))
    motion["ok"][586:612] = False
    found = measured(motion)
    assert all(rep.is_measured for rep in found)
    assert [rep.pause_s is None for rep in found] == [True, False, False, True]


def test_what_one_foot_saw_is_measured() -> None:
    motion = poses(both(10 * reps(TIME_S, STARTS_S)))
    motion["ok"][760:800, 1] = False
    assert all(rep.is_measured for rep in measured(motion))


def test_range_is_from_the_mean_of_the_rest_before_and_after() -> None:
    """Each rep comes back to 1 degree more than it began with: the range is half a degree less than the way out."""
    opening = 10 * reps(TIME_S, STARTS_S) + sum(rise(TIME_S, start_s + 1.4, 1.2) for start_s in STARTS_S)
    for rep in measured(poses(both(opening))):
        assert_allclose(np.degrees(np.array(rep.range_rad, float)), 9.5, atol=0.15)


def test_uncertainty_grows_when_the_rest_moves() -> None:
    shape = reps(TIME_S, STARTS_S)
    creep = sum(rise(TIME_S, start_s + 1.4, 1.2) for start_s in STARTS_S)
    steady = measured(poses(both(10 * shape)))[1].range_sd_rad
    moved = measured(poses(both(10 * shape + creep)))[1].range_sd_rad
    assert steady[0] is not None
    assert moved[0] is not None
    assert np.radians(0.1) < steady[0] < np.radians(0.5)
    # evenly likely within 1 degree: a standard uncertainty of 1 / sqrt 12
    assert np.hypot(steady[0], np.radians(1) / np.sqrt(12)) == pytest.approx(moved[0], rel=0.1)


@pytest.mark.parametrize("hz", [9.2, 10.0, 10.8])
def test_tremor_is_the_effective_rate_of_a_sinusoid_of_both_feet(hz: float) -> None:
    """Amplitudes 0.04 and 0.03 rad/s: together 0.05 / sqrt 2. Central differences see a little less."""
    shake = np.degrees(np.sin(2 * np.pi * hz * TIME_S) / (2 * np.pi * hz))
    shape = 10 * reps(TIME_S, STARTS_S, hold_s=0.8)
    seen = np.sin(2 * np.pi * hz / 100) / (2 * np.pi * hz / 100)
    for rep in measured(poses(both(shape + 0.04 * shake, shape + 0.03 * shake))):
        assert rep.tremor_rad_s == pytest.approx(seen * 0.05 / np.sqrt(2), rel=0.1)


def test_slow_movement_and_steady_drift_are_no_tremor() -> None:
    motion = poses(both(10 * reps(TIME_S, STARTS_S, hold_s=0.8)))
    for rep in measured(motion):
        assert rep.tremor_rad_s is not None
        assert rep.tremor_rad_s < np.radians(0.1)


def test_a_hold_too_short_for_tremor_has_none() -> None:
    shape = reps(TIME_S, [2.0 * number for number in range(1, 8)], out_s=0.5, hold_s=0.0, back_s=0.5)
    assert all(rep.tremor_rad_s is None for rep in measured(poses(both(10 * shape))))


@QUICK
@given(st.integers(0, 10**6))
def test_how_sensors_are_strapped_on_changes_no_measure(seed: int) -> None:
    rng = np.random.default_rng(seed)
    straps = rng.normal(size=(2, 4))
    straps /= np.linalg.norm(straps, axis=1, keepdims=True)
    opening = both(10 * reps(TIME_S, STARTS_S), 14 * reps(TIME_S, [start_s + 0.1 for start_s in STARTS_S]))
    for rep, plain in zip(measured(poses(opening, straps=straps)), measured(poses(opening)), strict=True):
        for name in ("range_rad", "range_sd_rad", "peak_speed_rad_s", "return_speed_rad_s", "smoothness"):
            assert_allclose(np.array(getattr(rep, name)), np.array(getattr(plain, name)), rtol=1e-6, err_msg=name)
        for name in ("start_s", "open_s", "close_s", "end_s", "lag_s", "tremor_rad_s"):
            assert getattr(rep, name) == pytest.approx(getattr(plain, name), abs=1e-6), name


# --- smoothness -----------------------------------------------------------------------------------------------------


def test_sparc_of_its_authors_own_example() -> None:
    """The bell in the documentation of their reference implementation: -1.41403."""
    time = np.arange(-1, 1, 0.01)
    assert sparc(np.exp(-5 * time**2), 100.0) == pytest.approx(-1.41403, abs=1e-5)


def bell(seconds: float) -> FloatArray:
    """Angular rate of a minimum-jerk movement."""
    share = np.arange(0, seconds, 0.01) / seconds
    return np.asarray(30 * share**2 * (1 - share) ** 2 / seconds, float)


def test_sparc_depends_neither_on_size_nor_on_duration() -> None:
    assert_allclose(
        [sparc(bell(seconds), 100.0) for seconds in (0.5, 1.0, 2.0, 4.0)], sparc(bell(1.0), 100.0), rtol=1e-3
    )
    assert sparc(7.0 * bell(1.0), 100.0) == pytest.approx(sparc(bell(1.0), 100.0))


def test_sparc_falls_with_every_submovement_and_with_shaking() -> None:
    smooth, jerky = bell(1.5), bell(1.5) * (1 + 0.5 * np.sin(2 * np.pi * 4 * np.arange(150) / 100))
    in_parts = [np.concatenate([bell(1.5 / count)] * count) for count in (1, 2, 3, 5)]
    assert sparc(jerky, 100.0) < sparc(smooth, 100.0) - 0.1
    scores = [sparc(one, 100.0) for one in in_parts]
    assert scores == sorted(scores, reverse=True)
    assert scores[1] < scores[0] - 0.5


def test_sparc_of_nothing_is_zero() -> None:
    assert sparc(np.zeros(50), 100.0) == 0.0
    assert sparc(np.zeros(1), 100.0) == 0.0


def test_a_rep_in_which_a_foot_comes_back_is_as_large_as_the_foot_that_was_there() -> None:
    """So it is compared with reps of that foot: with both it would look like twice as much."""
    motion = poses(both(10 * reps(TIME_S, STARTS_S), 14 * reps(TIME_S, STARTS_S)))
    motion["ok"][640:720, 1] = False  # back before the top
    rep = measured(motion)[1]
    assert rep.range_rad[1] is None
    assert rep.opening_rad == rep.range_rad[0]
