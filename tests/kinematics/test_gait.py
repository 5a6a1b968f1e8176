"""Walking shows which way the shanks point in their sensors' frames, and so which feet only twist."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sensorrep import quaternion
from sensorrep.kinematics.gait import LEAST_STEPS, NOT_SEEN, Gait, about_shanks, gone_on
from sensorrep.model import FRAME_RATE_HZ, HEEL, FloatArray, HeelSignal
from sensorrep.pipeline import Pipeline
from sensorrep.sources.synthetic import Rest, Scenario, Sensor, SitToStand, Stand, Walk, simulate

ACROSS, FORWARD, UP = np.eye(3)
STEP_S = 0.6


def walk(steps: int, *, together: bool = False, strike_m_s2: float = 25.0, step_s: float = STEP_S) -> HeelSignal:
    """Legs that swing in turn for a third of a second each, about ACROSS; a strike along the leg ends each swing."""
    frames = round(step_s * FRAME_RATE_HZ)
    signal = np.zeros((steps + 1) * frames, HEEL)
    signal["acc_m_s2"] = 9.81 * UP
    for step in range(steps):
        end = (step + 1) * frames
        for foot in (0, 1) if together else (step % 2,):
            signal["rate_rad_s"][end - 33 : end, foot] = 4.0 * ACROSS
            signal["acc_m_s2"][end - 2, foot] = strike_m_s2 * UP
    return HeelSignal(signal)


def seen(signal: HeelSignal) -> Gait:
    return gone_on(NOT_SEEN, signal, 0)


def test_a_walk_by_hand() -> None:
    shanks = seen(walk(LEAST_STEPS)).shanks
    assert shanks is not None
    assert_allclose(shanks, [UP, UP])
    assert_allclose(about_shanks(seen(walk(LEAST_STEPS)), np.stack([UP, FORWARD])), [1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize(
    "no_walk",
    [
        pytest.param(walk(LEAST_STEPS - 1), id="too few steps"),
        pytest.param(walk(9, together=True), id="both legs at once"),
        pytest.param(walk(9, strike_m_s2=12.0), id="legs swung in the air"),
        pytest.param(walk(9, step_s=2.0), id="a step now and then"),
    ],
)
def test_what_is_no_walk_shows_nothing(no_walk: HeelSignal) -> None:
    gait = seen(no_walk)
    assert gait.shanks is None
    assert not about_shanks(gait, np.stack([UP, UP])).any()


def test_a_swing_that_falters_is_one_swing() -> None:
    signal = walk(LEAST_STEPS)
    for step in range(LEAST_STEPS):
        end = (step + 1) * round(STEP_S * FRAME_RATE_HZ)
        signal["rate_rad_s"][end - 20 : end - 15] = 0.0
    assert seen(signal).shanks is not None


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.lists(st.integers(1, 400), max_size=8), st.integers(0, 2**32 - 1))
def test_neither_cuts_outside_swings_nor_the_strap_matter(sizes: list[int], seed: int) -> None:
    straps = quaternion.from_rotation_vector(np.random.default_rng(seed).normal(size=(2, 3)))
    signal = walk(8)
    for name in ("acc_m_s2", "rate_rad_s"):
        signal[name] = quaternion.rotate(quaternion.conjugate(straps), signal[name])
    slow = np.flatnonzero(~signal["rate_rad_s"].any(axis=(1, 2)))
    cuts = [cut for cut in np.cumsum(sizes).tolist() if cut in slow]
    gait = NOT_SEEN
    for begin, end in zip([0, *cuts], [*cuts, len(signal)], strict=True):
        gait = gone_on(gait, HeelSignal(signal[begin:end]), begin)
    assert gait.shanks is not None
    assert_allclose(gait.shanks, quaternion.rotate(quaternion.conjugate(straps), np.stack([UP, UP])), atol=1e-9)


def cosines(seed: int) -> FloatArray:
    """Between the shanks and what a simulated walk of three steps a leg shows of them."""
    upright = Sensor(q_shank_sensor=(1.0, 0.0, 0.0, 0.0))
    session = simulate(Scenario("prone", (Stand(2), Walk(6), Stand(3)), left=upright, right=upright), seed)
    pipeline = Pipeline(session.header.feet, trace=True)
    pipeline.push(session.packets)
    pipeline.finish()
    gait = seen(pipeline.signal())
    assert gait.shanks is not None
    return gait.shanks @ UP


def test_the_shanks_of_a_simulated_walk_are_found_within_20_degrees() -> None:
    assert all((cosines(seed) > np.cos(np.radians(20.0))).all() for seed in range(4))


def test_sitting_down_of_who_walked_before_is_no_rep() -> None:
    """The feet stand a little otherwise each time, turned about the shanks: an axis as in table-top."""
    session = simulate(Scenario("seated", (Walk(), Rest(4, "still"), SitToStand(10))), 3)
    pipeline = Pipeline(session.header.feet)
    pipeline.push(session.packets)
    assert pipeline.finish()[-1].summary.sets == ()  # type: ignore[union-attr]
