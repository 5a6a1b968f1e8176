from dataclasses import replace

import pytest

from sensorrep.model import Foot
from sensorrep.views.comparison import Change, against_first
from tests.views.sessions import moves, session, typical


def test_sets_are_compared_over_the_feet_that_both_have() -> None:
    """A set that lost its right foot moved no less with its left."""
    both = session([moves(6, 1)]).summary.sets[0]
    left = session([moves(6, 1)], missing=Foot.RIGHT).summary.sets[0]
    change = against_first(left, both)
    assert change.range == pytest.approx(0)
    assert change.speed == pytest.approx(0)


def test_a_set_half_as_wide_says_so() -> None:
    sets = session([moves(6, 1), moves(6, 1, left_deg=6.5, right_deg=6.7)]).summary.sets
    assert against_first(sets[1], sets[0]).range == pytest.approx(-50)


def test_one_odd_rep_does_not_move_the_speed_of_a_set() -> None:
    first = session([moves(8, 1)]).summary.sets[0]
    odd = replace(first.reps[0], peak_speed_rad_s=(9.0, 9.0))
    changed = against_first(replace(first, reps=(odd, *first.reps[1:])), first)
    assert changed.speed == pytest.approx(0, abs=3)


def test_another_posture_is_no_comparison() -> None:
    first, second, _ = typical().summary.sets
    assert against_first(replace(second, posture="seated"), first) == Change(None, None, None)


def test_sets_that_share_no_foot_have_no_range_to_compare() -> None:
    left = session([moves(6, 1)], missing=Foot.RIGHT).summary.sets[0]
    right = session([moves(6, 1)], missing=Foot.LEFT).summary.sets[0]
    change = against_first(right, left)
    assert (change.range, change.speed) == (None, None)
