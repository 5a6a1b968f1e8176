"""Scoring of real recordings, by hand."""

import numpy as np
import pytest

from benchmark.real import Count, best_setting, count, tilt_deg, vertical
from benchmark.scoring import Mark

BLOCKS = [{"start_s": 10, "end_s": 20, "n_reps": 3}, {"start_s": 40, "end_s": 50, "n_reps": 2}]


def test_reps_are_counted_block_by_block_and_elsewhere() -> None:
    middles_s = [1.0, 8.5, 15.0, 21.5, 30.0, 41.0, 45.0, 49.0]
    got = count([Mark(at_s - 1, at_s + 1) for at_s in middles_s], BLOCKS)
    assert got == Count(((3, 3), (3, 2)), elsewhere=2)
    assert (got.missed, got.extra) == (0, 3)


def test_extra_reps_in_one_block_do_not_make_up_for_missed_ones_in_another() -> None:
    got = Count(((2, 3), (3, 2)), elsewhere=0)
    assert (got.missed, got.extra) == (1, 1)


def test_the_best_setting_has_the_fewest_errors_over_all_recordings() -> None:
    right, wrong, worse = (Count(((found, 3),), 0) for found in (3, 2, 7))
    assert best_setting([[wrong, right, worse], [worse, wrong, right]]) == 1


def test_tilt_is_the_angle_between_verticals_and_blind_to_heading() -> None:
    half = np.radians(30) / 2
    level = np.array([[1.0, 0, 0, 0]] * 2)
    turned = np.array([[np.cos(half), np.sin(half), 0, 0], [np.cos(half), 0, 0, np.sin(half)]])
    assert tilt_deg(turned, level) == pytest.approx([30.0, 0.0], abs=1e-6)


def test_the_vertical_of_a_sensor_lying_on_its_side_is_its_own_side() -> None:
    """Turned by 90 degrees about x, earth's z is the sensor's y."""
    half = np.radians(90) / 2
    assert vertical(np.array([[np.cos(half), np.sin(half), 0, 0]])) == pytest.approx(np.array([[0, 1, 0]]))
