"""Posture from reps made by hand: the slope of the thighs, and whether the sensor is above or below the knee."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.model import FloatArray, Foot
from sensorrep.stages.segment import SetFound
from tests.motion import LEVEL, STRAPS, course, findings, poses, reps

QUICK = settings(deadline=None, derandomize=True, max_examples=10)
OPENING = np.stack([12.0 * reps(course(24.0), [3.0 + 3.2 * number for number in range(6)])] * 2, axis=1)


def slanted(slope_deg: float) -> FloatArray:
    """Thighs that rise by this slope, each leg turning the other way about its own."""
    slope = np.radians(slope_deg)
    axis = np.array([np.cos(slope), 0.0, np.sin(slope)])
    return np.array([axis, -axis])


def found(axes: FloatArray, arm_m: list[float], straps: FloatArray = STRAPS) -> str | None:
    (one,) = [one for one in findings(poses(OPENING, axes, straps, np.array(arm_m))) if isinstance(one, SetFound)]
    return one.posture


@pytest.mark.parametrize(
    ("slope_deg", "arm_m", "posture"),
    [
        (0.0, [0.0, 0.0, 0.33], "prone"),
        (-8.0, [0.0, 0.0, 0.3], "prone"),
        (0.0, [0.0, 0.0, -0.33], "seated"),
        (50.0, [0.2, 0.0, -0.25], "hook-lying"),
        (85.0, [0.33, 0.0, 0.0], "table-top"),
    ],
)
def test_posture_follows_from_the_thighs_slope_and_the_side_of_the_knee(
    slope_deg: float, arm_m: list[float], posture: str
) -> None:
    assert found(slanted(slope_deg), arm_m) == posture


@QUICK
@given(st.integers(0, 10**6))
def test_how_sensors_are_strapped_on_changes_no_posture(seed: int) -> None:
    straps = np.random.default_rng(seed).normal(size=(2, 4))
    straps /= np.linalg.norm(straps, axis=1, keepdims=True)
    assert found(LEVEL, [0.0, 0.1, 0.3], straps) == "prone"
    assert found(LEVEL, [0.0, 0.1, -0.3], straps) == "seated"


def test_one_leg_has_no_posture() -> None:
    (one,) = [one for one in findings(poses(OPENING), "one-leg", Foot.LEFT) if isinstance(one, SetFound)]
    assert one.posture is None
