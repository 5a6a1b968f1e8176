"""Orientation: known turns, bias, absence, any cutting; and real recordings against optics where they are present."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import ArrayLike
from vqf import VQF

from sensorrep import quaternion
from sensorrep.model import FRAME, GRAVITY_M_S2, POSE, FloatArray, Frames, Poses
from sensorrep.stages.fuse import Fuse
from tests.motion import STRAPS, course, poses, reps, rise

EXAMPLES = settings(deadline=None, derandomize=True, max_examples=25)
UP = np.array([0.0, 0.0, 1.0])
BROAD = Path(__file__).parents[2].parent / "shared" / "data" / "broad"


def frames(motion: Poses, bias_dps: ArrayLike = (0.0, 0.0, 0.0), noise_dps: float = 0.0) -> Frames:
    """What perfect accelerometers and biased, noisy gyroscopes read during this motion."""
    out = np.zeros(len(motion), FRAME)
    out["time_s"], out["ok"], out["acc_m_s2"] = motion["time_s"], motion["ok"], motion["acc_m_s2"]
    noise = noise_dps * np.random.default_rng(1).normal(size=(len(motion), 2, 3))
    out["gyr_rad_s"] = motion["rate_rad_s"] + np.radians(np.asarray(bias_dps) + noise)
    return Frames(out)


def run(block: Frames, cuts: Sequence[int] = ()) -> Poses:
    stage = Fuse()
    bounds = [0, *sorted(cuts), len(block)]
    blocks = [out for a, b in pairwise(bounds) for out in stage.push(Frames(block[a:b]))]
    return Poses(np.concatenate([np.zeros(0, POSE), *blocks, *stage.finish()]))


def tilt_deg(q: FloatArray, true_q: FloatArray) -> FloatArray:
    """Angle between the verticals of two orientations, seen from the sensor."""
    seen, true = (quaternion.rotate(quaternion.conjugate(one), UP) for one in (q, true_q))
    cosine = (seen * true).sum(axis=-1) / np.linalg.norm(true, axis=-1)
    return np.asarray(np.degrees(np.arccos(np.minimum(cosine, 1.0))))


def turned_deg(q_before: FloatArray, q_after: FloatArray) -> FloatArray:
    """Rotation vector, in the sensor's frame, from one orientation to another."""
    turn = quaternion.multiply(quaternion.conjugate(q_before), q_after)
    return np.asarray(np.degrees(quaternion.rotation_vector(turn)))


def test_a_sensor_that_lies_still_shows_where_up_is() -> None:
    out = run(frames(poses(np.zeros((300, 2)))))
    assert_allclose(tilt_deg(out["q_earth_sensor"][-1], STRAPS), 0.0, atol=0.01)
    force = quaternion.rotate(out["q_earth_sensor"][-1], out["acc_m_s2"][-1])
    assert_allclose(force, [[0, 0, GRAVITY_M_S2]] * 2, atol=1e-3)


@pytest.mark.parametrize("axis", np.eye(3).tolist())
def test_a_quarter_turn_about_any_axis_of_the_room_is_one_of_the_sensor(axis: list[float]) -> None:
    """Rest, 90 degrees in 1.5 s, rest: the turn in the sensor's frame is the axis as the sensor sees it."""
    time_s = course(6.0)
    axes = np.array([axis, axis])
    out = run(frames(poses(np.stack([90.0 * rise(time_s, 3.0, 1.5)] * 2, axis=1), axes), noise_dps=0.02))
    expected = 90.0 * quaternion.rotate(quaternion.conjugate(STRAPS), axes)
    assert_allclose(turned_deg(out["q_earth_sensor"][250], out["q_earth_sensor"][500]), expected, atol=1.0)


def test_reps_turn_the_pose_by_as_much_as_the_leg() -> None:
    time_s = course(24.0)
    opening = 12.0 * reps(time_s, [4.0 + 3.2 * number for number in range(6)])
    motion = poses(np.stack([opening, 0.5 * opening], axis=1))
    out = run(frames(motion, bias_dps=(0.7, -0.4, 0.5), noise_dps=0.1))
    for frame in range(300, 2400, 50):
        found = turned_deg(out["q_earth_sensor"][299], out["q_earth_sensor"][frame])
        true = turned_deg(motion["q_earth_sensor"][299], motion["q_earth_sensor"][frame])
        assert_allclose(found, true, atol=0.7)


@EXAMPLES
@given(st.tuples(*[st.floats(-6.0, 6.0)] * 3))
def test_a_constant_bias_is_gone_after_a_rest(bias_dps: tuple[float, float, float]) -> None:
    """Six degrees a second: the worst of the cheap ones."""
    out = run(frames(poses(np.zeros((800, 2))), bias_dps, noise_dps=0.1))
    assert_allclose(np.degrees(out["rate_rad_s"][-300:].mean(axis=0)), 0.0, atol=0.05)
    assert_allclose(turned_deg(out["q_earth_sensor"][-300], out["q_earth_sensor"][-1]), 0.0, atol=0.2)


def test_a_cheap_gyroscope_on_a_strap_that_wobbles_a_little_loses_its_bias_at_rest() -> None:
    motion = poses(np.zeros((600, 2)))
    wobble = np.radians(1.0) * np.sin(2.0 * np.pi * 5.3 * motion["time_s"])
    motion["rate_rad_s"] += wobble[:, None, None]
    out = run(frames(motion, bias_dps=(3.0, -4.0, 2.0), noise_dps=0.6))
    assert_allclose(np.degrees(out["rate_rad_s"][300:].mean(axis=0)), 0.0, atol=0.15)


def test_a_slow_stroke_that_passed_for_the_first_rest_is_found_out_in_two_seconds_of_rest() -> None:
    """About the vertical, where gravity can't contradict it."""
    time_s = course(12.0)
    turned = 1.5 * np.minimum(time_s, 1.5)  # deg
    out = run(frames(poses(np.stack([turned, turned], axis=1), np.array([[0.0, 0.0, 1.0]] * 2)), noise_dps=0.05))
    assert_allclose(np.degrees(out["rate_rad_s"][100:150]), 0.0, atol=0.5)  # it did pass
    assert_allclose(np.degrees(out["rate_rad_s"][600:].mean(axis=0)), 0.0, atol=0.05)


def test_a_bias_changes_no_turn_after_a_rest() -> None:
    time_s = course(20.0)
    opening = 12.0 * reps(time_s, [5.0, 8.2, 11.4, 14.6])
    motion = poses(np.stack([opening, opening], axis=1))
    plain, biased = (run(frames(motion, bias)) for bias in ((0.0, 0.0, 0.0), (4.0, -3.0, 2.0)))
    for frame in range(500, 2000, 100):
        turns = [turned_deg(one["q_earth_sensor"][499], one["q_earth_sensor"][frame]) for one in (plain, biased)]
        assert_allclose(turns[0], turns[1], atol=0.15)


def wild(seed: int) -> Frames:
    """Rests, reps, noise, and feet that come and go for all lengths of time."""
    rng = np.random.default_rng(seed)
    time_s = course(12.0)
    opening = 15.0 * reps(time_s, [rng.uniform(0.2, 2.0), 5.5, 8.7])
    block = frames(poses(np.stack([opening, -opening], axis=1)), rng.normal(size=3) * 3.0, noise_dps=0.2)
    for foot in (0, 1):
        for _ in range(3):
            start = int(rng.integers(0, len(block)))
            block["ok"][start : start + int(rng.choice([1, 7, 30, 60, 150, 400])), foot] = False
    return block


@EXAMPLES
@given(st.integers(0, 10**6), st.lists(st.integers(0, 1200), max_size=30))
def test_where_the_stream_is_cut_changes_no_bit(seed: int, cuts: list[int]) -> None:
    block = wild(seed)
    assert np.array_equal(run(block, cuts), run(block))


def test_one_frame_at_a_time_changes_no_bit() -> None:
    block = wild(7)
    assert np.array_equal(run(block, range(1, len(block))), run(block))


def test_one_foot_knows_nothing_of_the_other() -> None:
    both, other = wild(1), wild(2)
    mixed = both.copy()
    for name in ("ok", "acc_m_s2", "gyr_rad_s"):
        mixed[name][:, 1] = other[name][:, 1]
    assert_array_equal(run(Frames(mixed))["q_earth_sensor"][:, 0], run(both)["q_earth_sensor"][:, 0])
    assert_array_equal(run(Frames(mixed))["q_earth_sensor"][:, 1], run(other)["q_earth_sensor"][:, 1])


def test_a_foot_that_comes_back_keeps_its_heading_and_finds_its_tilt() -> None:
    """While it is away its pose is held; it comes back 40 degrees tilted from where it was."""
    time_s = course(14.0)
    motion = poses(np.stack([np.zeros(len(time_s)), 40.0 * rise(time_s, 6.0, 1.0)], axis=1))
    block = frames(motion, noise_dps=0.05)
    gone = slice(550, 850)
    block["ok"][gone, 1] = False
    block["gyr_rad_s"][gone, 1] = 0.0
    block["acc_m_s2"][gone, 1] = block["acc_m_s2"][549, 1]
    out = run(block)
    assert_allclose(turned_deg(out["q_earth_sensor"][540, 1], out["q_earth_sensor"][840, 1]), 0.0, atol=0.1)
    expected = turned_deg(motion["q_earth_sensor"][540, 1], motion["q_earth_sensor"][-1, 1])
    assert_allclose(turned_deg(out["q_earth_sensor"][540, 1], out["q_earth_sensor"][-1, 1]), expected, atol=1.0)


def test_a_foot_that_was_away_before_its_first_rest_still_loses_its_bias() -> None:
    block = frames(poses(np.zeros((2000, 2))), bias_dps=(4.0, -3.0, 2.0), noise_dps=0.1)
    block["ok"][20:320, 0] = False
    out = run(block)
    assert_allclose(np.degrees(out["rate_rad_s"][-300:].mean(axis=0)), 0.0, atol=0.1)


@pytest.mark.skipif(not BROAD.is_dir(), reason="the BROAD trials are not here: ../shared/data/broad")
def test_tilt_of_real_recordings_is_no_worse_than_that_of_vqf_itself() -> None:
    trials = sorted(BROAD.glob("*.npz"))
    assert trials
    for path in trials:
        with np.load(path) as trial:
            time_s = trial["time_s"].astype(float)
            gyr, acc = (np.ascontiguousarray(trial[name], float) for name in ("gyr_rad_s", "acc_m_s2"))
            true_q = trial["q_earth_sensor_wxyz"].astype(float)
            scored = trial["movement"] & np.isfinite(true_q).all(axis=1)
        interval_s = float(np.median(np.diff(time_s)))
        block = np.zeros(len(time_s), FRAME)
        block["time_s"], block["ok"] = time_s, True
        block["gyr_rad_s"], block["acc_m_s2"] = gyr[:, None], acc[:, None]
        (ours,) = Fuse(1.0 / interval_s).push(Frames(block))
        plain = VQF(interval_s).updateBatch(gyr, acc)["quat6D"]
        ours_deg, plain_deg = (
            float(np.sqrt(np.mean(tilt_deg(q[scored], true_q[scored]) ** 2)))
            for q in (ours["q_earth_sensor"][:, 0], plain)
        )
        assert ours_deg < 2.0, path.name
        assert ours_deg < plain_deg + 0.001, path.name
