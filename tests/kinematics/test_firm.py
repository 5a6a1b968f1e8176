"""Quick turning that is felt on a shank's arm stays, what a strap adds goes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sensorrep.kinematics.firm import firm
from sensorrep.model import FRAME_RATE_HZ, GRAVITY_M_S2, FloatArray
from tests.motion import course, reps

TIME_S = course(3.4)
REP = np.radians(12.0) * reps(TIME_S, [0.4])
FRAMES = 260


def felt(angle: FloatArray, arm_m: float) -> FloatArray:
    """(n, 3) what turning by `angle` (n) on an arm adds: its pull across it, gravity's along another axis."""
    gain = np.gradient(np.gradient(angle)) * FRAME_RATE_HZ**2
    return np.stack([arm_m * gain, GRAVITY_M_S2 * np.sin(angle), 0.0 * angle], axis=1)


def wave(hz: float, size_deg: float) -> FloatArray:
    return np.asarray(np.radians(size_deg) * np.sin(2.0 * np.pi * hz * TIME_S + 1.0))


def cleaned(own: FloatArray, strap: FloatArray, arm_m: float = 0.33) -> FloatArray:
    """Openings in degrees of legs of which the left one turns by itself and its strap, the right one rests."""
    opening = np.stack([own + strap, 0.0 * own], axis=1)
    acc = np.stack([felt(own, arm_m) + felt(strap, 0.01), felt(0.0 * own, arm_m)], axis=1)
    got = np.degrees(firm(opening, acc, FRAMES))
    assert_array_equal(got[:, 1], 0.0)
    return np.asarray(got[:, 0])


@pytest.mark.parametrize("hz", [4.5, 6.0, 8.0])  # slower than that, it is a movement like any other
def test_a_strap_that_wobbles_makes_no_top_higher(hz: float) -> None:
    wobble = wave(hz, 0.7)
    assert np.degrees(REP + wobble).max() > 12.4
    assert cleaned(REP, wobble).max() == pytest.approx(12.0, abs=0.25)


@pytest.mark.parametrize("arm_m", [0.25, 0.33, 0.8])
@pytest.mark.parametrize("hz", [3.0, 9.0])
def test_tremor_of_the_shank_itself_stays(hz: float, arm_m: float) -> None:
    shaken = REP + wave(hz, 0.3)
    assert_allclose(cleaned(shaken, 0.0 * REP, arm_m), np.degrees(shaken), atol=0.03)


@pytest.mark.parametrize("lasts_s", [0.6, 1.0, 3.0])
def test_reps_keep_their_tops_however_quick_they_are(lasts_s: float) -> None:
    quick = np.radians(12.0) * reps(TIME_S, [0.2], out_s=0.5 * lasts_s, hold_s=0.0, back_s=0.5 * lasts_s)
    opening, still = np.stack([quick, quick], axis=1), np.zeros((len(quick), 2, 3))
    swung = np.stack([felt(quick, 0.33)] * 2, axis=1)
    length = round(lasts_s * FRAME_RATE_HZ)
    assert np.degrees(firm(opening, swung, length)).max() == pytest.approx(12.0, abs=0.02)
    assert np.degrees(firm(opening, still, length)).max() == pytest.approx(12.0, abs=0.1)  # gravity alone is felt


def test_nothing_that_moves_gives_nothing() -> None:
    for frames in (0, 2, 100):
        still = np.zeros((frames, 2))
        assert_array_equal(firm(still, np.zeros((frames, 2, 3)), frames), still)
