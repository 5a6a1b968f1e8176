"""Which movements in a row are a set."""

import numpy as np
import pytest

from sensorrep.kinematics.reps import Found
from sensorrep.kinematics.sets import last_set
from sensorrep.kinematics.spans import Span


def span(leaves: int, length: int = 300, legs_deg: tuple[float, float] = (12.0, 12.0), together: float = 0.95) -> Span:
    """An excursion that passed every rule."""
    legs_rad = tuple(np.radians(legs_deg).tolist())
    back = leaves + length
    return Span(leaves - 10, leaves, leaves + length // 2, back, back + 10, sum(legs_rad), legs_rad, 0.0, together, ())


def found(spans: list[Span]) -> Found:
    direction = np.array([0.7071, 0.0, 0.0, 0.7071, 0.0, 0.0])
    axes, q_rest = np.array([[1.0, 0.0, 0.0]] * 2), np.array([[1.0, 0.0, 0.0, 0.0]] * 2)
    return Found(direction, axes, q_rest, np.radians(24.0), tuple(spans), 0.0, 0.0, 0, 1.0)


@pytest.mark.parametrize("odd", [span(1440, 30, (0.2, 6.0), -0.4), span(1440, 280, (0.2, 6.0), -0.4)])
def test_between_reps_only_what_is_unlike_them_in_all_ways_is_left_out(odd: Span) -> None:
    """A jerk of one foot at the band is; half a rep of one leg, as long as the others, is a rep that went wrong."""
    reps = [span(400 * number) for number in range(3)], [span(2000 + 400 * number) for number in range(3)]
    kept = last_set(found([*reps[0], odd, *reps[1]]), None)
    assert (odd in kept) == (odd.length > 100)
    assert [one for one in kept if one != odd] == [*reps[0], *reps[1]]


def test_what_is_unlike_the_reps_in_two_ways_at_their_ends_is_left_out() -> None:
    reps = [span(800 + 400 * number) for number in range(5)]
    before, after = span(300, 280, (0.2, 12.0)), span(2900, 100, (0.2, 6.0))
    assert last_set(found([before, *reps, after]), None) == reps
