"""What the lever arm says against the exercise: straight legs that swing from the hip, feet that twist on the spot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.kinematics.arms import Arm, not_from_knees
from sensorrep.kinematics.reps import Found
from sensorrep.model import FloatArray, Rejected
from tests.motion import ARM_M, LEVEL, STRAPS, course, findings, poses, reps, sets

OPENING = np.stack([12.0 * reps(course(24.0), [3.0 + 3.2 * number for number in range(6)])] * 2, axis=1)
STRAIGHT = np.array([0.0, 0.8, 0.05])
"""From the hip to the ankle of a straight leg that lies."""
ANKLE = np.array([0.0, 0.02, 0.06])


def counted(left_m: FloatArray, right_m: FloatArray, straps: FloatArray = STRAPS) -> tuple[int, set[str]]:
    """Reps of sensors that turn about level axes on these arms, and why others are none."""
    found = findings(poses(OPENING, LEVEL, straps, np.stack([left_m, right_m])))
    return sum(map(len, sets(found))), {one.why for one in found if isinstance(one, Rejected)}


@settings(deadline=None, derandomize=True, max_examples=10)
@given(st.integers(0, 10**6))
def test_only_shanks_that_stand_or_hang_from_bent_knees_are_counted_however_sensors_are_strapped_on(seed: int) -> None:
    straps = np.random.default_rng(seed).normal(size=(2, 4))
    straps /= np.linalg.norm(straps, axis=1, keepdims=True)
    for knee_m in (ARM_M, ARM_M * [1.0, 1.0, -1.0]):
        assert counted(knee_m, knee_m, straps)[0] == 6
    assert counted(STRAIGHT, STRAIGHT, straps) == (0, {"legs that swung from the hip"})


@pytest.mark.parametrize(
    ("other_m", "why"),
    [
        (STRAIGHT, "legs that swung from the hip"),
        (ANKLE, "feet that twisted or stood on the spot"),
        (np.zeros(3), "feet that twisted or stood on the spot"),
    ],
    ids=["straight", "short", "not felt"],
)
def test_both_legs_must_turn_about_bent_knees(other_m: FloatArray, why: str) -> None:
    assert counted(ARM_M, other_m) == (0, {why})
    assert counted(other_m, ARM_M) == (0, {why})


@pytest.mark.parametrize(("arm_m", "count"), [(0.8, 0), (0.65, 0), (0.45, 6)])
def test_straight_legs_that_spread_over_the_floor_are_no_raised_shanks_that_open(arm_m: float, count: int) -> None:
    """Both turn about the vertical, so gravity can't tell them apart; a leg's arm is longer than a tall one's shank."""
    upright = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
    found = findings(poses(OPENING, upright, STRAPS, np.array([arm_m, 0.0, 0.0])))
    assert sum(map(len, sets(found))) == count
    assert count or "legs that swung from the hip" in {one.why for one in found if isinstance(one, Rejected)}


@settings(deadline=None, derandomize=True, max_examples=10)
@given(st.integers(0, 10**6))
def test_noise_and_wobbling_straps_make_no_arm_shorter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shaken = poses(OPENING, LEVEL, STRAPS, np.stack([ARM_M, ARM_M]))
    phase = 2.0 * np.pi * rng.uniform(5.0, 15.0, (2, 3)) * shaken["time_s"][:, None, None]
    shaken["rate_rad_s"] += np.radians(1.0) * np.cos(phase) + rng.normal(0.0, np.radians(0.3), phase.shape)
    assert sum(map(len, sets(findings(shaken)))) == 6


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 10**6))
def test_accelerometers_whose_zero_is_off_make_no_arm_shorter(seed: int) -> None:
    """By 0.5 m/s2, more than data sheets call typical: turning with the sensor it feels like an arm."""
    slow = 12.0 * reps(course(34.0), [3.0 + 4.8 * number for number in range(6)], out_s=2.1, hold_s=0.2, back_s=2.1)
    zero = np.random.default_rng(seed).normal(size=(2, 3))
    off = poses(np.stack([slow, slow], axis=1), LEVEL, STRAPS, np.stack([ARM_M, ARM_M]))
    off["acc_m_s2"] += 0.5 * zero / np.linalg.norm(zero, axis=1, keepdims=True)
    assert sum(map(len, sets(findings(off)))) == 6


def test_feet_on_the_spot_are_none_but_accelerometers_that_feel_gravity_alone_say_nothing() -> None:
    assert counted(ANKLE, ANKLE) == (0, {"feet that twisted or stood on the spot"})
    assert counted(np.zeros(3), np.zeros(3))[0] == 6


NOWHERE = Found(np.zeros(6), np.zeros((2, 3)), np.zeros((2, 4)), 0.2, (), 0.0, 0.0, 0, 0.0)


def known(*lengths_and_sds_m: tuple[float, float]) -> list[Arm]:
    return [Arm(np.array([0.0, 0.0, length_m]), sd_m) for length_m, sd_m in lengths_and_sds_m]


def test_who_was_turned_down_once_is_given_no_benefit_of_the_doubt() -> None:
    unsure = known((0.15, 0.04), (0.15, 0.04))
    assert not_from_knees(NOWHERE, unsure) is None
    assert not_from_knees(NOWHERE, unsure, doubt=0.0) is not None
    assert not_from_knees(NOWHERE, known((0.25, 0.04), (0.25, 0.04)), doubt=0.0) is None


@pytest.mark.parametrize(("arm_m", "sd_m", "told"), [(0.75, 0.05, True), (0.9, 0.25, False), (1.6, 0.2, False)])
def test_long_arms_tell_only_beyond_doubt_and_if_a_leg_can_be_as_long(arm_m: float, sd_m: float, told: bool) -> None:
    """Slow reps hardly accelerate a sensor, and arms then seem up to 2 m long."""
    for doubt in (0.0, 2.0):
        found = not_from_knees(NOWHERE, known((arm_m, sd_m), (arm_m, sd_m)), doubt)
        assert (found is not None and "further off" in found[1].rule) == told


@pytest.mark.parametrize(
    ("arms", "short"),
    [
        (known((0.12, 0.05), (0.07, 0.045)), True),  # none is felt, but a shank's would have been
        (known((0.162, 0.012), (0.158, 0.012)), True),  # each might be longer, both are not
        (known((0.162, 0.025), (0.158, 0.025)), False),
        (known((0.30, 0.02), (0.10, 0.02)), True),
        (known((0.002, 0.003), (0.001, 0.003)), False),  # gravity alone
        (known((0.12, 0.05)), False),
        ([], False),
    ],
    ids=["slow", "together", "unsure", "one", "gravity alone", "one leg, unsure", "none"],
)
def test_arms_are_short_where_a_shank_s_would_have_been_felt(arms: list[Arm], short: bool) -> None:
    assert (not_from_knees(NOWHERE, arms) is not None) == short
