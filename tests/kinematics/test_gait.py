"""Walking shows which way the shanks point in their sensors' frames, and so which feet only twist."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sensorrep import quaternion
from sensorrep.kinematics.gait import LEAST_STEPS, NOT_SEEN, Legs, about_shanks, gone_on, inward
from sensorrep.model import FRAME_RATE_HZ, HEEL, HeelSignal
from sensorrep.pipeline import Pipeline
from sensorrep.sources.synthetic import Rest, Scenario, Sensor, SitToStand, Stand, Walk, simulate

FORWARD, LEFT, UP = np.eye(3)
STEP_S = 0.6


def walk(steps: int, *, together: bool = False, strike_m_s2: float = 25.0, step_s: float = STEP_S) -> HeelSignal:
    """Legs that swing back and then, faster, forward, in turn; a strike along the leg ends each swing."""
    frames = round(step_s * FRAME_RATE_HZ)
    signal = np.zeros((steps + 1) * frames, HEEL)
    signal["acc_m_s2"] = 9.81 * UP
    for step in range(steps):
        end = (step + 1) * frames
        for foot in (0, 1) if together else (step % 2,):
            signal["rate_rad_s"][end - 50 : end - 30, foot] = 3.0 * LEFT
            signal["rate_rad_s"][end - 20 : end, foot] = -5.0 * LEFT
            signal["acc_m_s2"][end - 2, foot] = strike_m_s2 * UP
    return HeelSignal(signal)


def seen(signal: HeelSignal) -> Legs | None:
    return gone_on(NOT_SEEN, signal, 0).legs


def test_a_walk_by_hand() -> None:
    """A bent left leg that turns about forward opens its hip inward, its heel outward; a right one about backward."""
    legs = seen(walk(LEAST_STEPS))
    assert legs is not None
    assert_allclose(legs.up, [UP, UP])
    assert_allclose(about_shanks(legs, np.stack([UP, FORWARD])), [1.0, 0.0], atol=1e-12)
    assert_allclose(inward(legs, np.stack([FORWARD, FORWARD])), [1.0, -1.0], atol=1e-12)


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
    legs = seen(no_walk)
    assert legs is None
    assert not about_shanks(legs, np.stack([UP, UP])).any()
    assert not inward(legs, np.stack([FORWARD, FORWARD])).any()


def test_legs_that_swing_both_ways_alike_do_not_tell_forward() -> None:
    signal = walk(LEAST_STEPS)
    signal["rate_rad_s"] = 4.0 * np.sign(signal["rate_rad_s"])
    legs = seen(signal)
    assert legs is not None
    assert_allclose(legs.up, [UP, UP])
    assert not legs.inward.any()


def test_a_few_steps_in_bed_do_not_outweigh_a_walk() -> None:
    lying = walk(LEAST_STEPS)
    lying["acc_m_s2"] = quaternion.rotate(quaternion.from_rotation_vector(0.5 * np.pi * LEFT), lying["acc_m_s2"])
    for steps, up in ((3 * LEAST_STEPS, UP), (LEAST_STEPS, FORWARD)):
        still = HeelSignal(np.zeros(500, HEEL))
        legs = seen(HeelSignal(np.concatenate([walk(steps), still, lying])))
        assert legs is not None
        assert_allclose(legs.up, [up, up], atol=1e-9)


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
    assert gait.legs is not None
    assert_allclose(gait.legs.up, quaternion.rotate(quaternion.conjugate(straps), np.stack([UP, UP])), atol=1e-9)
    forward = quaternion.rotate(quaternion.conjugate(straps), np.stack([FORWARD, -FORWARD]))
    assert_allclose(gait.legs.inward, forward, atol=1e-9)


def simulated(seed: int) -> Legs:
    """What three simulated steps a leg show; the shanks' own axes are the sensors'."""
    upright = Sensor(q_shank_sensor=(1.0, 0.0, 0.0, 0.0))
    session = simulate(Scenario("prone", (Stand(2), Walk(6), Stand(3)), left=upright, right=upright), seed)
    pipeline = Pipeline(session.header.feet, trace=True)
    pipeline.push(session.packets)
    pipeline.finish()
    legs = seen(pipeline.signal())
    assert legs is not None
    return legs


@pytest.mark.parametrize("seed", range(4))
def test_a_simulated_walk_shows_the_legs_within_20_degrees(seed: int) -> None:
    legs = simulated(seed)
    assert (legs.up @ UP > np.cos(np.radians(20.0))).all()
    assert (inward(legs, np.stack([FORWARD, -FORWARD])) > np.cos(np.radians(20.0))).all()


def test_sitting_down_of_who_walked_before_is_no_rep() -> None:
    """The feet stand a little otherwise each time, turned about the shanks: an axis as in table-top."""
    session = simulate(Scenario("seated", (Walk(), Rest(4, "still"), SitToStand(10))), 3)
    pipeline = Pipeline(session.header.feet)
    pipeline.push(session.packets)
    assert pipeline.finish()[-1].summary.sets == ()  # type: ignore[union-attr]
