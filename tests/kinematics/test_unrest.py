"""How much each foot moves, and what is decided from it."""

import numpy as np
import pytest

from sensorrep.kinematics.unrest import CLEAR, LIFT_RAD_S, STILL_RAD_S, WINDOW_NS, UnrestMeter, lifted, still
from sensorrep.model import SAMPLE, FloatArray, Foot, Samples

RATE_HZ = 100.0


def samples(foot: Foot, rate_rad_s: FloatArray, begin_s: float = 0.0) -> Samples:
    """Samples with this rate about x (n,), evenly spaced."""
    block = np.zeros(len(rate_rad_s), SAMPLE)
    block["foot"] = foot
    block["received_ns"] = ((begin_s + np.arange(len(block)) / RATE_HZ) * 1e9).astype(np.int64)
    block["gyr_rad_s"][:, 0] = rate_rad_s
    return Samples(block)


def wave(amplitude: float, seconds: float = 2.0) -> FloatArray:
    """A swing at 1 Hz: as many whole periods as seconds."""
    return np.asarray(amplitude * np.sin(2 * np.pi * np.arange(round(seconds * RATE_HZ)) / RATE_HZ))


def test_unrest_is_the_rms_rate_of_each_foot() -> None:
    meter = UnrestMeter()
    meter.push([samples(Foot.LEFT, wave(0.8)), samples(Foot.RIGHT, wave(0.2))])
    left, right = meter.unrest(2_000_000_000)
    assert left == pytest.approx(0.8 / np.sqrt(2), rel=0.01)
    assert right == pytest.approx(0.2 / np.sqrt(2), rel=0.01)


def test_a_gyroscope_that_is_off_is_at_rest_when_it_rests() -> None:
    meter = UnrestMeter()
    meter.push([samples(Foot.LEFT, np.full(150, 0.3))])
    assert meter.unrest(1_500_000_000)[Foot.LEFT] == pytest.approx(0.0, abs=1e-12)


def test_movement_is_forgotten_after_the_window() -> None:
    meter = UnrestMeter()
    meter.push([samples(Foot.LEFT, wave(1.0))])
    for at_s in (2.0, 2.5, 3.0):
        meter.push([samples(Foot.LEFT, np.zeros(50), at_s)])
    assert meter.unrest(3_500_000_000)[Foot.LEFT] == pytest.approx(0.0, abs=1e-12)


def test_too_little_or_nothing_says_nothing() -> None:
    meter = UnrestMeter()
    assert meter.unrest(0) == (None, None)
    meter.push([samples(Foot.RIGHT, wave(1.0, 1.0)[:20])])
    assert meter.unrest(200_000_000) == (None, None)


def test_a_foot_that_went_silent_says_nothing() -> None:
    meter = UnrestMeter()
    meter.push([samples(Foot.LEFT, wave(1.0))])
    assert meter.unrest(2_000_000_000 + 2 * WINDOW_NS)[Foot.LEFT] is None


def test_memory_is_that_of_the_window() -> None:
    meter = UnrestMeter()
    for second in range(600):
        meter.push([samples(Foot.LEFT, wave(1.0, 1.0), float(second))])
        meter.unrest((second + 1) * 1_000_000_000)
    assert len(meter._kept[Foot.LEFT]) <= 2


@pytest.mark.parametrize(
    ("unrest", "expected"),
    [
        ((LIFT_RAD_S, 0.02), Foot.LEFT),
        ((0.02, LIFT_RAD_S), Foot.RIGHT),
        ((2.0, 2.0 / CLEAR - 0.01), Foot.LEFT),
        ((2.0, 2.0 / CLEAR + 0.01), None),  # both move: walking, or a band that pulls
        ((LIFT_RAD_S - 0.01, 0.0), None),  # too little to be a lift
        ((None, 2.0), None),
        ((2.0, None), None),
    ],
)
def test_the_foot_that_moves_alone_is_the_lifted_one(
    unrest: tuple[float | None, float | None], expected: Foot | None
) -> None:
    assert lifted(unrest) is expected


@pytest.mark.parametrize(
    ("unrest", "expected"),
    [
        ((0.01, 0.01), True),
        ((0.01, STILL_RAD_S), False),
        ((0.01, None), True),  # one sensor alone can hold still
        ((None, None), False),
    ],
)
def test_still_is_every_foot_that_is_heard_of(unrest: tuple[float | None, float | None], expected: bool) -> None:
    assert still(unrest) is expected
