"""Stillness and moments of near standstill, on motion made by hand."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sensorrep.model import FRAME_RATE_HZ, HEEL, POSE, FloatArray, Foot, HeelSignal, Poses
from sensorrep.pipeline import MARGIN_NS, STILL_NS
from sensorrep.stages.measure import FAST_STROKE_S, LATENCY, WEIGHTS, Measure, smooth
from tests.motion import course, poses, reps

EXAMPLES = settings(deadline=None, derandomize=True, max_examples=40)
STARTS_S = (2.0, 5.2, 8.4)
TIME_S = course(13.0)


def run(motion: Poses, cuts: Sequence[int] = (), foot: Foot | None = None) -> HeelSignal:
    stage = Measure(foot)
    bounds = [0, *sorted(cuts), len(motion)]
    blocks = [out for a, b in pairwise(bounds) for out in stage.push(Poses(motion[a:b]))]
    return HeelSignal(np.concatenate([np.zeros(0, HEEL), *blocks, *stage.finish()]))


def motion(noise_rad_s: float = 0.0, right: float = 1.0) -> Poses:
    """Three reps without a hold, with 0.4 s of rest between them; the right leg opens `right` times as far."""
    opening = 12.0 * reps(TIME_S, STARTS_S, out_s=1.2, hold_s=0.0, back_s=1.6)
    out = poses(np.stack([opening, right * opening], axis=1))
    out["rate_rad_s"] += noise_rad_s * np.random.default_rng(2).normal(size=(len(TIME_S), 2, 3))
    return out


def marks_s(signal: HeelSignal) -> FloatArray:
    out: FloatArray = signal["time_s"][signal["turning_point"]]
    return out


def test_poses_pass_unchanged_one_for_one() -> None:
    block = motion()
    out = run(block)
    for name in POSE.names or ():
        assert_array_equal(out[name], block[name])


def test_shanks_are_still_between_reps_and_not_during_them() -> None:
    out = run(motion(0.003))
    for start_s, end_s, still in ((0.5, 1.8, True), (2.2, 3.0, False), (3.5, 4.5, False), (12.0, 12.9, True)):
        part = out[round(start_s * FRAME_RATE_HZ) : round(end_s * FRAME_RATE_HZ)]
        assert (part["still"] == still).all(), start_s


def test_there_is_a_standstill_at_each_top_and_after_each_return() -> None:
    """Tops at 1.2 s, ends at 2.8 s after each start; a start from rest is none."""
    found_s = marks_s(run(motion(0.003)))
    tops_and_ends_s = [start_s + after_s for start_s in STARTS_S for after_s in (1.2, 2.8)]
    assert len(found_s) == len(tops_and_ends_s)
    np.testing.assert_allclose(found_s, tops_and_ends_s, atol=0.2)


@pytest.mark.parametrize("stroke_s", [FAST_STROKE_S, 0.5, 0.8, 1.4])
def test_no_standstill_comes_before_gathering_has_ended(stroke_s: float) -> None:
    opening = 12.0 * reps(TIME_S, STARTS_S, out_s=stroke_s, hold_s=0.0, back_s=stroke_s)
    block, stage = poses(opening[:, None].repeat(2, axis=1)), Measure()
    ahead_s = [stage.ahead_s for frame in range(len(block)) for _ in stage.push(Poses(block[frame : frame + 1]))]
    signal = run(block)
    marks = np.flatnonzero(signal["turning_point"])
    assert len(marks) == 6
    until = np.arange(marks[-1])
    away_s = (marks[marks.searchsorted(until, side="right")] - until) / FRAME_RATE_HZ
    gathered_s = np.array(ahead_s[: marks[-1]]) - MARGIN_NS * 1e-9
    gathered_s[signal["still"][: marks[-1]].all(axis=1)] = STILL_NS * 1e-9
    moving = gathered_s > 0.0
    assert (gathered_s[moving] < away_s[moving]).all()
    assert np.count_nonzero(moving) > 0.5 * 6 * stroke_s * FRAME_RATE_HZ


def test_a_leg_that_stands_still_has_no_standstills_of_its_own() -> None:
    block = motion(right=0.0)
    assert len(marks_s(run(block, foot=Foot.LEFT))) == 6
    assert len(marks_s(run(block, foot=Foot.RIGHT))) == 0


@EXAMPLES
@given(st.integers(0, 10**6), st.lists(st.integers(0, len(TIME_S)), max_size=40))
def test_where_the_stream_is_cut_changes_no_bit(seed: int, cuts: list[int]) -> None:
    block = motion(0.05 * np.random.default_rng(seed).random())
    assert np.array_equal(run(block, cuts), run(block))


def test_one_frame_at_a_time_changes_no_bit() -> None:
    block = motion(0.02)
    assert np.array_equal(run(block, range(1, len(block))), run(block))


def test_the_signal_comes_as_late_as_the_stage_says() -> None:
    stage = Measure()
    assert sum(len(out) for out in stage.push(Poses(motion()[:500]))) == 500 - LATENCY


@EXAMPLES
@given(st.integers(0, 2 * LATENCY + 2))
def test_short_recordings_lose_no_frame(count: int) -> None:
    assert len(run(Poses(motion()[:count]))) == count


def test_smoothing_keeps_a_constant_and_its_weights_are_even() -> None:
    np.testing.assert_allclose(smooth(np.full((30, 2), 3.0)), 3.0)
    np.testing.assert_allclose(WEIGHTS, WEIGHTS[::-1])
    assert len(smooth(np.zeros(30))) == 30 - len(WEIGHTS) + 1
