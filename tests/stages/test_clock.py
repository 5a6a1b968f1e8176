"""Sensor clock -> host clock from arrival times: the line under the points, and how true it is."""

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.model import FloatArray, IntArray
from sensorrep.stages.clock import COUNT_HOLD_NS, HOLD_NS, SLEW, Clock, extend, support

EXAMPLES = settings(deadline=None, derandomize=True, max_examples=100)


def link(
    rng: np.random.Generator,
    rate_hz: float = 104.0,
    seconds: float = 60.0,
    error: float = 0.0,
    samples: int = 4,
    stalls: float = 1 / 3000,
    interval_s: float = 0.04875,
) -> tuple[FloatArray, IntArray, IntArray]:
    """True time (s), sensor time and arrival (ns) of samples over a radio that sends each `interval_s`, and stalls.

    One connection event in three thousand is followed by 1.5 s of silence and then by all that waited: 1 % of the time.
    """
    count = int(seconds * rate_hz) // samples * samples
    true_s = rng.uniform(0, 0.1) + np.arange(count) / rate_hz
    step_s = np.where(rng.random(int(seconds / interval_s) + 100) < stalls, 1.5, interval_s)
    events_s = rng.uniform(0, interval_s) + np.cumsum(step_s)
    ready_s = true_s[samples - 1 :: samples]
    arrival_s = events_s[np.searchsorted(events_s, ready_s)] + rng.exponential(0.0005, len(ready_s))
    received_ns = np.rint(np.repeat(np.maximum.accumulate(arrival_s), samples) * 1e9).astype(np.int64)
    device_ns = np.rint((true_s - true_s[0]) * (1 + error) * 1e9).astype(np.int64)
    return true_s, device_ns, 7_000_000_000 + received_ns


def mapped_ns(
    device_ns: IntArray, received_ns: IntArray, counted: bool = False, cuts: Sequence[int] = ()
) -> tuple[Clock, IntArray]:
    """A clock that has had what it waits for, then the rest, cut into blocks."""
    clock = Clock(int(device_ns[0]), int(received_ns[0]), counted)
    held = int(np.searchsorted(device_ns, device_ns[0] + (COUNT_HOLD_NS if counted else HOLD_NS)))
    bounds = [0, held, *sorted(cut for cut in cuts if cut > held), len(device_ns)]
    parts = [clock.push(device_ns[a:b], received_ns[a:b]) for a, b in pairwise(bounds) if b > a]
    return clock, np.concatenate(parts)


def mapped_s(device_ns: IntArray, received_ns: IntArray, counted: bool = False) -> FloatArray:
    return np.asarray((mapped_ns(device_ns, received_ns, counted)[1] - 7_000_000_000) * 1e-9, np.float64)


def test_equal_delays_give_arrival_times() -> None:
    device_ns = np.arange(400) * 10_000_000
    assert mapped_s(device_ns, 7_000_000_000 + device_ns + 5_000_000) == pytest.approx(device_ns * 1e-9 + 0.005)


def test_the_line_lies_under_three_points_that_can_be_drawn() -> None:
    hull: list[tuple[float, float]] = []
    for point in [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]:
        extend(hull, point)
    assert hull == [(0.0, 1.0), (2.0, 2.0)]
    assert support(hull, 3, 0.0, 1.0) == (1.0, 0.5)
    assert support(hull, 3, 0.0, 0.1) == (1.0, 0.1)  # slope held to its limit
    assert support(hull, 3, 10.0, 1.0) == (1.0, 0.0)  # too little evidence for a slope


@EXAMPLES
@given(st.lists(st.tuples(st.floats(0.1, 2), st.floats(0, 1)), min_size=2, max_size=12))
def test_no_line_through_two_points_and_under_all_is_nearer(steps: list[tuple[float, float]]) -> None:
    xs, ys = np.cumsum([x for x, _ in steps]), np.array([y for _, y in steps])
    hull: list[tuple[float, float]] = []
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        extend(hull, (x, y))
    middle = (xs[0] + xs[-1]) / 2

    def height(intercept: float, slope: float) -> float:
        """At the middle: with even points the sum of all heights is least where this is highest."""
        return float(intercept + slope * middle)

    best = -np.inf
    for i, j in combinations(range(len(xs)), 2):
        slope = (ys[j] - ys[i]) / (xs[j] - xs[i])
        intercept = ys[i] - slope * xs[i]
        if (ys >= intercept + slope * xs - 1e-9).all():
            best = max(best, height(intercept, slope))
    intercept, slope = support(hull, len(xs), 0.0, np.inf)
    assert (ys >= intercept + slope * xs - 1e-9).all()
    assert height(intercept, slope) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("rate_hz", "samples"), [(104.0, 4), (52.0, 2), (100.0, 1), (200.0, 4)])
def test_two_sensors_with_clocks_agree_within_5_ms_from_the_first_second_on(
    seed: int, rate_hz: float, samples: int
) -> None:
    rng = np.random.default_rng(seed)
    errors_s = []
    for error in (1e-4, -1e-4):
        true_s, device_ns, received_ns = link(rng, rate_hz * (1 - 30 * error), 60.0, error, samples)
        errors_s.append(np.interp(np.arange(1.0, 58.0, 0.1), true_s, mapped_s(device_ns, received_ns) - true_s))
    assert np.abs(errors_s[0] - errors_s[1]).max() < 0.005


@pytest.mark.parametrize("rate_hz", [20.0, 40.0, 60.0, 80.0, 100.0])
@pytest.mark.parametrize("counted", [False, True])
def test_packet_rates_that_beat_fast_with_the_connection_interval_agree_within_5_ms(
    rate_hz: float, counted: bool
) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        errors_s = []
        for error in (1e-4, -1e-4):
            true_s, device_ns, received_ns = link(rng, rate_hz * (1 + error), 120.0, error, 1, interval_s=0.048)
            mapped = mapped_s(device_ns, received_ns, counted)
            errors_s.append(np.interp(np.arange(1.0, 117.0, 0.1), true_s, mapped - true_s))
        assert np.abs(errors_s[0] - errors_s[1]).max() < 0.005


def counted_skews_s(seed: int, errors: tuple[float, float]) -> FloatArray:
    """Left against right each 0.1 s from the first sample on, of sensors whose rates are off by so much."""
    rng = np.random.default_rng(seed)
    found = []
    for error in errors:
        true_s, device_ns, received_ns = link(rng, 100 * (1 + error), 60.0, error)
        found.append(np.interp(np.arange(0.2, 57.0, 0.1), true_s, mapped_s(device_ns, received_ns, True) - true_s))
    return np.asarray(np.abs(found[0] - found[1]))


def test_two_sensors_that_only_count_agree_within_5_ms_from_the_start_in_nine_sessions_of_ten() -> None:
    """Rates off by up to 1 % each way. A wait is seen to within the step from one to the next: 8.4 ms here."""
    errors = np.random.default_rng(1).uniform(-0.01, 0.01, (40, 2))
    skews_s = np.array([counted_skews_s(seed, (left, right)) for seed, (left, right) in enumerate(errors)])
    assert np.quantile(skews_s.max(axis=1), 0.5) < 0.005
    assert np.quantile(skews_s, 0.9, axis=0).max() < 0.005
    assert skews_s.max() < 0.0084


@pytest.mark.parametrize("seed", range(8))
def test_sensors_whose_rates_are_far_off_agree_within_5_ms_after_16_s(seed: int) -> None:
    assert counted_skews_s(seed, (0.03, -0.02))[160:].max() < 0.005


@EXAMPLES
@given(st.integers(0, 50), st.integers(500, 2500), st.integers(0, 20))
def test_after_a_pause_a_count_goes_on_only_if_nothing_was_lost(seed: int, pause: int, lost: int) -> None:
    """A stall of 1.5 s, after which all that waited comes at once, but for some notifications of four samples."""
    _, device_ns, received_ns = link(np.random.default_rng(seed), 99.3, seconds=40, error=-0.007, stalls=0)
    pause, received_ns = pause // 4 * 4, received_ns.copy()
    stalled = slice(pause, int(np.searchsorted(received_ns, received_ns[pause] + 1_500_000_000)))
    received_ns[stalled] = received_ns[stalled.stop]
    clock, _ = mapped_ns(device_ns[:pause], received_ns[:pause], counted=True)
    after = slice(pause + 4 * lost, pause + 4 * lost + 250)
    assert clock.goes_on(device_ns[pause : pause + 250], received_ns[after]) == (lost == 0)


@pytest.mark.parametrize("error", [2e-4, -2e-4])
def test_it_finds_the_clocks_error(error: float) -> None:
    _, device_ns, received_ns = link(np.random.default_rng(1), seconds=120, error=error)
    clock, _ = mapped_ns(device_ns, received_ns)
    assert clock.slope == pytest.approx(-error, abs=3e-5)


def test_a_stall_at_the_very_start_is_steered_out_without_a_jump() -> None:
    device_ns = np.arange(4000) * 10_000_000
    received_ns = 7_000_000_000 + np.maximum(device_ns, 1_500_000_000)
    time_s = mapped_s(device_ns, received_ns)
    assert np.diff(time_s).min() > 0.01 * (1 - SLEW) - 1e-9
    assert np.diff(time_s).max() < 0.01 * (1 + SLEW) + 1e-9
    assert time_s[-1] == pytest.approx(device_ns[-1] * 1e-9, abs=1e-3)


@EXAMPLES
@given(st.integers(0, 5), st.lists(st.integers(220, 3000), max_size=6), st.booleans())
def test_any_cutting_after_the_first_fit_gives_the_same(seed: int, cuts: list[int], counted: bool) -> None:
    _, device_ns, received_ns = link(np.random.default_rng(seed), seconds=30, error=1e-4)
    _, whole = mapped_ns(device_ns, received_ns, counted)
    _, parts = mapped_ns(device_ns, received_ns, counted, cuts)
    np.testing.assert_array_equal(parts, whole)
    assert (np.diff(whole) > 0).all()
