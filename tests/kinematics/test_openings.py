"""The opening over a whole session, as plots show it, against what the simulated wearer did."""

import numpy as np
import pytest

from sensorrep.kinematics import openings
from sensorrep.model import Foot, HeelSignal, SessionEnded, SessionSummary, Trace
from sensorrep.pipeline import Pipeline
from sensorrep.sources.synthetic import Outage, Sensor, Simulated, simulate, typical


def traced(simulated: Simulated) -> tuple[HeelSignal, SessionSummary, Trace]:
    pipeline = Pipeline(simulated.header.feet, trace=True)
    last = [*pipeline.push(simulated.packets), *pipeline.finish()][-1]
    assert isinstance(last, SessionEnded)
    signal = pipeline.signal()
    return signal, last.summary, openings.trace(signal, last.summary)


@pytest.fixture(scope="module")
def session() -> Simulated:
    return simulate(typical("prone", sets=2, reps=5, rest_s=12.0), 2)


def test_inside_sets_the_opening_is_what_the_legs_did(session: Simulated) -> None:
    """But for its zero, which is the rest before the first rep of each set."""
    _, _, trace = traced(session)
    for one in session.truth.sets:
        inside = (trace.time_s > one.start_s) & (trace.time_s < one.end_s)
        for foot in Foot:
            true_deg = np.interp(trace.time_s[inside], session.truth.time_s, session.truth.opening_deg[:, foot])
            error_deg = np.degrees(trace.opening_rad[inside, foot]) - true_deg
            assert np.std(error_deg) < 1.0
            assert abs(np.mean(error_deg)) < 3.0
        assert trace.ok[inside].all()


def test_the_trace_is_as_long_as_the_session_and_evenly_spaced(session: Simulated) -> None:
    signal, summary, trace = traced(session)
    assert len(trace.time_s) == len(trace.ok) == len(trace.opening_rad) == len(signal)
    np.testing.assert_allclose(np.diff(trace.time_s), 0.01, atol=1e-9)
    assert trace.time_s[-1] == summary.duration_s


def test_walking_is_not_shown_as_opening(session: Simulated) -> None:
    _, _, trace = traced(session)
    ((start_s, end_s),) = [(start_s, end_s) for kind, start_s, end_s in session.truth.movements if kind == "walking"]
    assert not trace.ok[(trace.time_s > start_s) & (trace.time_s < end_s)].any()


def test_a_foot_that_was_away_is_not_shown_meanwhile() -> None:
    away = Outage(Foot.RIGHT, 35.0, 4.0)
    _, _, trace = traced(simulate(typical("prone", sets=1, reps=6, outages=(away,)), 2))
    meanwhile = (trace.time_s > 35.3) & (trace.time_s < 38.7)
    assert not trace.ok[meanwhile, Foot.RIGHT].any()
    assert trace.ok[meanwhile, Foot.LEFT].all()


def test_without_a_set_nothing_is_known() -> None:
    _, summary, trace = traced(simulate(typical("prone", sets=0, reps=1), 2))
    assert summary.sets == ()
    assert not trace.ok.any()


def test_a_foot_without_a_sensor_is_never_ok() -> None:
    scenario = typical("prone", sets=1, reps=6, right=None, left=Sensor())
    _, summary, trace = traced(simulate(scenario, 2))
    assert not trace.ok[:, Foot.RIGHT].any()
    assert trace.ok[:, Foot.LEFT].any() == bool(summary.sets)
