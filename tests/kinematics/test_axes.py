"""About which axes legs turn, and what tells two earth frames' headings apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sensorrep import quaternion
from sensorrep.kinematics import axes
from sensorrep.model import FloatArray
from tests.motion import LEVEL, STRAPS, course, poses, reps

QUICK = settings(deadline=None, derandomize=True, max_examples=30)
ALIGNMENT = 0.8


def line(seed: int) -> FloatArray:
    out = np.random.default_rng(seed).normal(size=6)
    return np.asarray(out / np.linalg.norm(out))


@QUICK
@given(st.integers(0, 10**6))
def test_strokes_to_and_fro_lie_along_one_line_whatever_stray_ones_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = line(seed)
    ways = np.array([1.0, -1.0] * 4) * rng.uniform(0.2, 0.3, size=8)
    strokes = np.concatenate([ways[:, None] * true + 0.01 * rng.normal(size=(8, 6)), 0.3 * rng.normal(size=(3, 6))])
    found = axes.consensus(strokes, 0.05, ALIGNMENT, np.zeros(len(strokes)))
    assert found is not None
    assert abs(found.direction @ true) > 0.95
    assert found.support[:8].all()


def test_one_large_knee_bend_does_not_outvote_a_set() -> None:
    set_of_reps = np.outer([0.2, -0.2] * 4, line(1))
    strokes = np.concatenate([set_of_reps, 1.4 * line(2)[None, :]])
    found = axes.consensus(strokes, 0.05, ALIGNMENT, np.zeros(len(strokes)))
    assert found is not None
    assert abs(found.direction @ line(1)) > 0.999


def test_without_a_stroke_of_some_size_there_is_no_line() -> None:
    assert axes.consensus(np.zeros((0, 6)), 0.05, ALIGNMENT, np.zeros(0)) is None
    assert axes.consensus(0.01 * np.ones((3, 6)), 0.05, ALIGNMENT, np.zeros(3)) is None


def test_what_came_long_before_a_set_matters_less_than_the_set() -> None:
    before, now = (np.outer([0.2, -0.2] * pairs, line(seed)) for pairs, seed in ((4, 1), (3, 2)))
    strokes = np.concatenate([before, now])
    for age_s, expected in ((0.0, line(1)), (60.0, line(2))):
        found = axes.consensus(strokes, 0.05, ALIGNMENT, np.repeat([age_s, 0.0], [8, 6]))
        assert found is not None
        assert abs(found.direction @ expected) > 0.999


def test_a_line_to_keep_is_not_outvoted_but_needs_strokes_of_its_own() -> None:
    kept, other = line(1), line(2)
    strokes = np.concatenate([np.outer([0.2, -0.2], kept), np.outer([0.2, -0.2] * 6, other)])
    for keep, expected in ((False, other), (True, kept)):
        found = axes.consensus(strokes, 0.05, ALIGNMENT, np.zeros(len(strokes)), kept, keep=keep)
        assert found is not None
        assert abs(found.direction @ expected) > 0.999
    assert axes.consensus(strokes[2:], 0.05, ALIGNMENT, np.zeros(12), kept, keep=True) is None


def test_strokes_are_what_both_shanks_turned_in_the_sensors_frames() -> None:
    """10 and 20 degrees about level axes: from rest to open and back."""
    opening = np.stack([[0.0, 10.0, 0.0], [0.0, 20.0, 0.0]], axis=1)
    q = poses(opening)["q_earth_sensor"]
    strokes = axes.strokes_between(q, np.array([0, 1, 2]))
    expected = np.radians([[10.0], [20.0]]) * quaternion.rotate(quaternion.conjugate(STRAPS), LEVEL)
    assert_allclose(strokes, [expected.ravel(), -expected.ravel()], atol=1e-12)


def test_the_axes_of_a_line_are_unit_vectors_and_a_still_leg_has_none() -> None:
    unit, share = axes.leg_axes(np.array([0.6, 0.0, 0.0, 0.0, 0.8, 0.0]))
    assert_allclose(unit, [[1, 0, 0], [0, 1, 0]])
    assert_allclose(share, [0.6, 0.8])
    unit, share = axes.leg_axes(np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0]))
    assert_allclose(unit, [[0, 0, 1], [0, 0, 0]])


def test_openings_about_known_axes_are_the_openings() -> None:
    opening = np.stack([12.0 * reps(course(8.0), [2.0]), 7.0 * reps(course(8.0), [2.5])], axis=1)
    q = poses(opening)["q_earth_sensor"]
    found = axes.opening(q, q[0], quaternion.rotate(quaternion.conjugate(STRAPS), LEVEL))
    assert_allclose(np.degrees(found), opening, atol=1e-9)


@QUICK
@given(st.floats(-3.0, 3.0), st.integers(0, 10**6), st.floats(0.7, 2.0))
def test_two_shanks_that_turn_alike_show_the_offset_of_their_headings(offset: float, seed: int, bend: float) -> None:
    rng = np.random.default_rng(seed)
    before = quaternion.from_rotation_vector(rng.normal(size=(2, 3)))
    way = rng.uniform(-np.pi, np.pi)
    turn = quaternion.from_rotation_vector(bend * np.array([np.cos(way), np.sin(way), 0.2]))
    after = quaternion.multiply(turn, before)
    own = quaternion.from_rotation_vector(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, offset]]))
    found = axes.heading_offset(quaternion.multiply(own, before), quaternion.multiply(own, after))
    assert found is not None
    assert np.cos(found - offset) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    "turns",
    [
        [[0.2, 0.0, 0.0], [0.2, 0.0, 0.0]],
        [[0.0, 0.0, 1.4], [0.0, 0.0, 1.4]],
        [[1.4, 0.0, 0.0], [0.7, 0.0, 0.0]],
        [[3.0, 0.0, 0.0], [3.0, 0.0, 0.0]],
    ],
    ids=["too small", "about the vertical", "unlike", "half a turn"],
)
def test_turns_that_show_no_heading_show_none(turns: list[list[float]]) -> None:
    before = np.tile([1.0, 0.0, 0.0, 0.0], (2, 1))
    assert axes.heading_offset(before, quaternion.from_rotation_vector(np.array(turns))) is None


@QUICK
@given(st.floats(0.0, 90.0), st.floats(-180.0, 180.0), st.floats(-180.0, 180.0))
def test_sloping_thighs_show_which_way_the_heels_go_apart_in_any_heading(
    slope_deg: float, left_deg: float, right_deg: float
) -> None:
    slope, headings = np.radians(slope_deg), np.radians([left_deg, right_deg])
    knees = np.stack(
        [np.cos(slope) * np.cos(headings), np.cos(slope) * np.sin(headings), np.full(2, np.sin(slope))], axis=1
    )
    inward = knees * [[1.0], [-1.0]]  # of a person on the back: heels go apart when each thigh turns inward
    shows = slope_deg > 28.1
    if shows or slope_deg < 27.9:
        assert axes.opens(inward) == (1.0 if shows else 0.0)
        assert axes.opens(-inward) == (-1.0 if shows else 0.0)
    assert axes.opens(knees) == 0.0  # both legs fall to one side
