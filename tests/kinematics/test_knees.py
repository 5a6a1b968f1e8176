"""Knees that bend are told from hips that turn by what turned the shanks far before, whatever way they are strapped."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sensorrep import quaternion
from sensorrep.kinematics import gait, worn
from sensorrep.kinematics.knees import NO_TURNS, about_hinges, in_hands, with_stroke
from sensorrep.kinematics.worn import ASKEW
from sensorrep.model import FloatArray
from sensorrep.pipeline import Pipeline
from sensorrep.sources.synthetic import KneeBends, Scenario, Walk, simulate

HINGE, THIGH, SHANK = np.eye(3)
STRAPS = np.array([[0.8, 0.2, -0.4, 0.4], [0.1, 0.7, 0.7, -0.1]])


def seen(straps: FloatArray, *turns: tuple[FloatArray, float]) -> FloatArray:
    """What some turns of both shanks add up to."""
    out = NO_TURNS
    for axis, degrees in turns:
        out = with_stroke(out, np.radians(degrees) * axes(axis, straps))
    return out


def axes(axis: FloatArray, straps: FloatArray) -> FloatArray:
    """(2, 3) an axis of the shank as both sensors see it."""
    return quaternion.rotate(quaternion.conjugate(straps), np.stack([axis, axis]))


STRIDES = ((HINGE, 60.0), (HINGE, -60.0), (HINGE, 70.0))
HANDLED = ((HINGE, 80.0), (THIGH, 90.0), (SHANK, 70.0), (THIGH + HINGE, -60.0), (SHANK - HINGE, 60.0))


def test_by_hand() -> None:
    turns = seen(STRAPS, *STRIDES)
    assert_allclose(about_hinges(turns, axes(HINGE, STRAPS)), 1.0)
    assert_allclose(about_hinges(turns, axes(THIGH, STRAPS)), 0.0, atol=1e-12)
    assert_allclose(about_hinges(turns, axes(SHANK, STRAPS)), 0.0, atol=1e-12)


def test_rolling_over_meanwhile_leaves_the_thigh_square_to_it_all() -> None:
    turns = seen(STRAPS, *STRIDES, (SHANK, 150.0))
    assert (about_hinges(turns, axes(HINGE, STRAPS)) > ASKEW).all()
    assert_allclose(about_hinges(turns, axes(THIGH, STRAPS)), 0.0, atol=1e-12)


def test_nothing_is_said_before_anything_turned_far() -> None:
    assert not about_hinges(NO_TURNS, axes(HINGE, STRAPS)).any()
    assert not about_hinges(seen(STRAPS, *[(HINGE, 40.0)] * 20), axes(HINGE, STRAPS)).any()


def test_a_sensor_that_was_turned_every_way_in_hands_says_nothing_of_a_hinge_until_its_leg_has_walked() -> None:
    handled = seen(STRAPS, *HANDLED)
    for axis in (HINGE, THIGH, SHANK):
        assert not about_hinges(handled, axes(axis, STRAPS)).any()
    walked = seen(STRAPS, *HANDLED, *STRIDES * 6)
    assert (about_hinges(walked, axes(HINGE, STRAPS)) > 0.8).all()
    assert (about_hinges(walked, axes(THIGH, STRAPS)) < ASKEW).all()


def test_what_was_seen_of_legs_is_forgotten_when_their_sensors_are_taken_in_hands() -> None:
    legs = gait.Legs(axes(SHANK, STRAPS), axes(THIGH, STRAPS), 20)
    pose = np.tile([1.0, 0.0, 0.0, 0.0], (2, 1))
    seen_before = worn.NOTHING_SEEN._replace(gait=gait.NOT_SEEN._replace(legs=legs), poses=((0, pose),), swapped=True)
    for axis, degrees in STRIDES:
        seen_before = worn.with_stroke(seen_before, np.radians(degrees) * axes(axis, STRAPS))
    assert seen_before.gait.legs is legs
    after = seen_before
    for axis, degrees in HANDLED * 2:
        after = worn.with_stroke(after, np.radians(degrees) * axes(axis, STRAPS))
    assert in_hands(after.turns)
    assert (after.gait.legs, after.poses, after.swapped) == (None, (), None)


@given(st.integers(0, 2**32 - 1))
def test_the_strap_does_not_matter(seed: int) -> None:
    straps = np.random.default_rng(seed).normal(size=(2, 4))
    straps /= np.sqrt((straps**2).sum(axis=1, keepdims=True))
    turns = seen(straps, *STRIDES)
    assert_allclose(about_hinges(turns, axes(HINGE, straps)), 1.0)
    assert_allclose(about_hinges(turns, axes(THIGH, straps)), 0.0, atol=1e-12)


@pytest.mark.parametrize("posture", ["prone", "seated"])
def test_knee_bends_of_who_walked_before_are_no_reps(posture: str) -> None:
    """Prone and seated, gravity sees the same in both: without the walk they are counted."""
    session = simulate(Scenario(posture, (Walk(), KneeBends(8, 25.0), KneeBends(8, 15.0))), 3)  # type: ignore[arg-type]
    pipeline = Pipeline(session.header.feet)
    pipeline.push(session.packets)
    assert pipeline.finish()[-1].summary.sets == ()  # type: ignore[union-attr]
