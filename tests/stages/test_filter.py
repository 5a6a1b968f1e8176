"""Low-pass: what passes, what does not, when, and that holes stay where they are."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.model import FRAME, FRAME_RATE_HZ, FloatArray, Foot, Frames
from sensorrep.stages.filter import HALF_TAPS, TAPS, Filter

EXAMPLES = settings(deadline=None, derandomize=True, max_examples=60)


def frames(seconds: float, signal: Callable[[FloatArray], FloatArray]) -> Frames:
    """The left foot turns about x as `signal` says, the right one against it; gravity is on z."""
    out = np.zeros(round(seconds * FRAME_RATE_HZ), FRAME)
    out["time_s"] = (np.arange(len(out)) + 0.5) / FRAME_RATE_HZ
    out["ok"] = True
    out["acc_m_s2"][:, :, 2] = 9.81
    out["gyr_rad_s"][:, 0, 0] = signal(out["time_s"])
    out["gyr_rad_s"][:, 1, 0] = -signal(out["time_s"])
    return Frames(out)


def run(block: Frames, cuts: Sequence[int] = ()) -> Frames:
    stage = Filter()
    bounds = [0, *sorted(cuts), len(block)]
    blocks = [out for a, b in pairwise(bounds) for out in stage.push(Frames(block[a:b]))]
    return Frames(np.concatenate([np.zeros(0, FRAME), *blocks, *stage.finish()]))


def test_one_frame_of_turning_becomes_the_taps_at_the_same_time() -> None:
    block = frames(0.3, np.zeros_like)
    block["gyr_rad_s"][15, 0, 1] = 1.0
    out = run(block)
    np.testing.assert_allclose(out["gyr_rad_s"][15 - HALF_TAPS : 16 + HALF_TAPS, 0, 1], TAPS, atol=1e-15)
    assert np.count_nonzero(out["gyr_rad_s"][:, 0, 1]) == 2 * HALF_TAPS + 1
    np.testing.assert_array_equal(out["time_s"], block["time_s"])


@pytest.mark.parametrize(
    ("frequency_hz", "least", "most"),
    [
        (1.0, 0.999, 1.001),
        (5.0, 0.99, 1.01),
        (8.0, 0.98, 1.0),
        (12.0, 0.9, 0.92),
        (20.0, 0.49, 0.51),
        (30.0, 0, 0.04),
        (40.0, -0.01, 0.01),
    ],
)
def test_movement_and_tremor_pass_and_rattle_does_not(frequency_hz: float, least: float, most: float) -> None:
    block = frames(10, lambda t: np.sin(2 * np.pi * frequency_hz * t))
    out, wave = run(block)["gyr_rad_s"][100:900, 0, 0], block["gyr_rad_s"][100:900, 0, 0]
    assert least <= out @ wave / (wave @ wave) <= most
    quarter = np.cos(2 * np.pi * frequency_hz * block["time_s"][100:900])
    assert abs(out @ quarter / (quarter @ quarter)) < 1e-9  # no phase error


def test_as_many_frames_come_out_as_went_in_and_a_constant_stays() -> None:
    for count in (1, 2, 8, 9, 50):
        block = frames(count / FRAME_RATE_HZ, lambda t: np.full_like(t, 2.0))
        out = run(block)
        assert len(out) == count
        np.testing.assert_allclose(out["gyr_rad_s"], block["gyr_rad_s"], rtol=1e-15)
        np.testing.assert_allclose(out["acc_m_s2"], block["acc_m_s2"], rtol=1e-15)


def test_a_frame_comes_out_four_frames_later() -> None:
    stage = Filter()
    counts = [sum(map(len, stage.push(Frames(frames(1, np.sin)[i : i + 1])))) for i in range(10)]
    assert counts == [0] * HALF_TAPS + [1] * (10 - HALF_TAPS)


def test_held_numbers_never_reach_good_frames_and_a_steady_turn_stays_exact_beside_them() -> None:
    block = frames(1, lambda t: 3 * t)
    truth = block["gyr_rad_s"][:, 0].copy()
    block["ok"][40:50, Foot.LEFT] = False
    block["gyr_rad_s"][40:50, Foot.LEFT] = 1e6
    out = run(block)
    good = np.r_[4:40, 50:96]
    np.testing.assert_allclose(out["gyr_rad_s"][good, Foot.LEFT], truth[good], atol=1e-12)
    np.testing.assert_array_equal(out["ok"], block["ok"])


def test_one_foots_hole_leaves_the_other_foot_alone() -> None:
    block = frames(1, lambda t: np.sin(9 * t))
    expected = run(block)["gyr_rad_s"][:, Foot.RIGHT]
    block["ok"][30:60, Foot.LEFT] = False
    np.testing.assert_array_equal(run(block)["gyr_rad_s"][:, Foot.RIGHT], expected)


@EXAMPLES
@given(st.lists(st.integers(0, 60), max_size=8), st.lists(st.tuples(st.integers(0, 59), st.sampled_from(Foot))))
def test_any_cutting_of_the_frames_gives_the_same(cuts: list[int], bad: list[tuple[int, Foot]]) -> None:
    block = frames(0.6, lambda t: np.sin(40 * t))
    for at, foot in bad:
        block["ok"][at, foot] = False
    expected = run(block)
    np.testing.assert_array_equal(run(block, cuts), expected)
    np.testing.assert_array_equal(run(block, range(60)), expected)


def test_no_frames_give_no_blocks() -> None:
    stage = Filter()
    assert stage.push(Frames(np.zeros(0, FRAME))) == stage.finish() == []
