"""Which end of the strokes is rest: where the legs stay, and which end is steadier; else nothing is said."""

import numpy as np
import pytest

from sensorrep import quaternion
from sensorrep.kinematics.excursions import turning_points
from sensorrep.kinematics.rest import rest_is_low
from sensorrep.model import FloatArray
from tests.motion import rise

RATE_HZ = 25.0
DIRECTION = np.array([0.6, 0.0, 0.0, 0.0, 0.8, 0.0])
STRAY = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0])


def evidence(course: FloatArray, stray: FloatArray | None = None, unseen_s: float = 0.0) -> float:
    """What is said of a course (n) in radians along the exercise's direction, and perhaps of another beside it.

    At its end no foot is seen for so long.
    """
    turns, _ = turning_points(course, 0.05) if course.any() else ([0, len(course) - 1], True)
    turned = course[:, None] * DIRECTION + (0.0 if stray is None else stray[:, None] * STRAY)
    q = quaternion.from_rotation_vector(turned.reshape(-1, 2, 3))
    seen = np.arange(len(course)) < len(course) - unseen_s * RATE_HZ
    return rest_is_low(course, np.array(turns), q, DIRECTION, 0.3, RATE_HZ, seen)


def strokes(edges_s: list[float], seconds: float, sizes: list[float] | None = None) -> FloatArray:
    """Up at the first edge, down at the next, and so on, each in 0.8 s."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    sizes = sizes or [0.3] * len(edges_s)
    out = np.zeros(len(time_s))
    for number, (edge_s, size) in enumerate(zip(edges_s, sizes, strict=True)):
        out += (size if number % 2 == 0 else -size) * rise(time_s, edge_s, 0.8)
    return out


def test_rest_is_where_the_legs_stayed_before_and_after() -> None:
    course = strokes([5.0 + 1.5 * number for number in range(10)], 25.0)
    assert evidence(course) > 2.0
    assert evidence(-course) < -2.0


def test_a_set_that_is_cut_at_both_ends_says_nothing() -> None:
    course = strokes([0.1 + 1.5 * number for number in range(9)], 13.0)
    assert abs(evidence(course)) < 0.5


def test_where_the_legs_were_last_seen_is_no_rest() -> None:
    """Both sensors lost at the top of a rep: the pose is held for as long as they are away."""
    course = strokes([5.0 + 1.5 * number for number in range(9)], 30.0)
    assert evidence(course) < 1.0
    assert evidence(course, unseen_s=11.5) > 1.5


@pytest.mark.parametrize("hold_s", [1.5, 4.0, 8.0])
def test_holds_however_long_are_no_rest(hold_s: float) -> None:
    edges = [
        time_s
        for number in range(6)
        for time_s in (10.0 + number * (hold_s + 3.0), 12.0 + number * (hold_s + 3.0) + hold_s)
    ]
    assert evidence(strokes(edges, edges[-1] + 10.0)) > 1.0


def test_the_end_that_varies_is_not_rest() -> None:
    sizes = [0.3, 0.3, 0.25, 0.25, 0.33, 0.33, 0.28, 0.28, 0.32, 0.32, 0.26, 0.26]
    course = strokes([0.5 + 1.5 * number for number in range(12)], 18.5, sizes)
    assert evidence(course) > 0.5
    assert evidence(-course) < -0.5


@pytest.mark.parametrize("drift_rad_s", [-0.03, 0.03])
def test_drift_that_both_ends_share_hides_no_end_that_varies(drift_rad_s: float) -> None:
    """A gyroscope whose bias is not known yet: by half a rep in five seconds."""
    sizes = [0.3, 0.3, 0.25, 0.25, 0.33, 0.33, 0.28, 0.28, 0.32, 0.32, 0.26, 0.26]
    course = strokes([0.5 + 1.5 * number for number in range(12)], 18.5, sizes)
    course += drift_rad_s * np.arange(len(course)) / RATE_HZ
    assert evidence(course) > 0.5
    assert evidence(-course) < -0.5


def test_other_movement_to_and_fro_is_none_of_its_strokes() -> None:
    """About another axis, and with long stays at the high end: these are not the exercise's."""
    course = strokes([6.0 * number + 1.0 for number in range(6)], 36.0)
    stray = 2.0 * course
    assert evidence(course, stray) == 0.0


def test_nothing_is_said_without_strokes() -> None:
    assert evidence(np.zeros(100)) == 0.0
