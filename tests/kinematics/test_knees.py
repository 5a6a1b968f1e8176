"""Knees that bend are told from hips that turn by what turned the shanks far before, whatever way they are strapped."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sensorrep import quaternion
from sensorrep.kinematics.knees import NO_TURNS, about_hinges, with_stroke
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
