"""The methods for comparison do what their names say: they must not lose because they were built badly."""

import numpy as np
import pytest

from benchmark.comparators import Gyro, lesson, peaks, period_s, smooth, taught_dtw
from sensorrep.model import FloatArray

PERIOD_S = 4.0
REPS = 6
FIRST_S = 10.0


def session() -> tuple[FloatArray, FloatArray]:
    """Six openings of 4 s each, 10 s after the start, on three channels at 100 Hz, with a little noise."""
    time_s = np.arange(0.0, 50.0, 0.01)
    phase = (time_s - FIRST_S) / PERIOD_S
    exercising = (phase >= 0) & (phase < REPS)
    rate = np.where(exercising, np.sin(2 * np.pi * phase), 0.0)
    noise = np.random.default_rng(1).normal(scale=0.02, size=(len(time_s), 3))
    return time_s, rate[:, None] * [0.8, 0.5, -0.3] + noise


def gyro() -> Gyro:
    return smooth(*session(), rate_hz=100.0)


REP_S = (FIRST_S, FIRST_S + PERIOD_S)
SPAN_S = (FIRST_S - 5, FIRST_S + REPS * PERIOD_S + 5)
STARTS_S = FIRST_S + PERIOD_S * np.arange(REPS)


def test_dtw_finds_every_repetition_of_its_lesson() -> None:
    reps = taught_dtw(gyro(), lesson(gyro(), REP_S))[3]
    assert [one.start_s for one in reps] == pytest.approx(STARTS_S, abs=0.4)
    assert [one.end_s for one in reps] == pytest.approx(STARTS_S + PERIOD_S, abs=0.4)


def test_peaks_find_every_repetition() -> None:
    reps = peaks(gyro(), REP_S, SPAN_S)[3]
    assert [(one.start_s + one.end_s) / 2 for one in reps] == pytest.approx(STARTS_S + PERIOD_S / 2, abs=0.3)


def test_peaks_do_not_depend_on_the_sign_of_the_main_turning() -> None:
    turned = gyro()._replace(rate_rad_s=-gyro().rate_rad_s)
    assert len(peaks(turned, REP_S, SPAN_S)[3]) == REPS


def test_the_period_is_that_of_the_movement() -> None:
    angle = np.sin(2 * np.pi * gyro().time_s / PERIOD_S)
    assert period_s(angle) == pytest.approx(PERIOD_S, abs=0.05)


def test_smoothing_keeps_slow_turning_and_takes_out_fast_noise() -> None:
    time_s, rates = session()
    fast = rates + 0.5 * np.sin(2 * np.pi * 20 * time_s)[:, None]
    left_over = smooth(time_s, fast, 100.0).rate_rad_s - smooth(time_s, rates, 100.0).rate_rad_s
    assert np.abs(left_over[50:-50]).max() < 0.02
