from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sensorrep.kinematics.excursions import Boundaries, boundaries, courses, rest_stretches, trimmed, turning_points
from sensorrep.model import FloatArray

QUICK = settings(deadline=None, derandomize=True, max_examples=150)
RATE_HZ = 100.0

whole_numbers = st.lists(st.integers(-6, 6), min_size=1, max_size=40).map(lambda values: np.array(values, float))


def longest_zigzag(signal: FloatArray, least: float) -> int:
    """Length of the longest alternating subsequence with steps of at least `least`, by looking at every pair."""
    ends_high, ends_low = [1] * len(signal), [1] * len(signal)
    for now in range(len(signal)):
        for before in range(now):
            if signal[now] - signal[before] >= least:
                ends_high[now] = max(ends_high[now], ends_low[before] + 1)
            if signal[before] - signal[now] >= least:
                ends_low[now] = max(ends_low[now], ends_high[before] + 1)
    longest = max(ends_high + ends_low)
    return longest if longest > 1 else 0


@QUICK
@given(whole_numbers, st.integers(1, 6))
def test_no_alternating_sequence_of_such_steps_has_more_points_than_the_turning_points(
    signal: FloatArray, hysteresis: int
) -> None:
    points, _ = turning_points(signal, float(hysteresis))
    assert len(points) == longest_zigzag(signal, float(hysteresis))


@QUICK
@given(whole_numbers, st.integers(1, 6))
def test_each_turning_point_is_the_extreme_between_its_neighbours(signal: FloatArray, hysteresis: int) -> None:
    points, starts_low = turning_points(signal, float(hysteresis))
    assert all(before < after for before, after in pairwise(points))
    around = [0, *points, len(signal) - 1]
    for number, (before, point, after) in enumerate(zip(around, points, around[2:], strict=False)):
        near = signal[before : after + 1]
        is_low = (number % 2 == 0) == starts_low
        assert signal[point] == (near.min() if is_low else near.max())


@QUICK
@given(whole_numbers, st.integers(1, 6))
def test_turned_upside_down_highs_are_lows(signal: FloatArray, hysteresis: int) -> None:
    points, starts_low = turning_points(signal, float(hysteresis))
    flipped, flipped_starts_low = turning_points(-signal, float(hysteresis))
    assert flipped == points
    assert not points or flipped_starts_low != starts_low


def test_turning_points_of_two_reps_with_a_bounce_too_small_to_count() -> None:
    #                  low            high           low       high      unconfirmed low
    signal = np.array([0.1, 0.0, 3.0, 2.6, 5.0, 4.0, 1.0, 2.0, 6.0, 5.9, 3.0])
    assert turning_points(signal, 1.5) == ([1, 4, 6, 8, 10], True)


def test_a_signal_that_stands_still_has_no_turning_points() -> None:
    assert turning_points(np.full(9, 2.0), 0.1)[0] == []
    assert turning_points(np.array([1.0]), 0.1)[0] == []


def ramps(*corners: tuple[float, float]) -> FloatArray:
    """Straight lines through (time_s, value), sampled at RATE_HZ."""
    times_s, values = np.array(corners).T
    signal: FloatArray = np.interp(np.arange(round(times_s[-1] * RATE_HZ) + 1) / RATE_HZ, times_s, values)
    return signal


def in_seconds(signal: FloatArray) -> tuple[Boundaries, list[float]]:
    at = boundaries(signal, int(np.argmax(signal)), RATE_HZ)
    return at, [at.start / RATE_HZ, at.open / RATE_HZ, at.close / RATE_HZ, at.end / RATE_HZ]


def test_boundaries_of_a_trapezoid_are_where_its_lines_cross_10_and_90_per_cent() -> None:
    _, times_s = in_seconds(ramps((0, 0), (1, 0), (2, 10), (2.5, 10), (3.5, 0), (5, 0)))
    assert_allclose(times_s, [1.1, 1.9, 2.6, 3.4], atol=0.002)


@QUICK
@given(
    rise_s=st.floats(0.3, 2.5),
    hold_s=st.floats(0.0, 2.0),
    fall_s=st.floats(0.3, 2.5),
    base=st.floats(-3.0, 3.0),
    span=st.floats(0.05, 1.0),
)
def test_boundaries_of_raised_cosines_are_where_the_cosine_says(
    rise_s: float, hold_s: float, fall_s: float, base: float, span: float
) -> None:
    """0.5 - 0.5 cos(pi t / T) = 0.1 at t = T acos(0.8) / pi. Rest levels taken from a slow start come a little late."""
    time_s = np.arange(round((2.0 + rise_s + hold_s + fall_s) * RATE_HZ) + 1) / RATE_HZ
    up = np.clip((time_s - 1.0) / rise_s, 0.0, 1.0)
    down = np.clip((time_s - 1.0 - rise_s - hold_s) / fall_s, 0.0, 1.0)
    signal = base + span * 0.5 * (np.cos(np.pi * down) - np.cos(np.pi * up))
    tenth = np.arccos(0.8) / np.pi
    back_s = 1.0 + rise_s + hold_s
    expected = [
        1.0 + tenth * rise_s,
        1.0 + (1.0 - tenth) * rise_s,
        back_s + tenth * fall_s,
        back_s + (1.0 - tenth) * fall_s,
    ]
    _, times_s = in_seconds(signal)
    assert_allclose(times_s, expected, atol=0.005 + 0.008 * max(rise_s, fall_s))


def test_an_incomplete_return_ends_near_where_it_stays() -> None:
    """Out from 0 to 10, back to 4: the way out is measured from 0, the way back from 4."""
    at, times_s = in_seconds(ramps((0, 0), (1, 0), (2, 10), (2.5, 10), (3.5, 4), (5, 4)))
    assert_allclose(times_s, [1.1, 1.9, 2.6, 3.4], atol=0.002)
    assert at.rest_before[1] / RATE_HZ == pytest.approx(1.03, abs=0.02)
    assert at.rest_after[0] / RATE_HZ == pytest.approx(3.47, abs=0.02)


def test_a_hold_that_sags_a_little_lasts_until_the_return() -> None:
    """Sags from 10 to 9.2 in 1 s, then falls 9.2 in 1 s: it is at 9 after 0.2 / 9.2 s, at 1 after 8.2 / 9.2 s."""
    _, times_s = in_seconds(ramps((0, 0), (1, 0), (2, 10), (3, 9.2), (4, 0), (5.5, 0)))
    assert_allclose(times_s, [1.1, 1.9, 3 + 0.2 / 9.2, 3 + 8.2 / 9.2], atol=0.003)


def test_a_hold_that_sags_far_ends_where_a_tenth_is_lost() -> None:
    _, times_s = in_seconds(ramps((0, 0), (1, 0), (2, 10), (4, 8), (5, 0), (6.5, 0)))
    assert_allclose(times_s, [1.1, 1.9, 3.0, 4 + 7 / 8], atol=0.005)


def test_with_a_bounce_at_the_top_the_rep_closes_after_the_last_high() -> None:
    _, times_s = in_seconds(ramps((0, 0), (1, 0), (2, 10), (2.3, 7), (2.6, 9.5), (3.6, 0), (5, 0)))
    assert_allclose(times_s, [1.1, 1.9, 2.6 + 0.5 / 9.5, 2.6 + 8.5 / 9.5], atol=0.003)


def test_a_stop_on_the_way_out_does_not_start_the_rep_again() -> None:
    _, times_s = in_seconds(ramps((0, 0), (1, 0), (1.5, 6), (2.5, 6), (3, 10), (4, 0), (5.5, 0)))
    assert_allclose(times_s, [1 + 0.5 / 6, 2.5 + 0.5 * 3 / 4, 3.1, 3.9], atol=0.005)


def test_rest_that_drifts_for_long_does_not_count_beyond_half_a_second() -> None:
    """The way back comes to 1 and then creeps to 0 within 10 s: the rest after it is near 1."""
    signal = ramps((0, 0), (1, 0), (2, 10), (3, 1), (13, 0))
    at, _ = in_seconds(signal)
    assert signal[slice(*at.rest_after)].mean() == pytest.approx(1.0, abs=0.06)
    assert (at.rest_after[1] - at.rest_after[0]) / RATE_HZ == pytest.approx(0.5, abs=0.02)


@QUICK
@given(st.lists(st.floats(-1.0, 1.0, width=16), min_size=1, max_size=60))
def test_the_boundaries_of_any_excursion_are_in_order_and_within_it(values: list[float]) -> None:
    signal = np.array([0.0, *values, 0.0])
    high = int(np.argmax(signal))
    assume(signal[high] >= 0.1)
    at = boundaries(signal, high, RATE_HZ)
    assert 0 <= at.start <= at.open <= high <= at.close <= at.end <= len(signal) - 1
    assert 0 <= at.rest_before[0] < at.rest_before[1] <= high + 1
    assert high <= at.rest_after[0] < at.rest_after[1] <= len(signal)


def test_rest_is_found_where_the_movement_ends_and_not_in_a_stop_near_the_top() -> None:
    outward = ramps((0, 10), (0.5, 8), (1.5, 8), (2.0, 0), (4.0, 0))
    ((start, stop),) = rest_stretches(outward[None, :], np.array([len(outward) - 1]), RATE_HZ).tolist()
    assert start / RATE_HZ == pytest.approx(2.0, abs=0.03)
    assert stop - start == round(0.5 * RATE_HZ) + 1


def test_courses_run_either_way_and_repeat_their_last_value() -> None:
    signal = np.arange(10.0)
    assert courses(signal, np.array([4, 4, 7]), np.array([1, 8, 7])).tolist() == [
        [4.0, 3.0, 2.0, 1.0, 1.0],
        [4.0, 5.0, 6.0, 7.0, 8.0],
        [7.0, 7.0, 7.0, 7.0, 7.0],
    ]


def test_the_rest_of_one_movement_does_not_depend_on_the_others() -> None:
    signal = ramps((0, 10), (0.5, 8), (1.5, 8), (2.0, 0), (4.0, 0), (5.0, 9), (6.0, 1), (7.0, 1))
    starts, stops = np.array([0, 500, 500]), np.array([400, 400, 700])
    together = rest_stretches(courses(signal, starts, stops), np.abs(stops - starts), RATE_HZ)
    for one, start, stop in zip(together, starts, stops, strict=True):
        alone = courses(signal, np.array([start]), np.array([stop]))
        assert one.tolist() == rest_stretches(alone, np.array([abs(stop - start)]), RATE_HZ)[0].tolist()


def test_legs_that_come_from_far_below_their_rest_start_at_the_rest() -> None:
    """From -8 up to 10 without a stop and back to a rest at 0: what is below that rest was a change of position."""
    signal = ramps((0, -8), (1.8, 10), (2.8, 0), (4, 0))
    low, high, end = trimmed(signal, 0, 180, 400, confirmed=True)
    assert (high, end) == (180, 400)
    assert 0.5 < low / RATE_HZ <= 0.8


def test_legs_that_go_on_far_below_their_rest_end_at_the_rest() -> None:
    signal = ramps((0, 0), (1, 0), (2, 10), (4, -10), (5, -10))
    for confirmed in (True, False):
        low, high, end = trimmed(signal, 50, 200, 400, confirmed=confirmed)
        assert (low, high) == (50, 200)
        assert 3.0 <= end / RATE_HZ < 3.3


def test_an_ordinary_excursion_is_not_trimmed() -> None:
    signal = ramps((0, 0), (1, 0), (2, 10), (3, 0.5), (4, 0.5))
    assert trimmed(signal, 50, 200, 350, confirmed=True) == (50, 200, 350)
