"""What the speed benchmark measures on."""

import numpy as np
import pytest

from benchmark.scoring import Mark
from benchmark.speed import following, turning_points_s
from sensorrep.model import Foot
from sensorrep.sources.synthetic import Rest, Scenario, Truth, simulate
from sensorrep.stages.decode import Decode


def test_a_recording_goes_on_after_itself_as_if_the_sensors_had_never_stopped() -> None:
    simulated = simulate(Scenario(activities=(Rest(20.0),), lies_ready=True), seed=3)
    decode = Decode(simulated.header.feet)
    samples = np.concatenate(
        decode.push(simulated.packets) + decode.push(following(simulated.packets)) + decode.finish()
    )
    for foot in Foot:
        own = samples[samples["foot"] == foot]
        steps_ms = np.diff(own["device_ns"]) / 1e6
        assert len(own) == 8 * sum(one.foot == foot for one in simulated.packets)
        assert set(np.diff(own["counter"])) == {1}
        assert set(own["epoch"]) == {0}
        assert 9 < steps_ms.min() < steps_ms.max() < 11
    assert not any(decode.lost.values())


def test_the_turning_point_is_where_the_heels_are_back() -> None:
    """A triangle of 20 degrees: up from 1 s to 2 s, down to 3 s, and still from then on."""
    time_s = np.arange(0, 8, 0.01)
    heel_deg = np.interp(time_s, [1, 2, 3], [0, 20, 0])
    truth = Truth(0, "prone", (), (), time_s, np.stack([heel_deg / 2, heel_deg / 2], axis=1))
    assert turning_points_s(truth, [Mark(1.1, 2.9)]) == pytest.approx([2.98], abs=0.011)
