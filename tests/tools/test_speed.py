"""What the speed benchmark measures on."""

import numpy as np

from benchmark.speed import following
from sensorrep.model import Foot
from sensorrep.sources.synthetic import Rest, Scenario, simulate
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
