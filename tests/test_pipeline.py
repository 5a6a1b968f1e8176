"""From packets to the summary, on a simulated wearer: truth, and all that must not matter."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.kinematics import trends
from sensorrep.model import (
    Event,
    FloatArray,
    Foot,
    Movement,
    Packet,
    Posture,
    RepCounted,
    RepsCorrected,
    SessionEnded,
    SessionSummary,
)
from sensorrep.pipeline import Pipeline
from sensorrep.sources.synthetic import (
    Activity,
    Adjust,
    Fatigue,
    Fidget,
    KneeBends,
    Link,
    OneLeg,
    Outage,
    Rest,
    RollOver,
    Scenario,
    Sensor,
    Set,
    Simulated,
    SitToStand,
    Stand,
    ToeTap,
    Truth,
    Walk,
    simulate,
    typical,
)
from sensorrep.views.document import document, json_bytes

POSTURES: tuple[Posture, ...] = get_args(Posture)
SHORT = Scenario("prone", (Rest(3.0, "still"), Set(4), Rest(3.0, "still")), lies_ready=True)


def settle(examples: int) -> settings:
    return settings(deadline=None, derandomize=True, max_examples=examples)


def events(
    simulated: Simulated, cuts: Iterable[int] = (), movement: Movement = "heels-apart", foot: Foot | None = None
) -> list[Event]:
    pipeline = Pipeline(simulated.header.feet, movement, foot)
    bounds = [0, *sorted(cuts), len(simulated.packets)]
    out = [event for a, b in pairwise(bounds) for event in pipeline.push(simulated.packets[a:b])]
    return [*out, *pipeline.finish()]


def summary(of: Sequence[Event]) -> SessionSummary:
    last = of[-1]
    assert isinstance(last, SessionEnded)
    return last.summary


def replayed(simulated: Simulated, movement: Movement = "heels-apart", foot: Foot | None = None) -> SessionSummary:
    return summary(events(simulated, (), movement, foot))


def as_json(of: SessionSummary) -> bytes:
    return json_bytes(document(of, source="a session", simulated=True, started_at=None))


def counts(of: SessionSummary | Truth) -> list[int]:
    return [len(one.reps) for one in of.sets]


def ranges_deg(of: SessionSummary) -> FloatArray:
    """(n, 2) of each rep, left and right."""
    return np.asarray(np.degrees(np.array([rep.range_rad for one in of.sets for rep in one.reps], float)))


def compact(posture: Posture, **options: Any) -> Scenario:
    return typical(posture, sets=2, reps=6, rest_s=12.0, **options)


@cache
def plain(posture: Posture) -> Simulated:
    return simulate(compact(posture), 1)


@pytest.fixture(scope="module")
def prone() -> Simulated:
    return plain("prone")


# --- truth ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 3])
@pytest.mark.parametrize("posture", POSTURES)
def test_a_typical_session_is_counted_and_measured_as_it_was(posture: Posture, seed: int) -> None:
    simulated = simulate(compact(posture), seed)
    found, truth = replayed(simulated), simulated.truth
    assert counts(found) == counts(truth) == [6, 6]
    assert {found.posture, *(one.posture for one in found.sets)} == {posture}
    pairs = [pair for a, b in zip(found.sets, truth.sets, strict=True) for pair in zip(a.reps, b.reps, strict=True)]
    boundaries = ("start_s", "open_s", "close_s", "end_s")
    errors_s = [abs(getattr(ours, name) - getattr(true, name)) for ours, true in pairs for name in boundaries]
    assert np.median(errors_s) < 0.04
    assert max(errors_s) < 0.4
    errors_deg = ranges_deg(found) - [true.range_deg for _, true in pairs]
    assert np.sqrt(np.mean(errors_deg**2)) < 1.5


@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        ("loss", compact("prone", link=Link(loss=0.03))),
        ("disorder", compact("prone", link=Link(duplicate=0.05, reorder=0.05))),
        ("counter and clock wrap", compact("prone", left=Sensor(first_counter=65000, boot_s=2**32 * 1e-6 - 40.0))),
        ("slow and fast sensors", compact("prone", left=Sensor(rate_hz=52.0), right=Sensor(rate_hz=200.0))),
        ("a reboot in the rest", compact("prone", outages=(Outage(Foot.LEFT, 55.0, 3.0, "reboot"),))),
        ("both legs unlike", compact("prone", range_deg=(6.0, 16.0))),
        ("a late right leg", compact("prone", lag_s=0.2)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_sensors_and_radio_do_changes_no_count(name: str, scenario: Scenario) -> None:
    simulated = simulate(scenario, 1)
    assert counts(replayed(simulated)) == counts(simulated.truth), name


def test_what_was_announced_live_and_corrected_is_what_the_summary_says(prone: Simulated) -> None:
    seen = events(prone, range(0, len(prone.packets), 50))
    now: dict[int, int] = {}
    for event in seen:
        if isinstance(event, RepCounted):
            assert event.number == now.get(event.set_number, 0) + 1
            now[event.set_number] = event.number
        elif isinstance(event, RepsCorrected):
            assert event.announced == now.get(event.set_number, 0)
            now[event.set_number] = event.count
    assert [count for count in now.values() if count] == counts(summary(seen))


AT_ONCE = Link(interval_s=0.0, latency_s=0.0, jitter_s=0.0, retry=0.0)
ONE_BY_ONE = Sensor(samples_per_packet=1)


@pytest.mark.parametrize(
    ("scenario", "first_s", "usual_s", "worst_s"),
    [
        (compact("prone", link=AT_ONCE, left=ONE_BY_ONE, right=ONE_BY_ONE), 0.0, 0.1, 0.11),
        (compact("prone"), 0.03, 0.14, 0.16),
    ],
    ids=["each sample at once", "over the simulated radio"],
)
def test_a_rep_is_told_soon_after_the_standstill_that_decides_and_not_before_its_packets(
    scenario: Scenario, first_s: float, usual_s: float, worst_s: float
) -> None:
    """The first packet comes `first_s` after its first sample. The radio adds up to two packets of 40 ms."""
    simulated = simulate(scenario, 1)
    pipeline = Pipeline(simulated.header.feet)
    began_ns = simulated.packets[0].received_ns
    told_s = [
        (packet.received_ns - began_ns) * 1e-9 + first_s - event.decided_s
        for packet in simulated.packets
        for event in pipeline.push([packet])
        if isinstance(event, RepCounted)
    ]
    assert len(told_s) == sum(counts(simulated.truth))
    assert min(told_s) > 0.05
    assert np.median(told_s) < usual_s
    assert max(told_s) < worst_s


def test_fatigue_is_found_where_the_wearer_tired_and_only_there() -> None:
    tired = simulate(typical(sets=2, reps=10, rest_s=12.0, fatigue=Fatigue(range_loss=0.4)), 3)
    fresh = simulate(typical(sets=2, reps=10, rest_s=12.0), 3)
    assert [one.fatigue.detected for one in replayed(tired).sets] == [one.fatigued for one in tired.truth.sets]
    assert all(one.fatigued for one in tired.truth.sets)
    assert not any(one.fatigue.detected for one in replayed(fresh).sets)


def test_a_weaker_left_side_is_named() -> None:
    simulated = simulate(compact("prone", range_deg=(8.0, 14.0)), 2)
    for one in replayed(simulated).sets:
        assert one.symmetry is not None
        assert one.symmetry.verdict == trends.LEFT_LESS
        assert one.symmetry.interval_pct[0] < 100 * 6 / 11 < one.symmetry.interval_pct[1] + 5


# --- what must not matter -------------------------------------------------------------------------------------------


@settle(4)
@given(st.data())
def test_where_packets_are_cut_changes_no_byte(prone: Simulated, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(prone.packets)), max_size=300))
    assert as_json(summary(events(prone, cuts))) == as_json(replayed(prone))


def test_packets_one_at_a_time_change_no_byte() -> None:
    simulated = simulate(replace(SHORT, link=Link(loss=0.02, duplicate=0.02, reorder=0.02)), 4)
    one_by_one = summary(events(simulated, range(1, len(simulated.packets))))
    assert counts(one_by_one) == [4]
    assert as_json(one_by_one) == as_json(replayed(simulated))


def test_cuts_change_no_byte_where_the_wearer_walks_and_bends_the_knees() -> None:
    """What the legs have shown by the instant of a look counts there, whether or not more packets are here already."""
    walk = (Stand(2.0), Walk(6), Rest(4.0, "still"))
    bends = (KneeBends(6), Rest(5.0, "still"), KneeBends(6, size_deg=40.0), KneeBends(8, alternate=True))
    simulated = simulate(Scenario("hook-lying", (*walk, *bends, Rest(5.0, "still"))), 1265080915)
    one_by_one = summary(events(simulated, range(1, len(simulated.packets))))
    assert as_json(one_by_one) == as_json(replayed(simulated))


def test_cuts_change_no_byte_where_feet_come_and_go() -> None:
    outages = (
        Outage(Foot.LEFT, 12.0, 2.0),
        Outage(Foot.RIGHT, 13.0, 4.0, "reboot"),
        Outage(Foot.LEFT, 20.0, 1.0, "stall"),
    )
    simulated = simulate(
        replace(SHORT, activities=(Rest(3.0, "still"), Set(8), Rest(3.0, "still")), outages=outages), 4
    )
    whole = as_json(replayed(simulated))
    rng = np.random.default_rng(8)
    for _ in range(3):
        cuts = rng.integers(0, len(simulated.packets), size=200).tolist()
        assert as_json(summary(events(simulated, cuts))) == whole


@pytest.mark.parametrize("posture", POSTURES)
@settle(3)
@given(seed=st.integers(0, 10**6))
def test_turning_a_sensor_in_its_strap_changes_no_count_and_no_range(posture: Posture, seed: int) -> None:
    quaternions = np.random.default_rng(seed).normal(size=(2, 4))
    left, right = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).tolist()
    before = replayed(plain(posture))
    sensors = {"left": Sensor(q_shank_sensor=tuple(left)), "right": Sensor(q_shank_sensor=tuple(right))}
    turned = replayed(simulate(compact(posture, **sensors), 1))
    assert counts(turned) == counts(before)
    np.testing.assert_allclose(ranges_deg(turned), ranges_deg(before), atol=0.3)


def test_a_session_that_is_not_told_aloud_sums_up_the_same(prone: Simulated) -> None:
    told, summed = (Pipeline(prone.header.feet, aloud=aloud) for aloud in (True, False))
    events = [pipeline.push(prone.packets) + pipeline.finish() for pipeline in (told, summed)]
    assert [one for one in events[0] if not isinstance(one, RepCounted)] == events[1]
    assert any(isinstance(one, RepCounted) for one in events[0])


@pytest.mark.parametrize("seed", [1, 2])
def test_a_recording_of_the_middle_of_a_set_is_not_seen_upside_down_where_thighs_slope(seed: int) -> None:
    whole = simulate(typical("table-top", sets=1, reps=8), seed)
    true = whole.truth.sets[0].reps
    zero_ns = whole.packets[0].received_ns
    from_s, to_s = true[1].open_s + 0.1, true[-1].close_s - 0.1
    part = [one for one in whole.packets if from_s < (one.received_ns - zero_ns) * 1e-9 < to_s]
    (one,) = replayed(replace(whole, packets=part)).sets
    starts_s = [rep.start_s + from_s for rep in one.reps]
    np.testing.assert_allclose(starts_s, [rep.start_s for rep in true[2:-1]], atol=0.1)


@pytest.mark.parametrize("posture", ["hook-lying", "table-top"])
def test_sensors_on_the_wrong_feet_are_noticed_without_a_walk_where_thighs_slope(posture: Posture) -> None:
    whole = simulate(typical(posture, sets=1, reps=6), 1)
    lying_ns = whole.packets[0].received_ns + round(1e9 * (whole.truth.sets[0].start_s - 4.0))
    packets = [one for one in whole.packets if one.received_ns > lying_ns]
    for wrong in (False, True):
        feet = (Foot.RIGHT, Foot.LEFT) if wrong else (Foot.LEFT, Foot.RIGHT)
        pipeline = Pipeline({feet[foot]: sensor for foot, sensor in whole.header.feet.items()})
        pipeline.push([one._replace(foot=feet[one.foot]) for one in packets])
        last = pipeline.finish()[-1]
        assert isinstance(last, SessionEnded)
        assert [len(one.reps) for one in last.summary.sets] == [6]
        assert pipeline.swapped() is wrong


def test_swapping_the_feet_swaps_the_sides_and_nothing_else(prone: Simulated) -> None:
    other = {Foot.LEFT: Foot.RIGHT, Foot.RIGHT: Foot.LEFT}
    header = replace(prone.header, feet={other[foot]: sensor for foot, sensor in prone.header.feet.items()})
    swapped = replayed(
        replace(prone, header=header, packets=[one._replace(foot=other[one.foot]) for one in prone.packets])
    )
    before = document(replayed(prone), source="a session", simulated=True, started_at=None)
    assert document(swapped, source="a session", simulated=True, started_at=None) == _swapped(before)


def _swapped(part: Any) -> Any:
    """A document with the sides of all that has sides exchanged."""
    if isinstance(part, list):
        return [_swapped(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.keys() == {"left", "right"}:
        return {"left": _swapped(part["right"]), "right": _swapped(part["left"])}
    out = {key: _swapped(value) for key, value in part.items()}
    if "lag_s" in out and out["lag_s"] is not None:
        out["lag_s"] = 0.0 - out["lag_s"]
    if "interval_pct" in out:
        low, high = out["interval_pct"]
        out |= {"index_pct": 0.0 - out["index_pct"], "interval_pct": [0.0 - high, 0.0 - low]}
        out["verdict"] = {trends.LEFT_LESS: trends.RIGHT_LESS, trends.RIGHT_LESS: trends.LEFT_LESS}.get(
            out["verdict"], out["verdict"]
        )
    return out


@pytest.mark.parametrize("posture", POSTURES)
def test_a_bias_of_the_gyroscopes_changes_nothing(posture: Posture) -> None:
    biased, exact = (
        replayed(simulate(compact(posture, left=Sensor(gyr_bias_dps=bias), right=Sensor(gyr_bias_dps=bias)), 1))
        for bias in (3.0, 0.0)
    )
    assert counts(biased) == counts(exact) == [6, 6]
    np.testing.assert_allclose(ranges_deg(biased), ranges_deg(exact), atol=0.5)


def test_at_half_the_speed_all_phases_take_twice_as_long() -> None:
    tempo_s = (0.9, 0.3, 1.1, 0.5)
    whole, half = (
        replayed(simulate(compact("prone", tempo_s=tuple(factor * one for one in tempo_s)), 1)) for factor in (1.0, 2.0)
    )
    assert counts(half) == counts(whole) == [6, 6]
    for fast, slow in zip(whole.sets, half.sets, strict=True):
        for name in ("concentric_s", "hold_s", "eccentric_s", "pause_s"):
            assert getattr(slow.tempo, name) == pytest.approx(2.0 * getattr(fast.tempo, name), rel=0.1, abs=0.1)
    np.testing.assert_allclose(np.mean(ranges_deg(half)), np.mean(ranges_deg(whole)), rtol=0.03)


@pytest.mark.parametrize("posture", ["hook-lying", "table-top"])
def test_the_slowest_of_small_reps_are_no_rest(posture: Posture) -> None:
    """Legs that turn by 1 degree a second, as evenly as if the gyroscope were off by that."""
    simulated = simulate(typical(posture, sets=2, range_deg=(5.0, 5.0), tempo_s=(3.0, 3.5, 4.0, 1.5)), 1)
    found = replayed(simulated)
    assert counts(found) == counts(simulated.truth)
    true_deg = [rep.range_deg for one in simulated.truth.sets for rep in one.reps]
    assert np.sqrt(np.mean((ranges_deg(found) - np.array(true_deg)) ** 2)) < 0.3


# --- no reps --------------------------------------------------------------------------------------------------------

STRAY: dict[str, tuple[Activity, ...]] = {
    "lying still": (Rest(25.0, "still"),),
    "resting": (Rest(40.0, "relax"), Rest(30.0, "mixed")),
    "fidgeting": (Fidget(8), Rest(5.0, "still"), Fidget(6)),
    "rolling over": (RollOver(), Rest(3.0, "still"), RollOver()),
    "tapping": (ToeTap(20),),
    "standing and walking": (Stand(5.0), Walk(20), Stand(3.0)),
    "one leg, twice": (OneLeg(count=2),),
    "all sorts": (
        Stand(2.0),
        Walk(12),
        Adjust(),
        KneeBends(1),
        Fidget(4),
        RollOver(),
        ToeTap(),
        Rest(20.0),
        SitToStand(1),
    ),
}


@pytest.mark.parametrize("posture", POSTURES)
@pytest.mark.parametrize("name", STRAY)
def test_movement_that_is_no_exercise_counts_nothing(name: str, posture: Posture) -> None:
    """Every other one begins with standing and getting into position."""
    number = list(STRAY).index(name) + POSTURES.index(posture)
    found = replayed(simulate(Scenario(posture, STRAY[name], lies_ready=number % 2 == 0), 1 + number))
    assert counts(found) == []


@pytest.mark.parametrize("posture", POSTURES)
def test_what_a_radio_loses_now_and_then_costs_neither_the_posture_nor_a_flag_on_every_rep(posture: Posture) -> None:
    found = replayed(simulate(replace(compact(posture), link=Link(loss=0.02)), 1))
    reps = [rep for one in found.sets for rep in one.reps]
    assert [one.posture for one in found.sets] == [posture, posture]
    assert 4 * sum("gap" in rep.flags for rep in reps) < len(reps)


HARD: dict[str, tuple[Scenario, int]] = {
    "bounces taken for a set at first": (
        typical("seated", sets=2, tempo_s=(1.2, 1.2, 1.4, 0.6), bounce=tuple(range(1, 9))),
        3782463139,
    ),
    "few reps, then knee bends": (typical("prone", sets=3, reps=3), 14),
    "few reps, then a fidget in time with the deadline": (typical("table-top", sets=3, reps=3), 14),
    "a sensor that restarts, and is not believed before its clock is known": (
        typical("hook-lying", sets=2, outages=(Outage(Foot.LEFT, 33.96, 2.0, "reboot"),)),
        78510633,
    ),
    "one leg nearly still, then knee bends": (typical("seated", sets=2, range_deg=(12.0, 1.5)), 12),
}
"""Sessions that went wrong once: what comes before or after a set must not unmake it."""


@pytest.mark.parametrize("name", HARD)
def test_a_set_stands_whatever_comes_before_and_after_it(name: str) -> None:
    simulated = simulate(*HARD[name])
    assert counts(replayed(simulated)) == counts(simulated.truth)


# --- one foot, nothing, garbage -------------------------------------------------------------------------------------


@pytest.mark.parametrize("foot", Foot)
def test_one_leg_counts_on_the_only_sensor(foot: Foot) -> None:
    sensors: dict[str, Sensor | None] = {"left": Sensor(), "right": Sensor(), Foot(1 - foot).word: None}
    simulated = simulate(compact("prone", **sensors), 1)
    found = replayed(simulated, "one-leg", foot)
    assert counts(found) == counts(simulated.truth) == [6, 6]
    assert found.movement == "one-leg"
    errors_deg = [
        np.degrees(ours.range_rad[foot] or 0.0) - true.range_deg[foot]
        for a, b in zip(found.sets, simulated.truth.sets, strict=True)
        for ours, true in zip(a.reps, b.reps, strict=True)
    ]
    assert np.sqrt(np.mean(np.square(errors_deg))) < 1.5
    assert all(rep.range_rad[1 - foot] is None for one in found.sets for rep in one.reps)
    assert set(found.feet) == {foot}


@pytest.mark.parametrize("foot", Foot)
def test_a_foot_that_dies_in_a_set_leaves_the_other_counting(foot: Foot) -> None:
    middle_s = simulate(compact("prone"), 2).truth.sets[0].reps[2].start_s
    found = replayed(simulate(compact("prone", outages=(Outage(foot, middle_s, 10.0),)), 2))
    assert counts(found) == [6, 6]
    assert any("gap" in rep.flags for rep in found.sets[0].reps)
    assert not any("partial" in rep.flags for rep in found.sets[0].reps)
    assert not any("gap" in rep.flags for rep in found.sets[1].reps)
    (gap,) = found.feet[foot].gaps
    assert gap == pytest.approx((middle_s, middle_s + 10.0), abs=0.3)


def test_no_packets_give_an_empty_summary(prone: Simulated) -> None:
    found = replayed(replace(prone, packets=[]))
    assert (found.duration_s, found.posture, found.sets, found.rejected) == (0.0, None, (), ())
    assert {foot: (one.samples, one.lost, one.gaps) for foot, one in found.feet.items()} == dict.fromkeys(
        Foot, (0, 0, ())
    )
    assert as_json(found)


def test_garbage_is_counted_and_the_rest_goes_on(prone: Simulated) -> None:
    packets = list(prone.packets)
    for place, payload in ((700, b""), (300, b"\xff" * 56), (10, b"\x11\x00")):
        packets.insert(place, packets[place]._replace(payload=payload))
    found = replayed(replace(prone, packets=packets))
    assert sum(one.malformed for one in found.feet.values()) == 3
    assert found.sets == replayed(prone).sets


@settle(15)
@given(st.lists(st.tuples(st.integers(0, 10**10), st.sampled_from(Foot), st.binary(max_size=70)), max_size=40))
def test_any_bytes_give_a_summary(prone: Simulated, junk: list[tuple[int, Foot, bytes]]) -> None:
    packets = [Packet(at_ns, foot, "data", payload) for at_ns, foot, payload in junk]
    assert counts(replayed(replace(prone, packets=packets))) == []


# --- misuse and trace -----------------------------------------------------------------------------------------------


def test_one_leg_and_only_one_leg_takes_a_foot(prone: Simulated) -> None:
    for movement, foot in (("one-leg", None), ("heels-apart", Foot.LEFT)):
        with pytest.raises(ValueError, match="needs a foot"):
            Pipeline(prone.header.feet, movement, foot)  # type: ignore[arg-type]


def test_a_trace_is_the_whole_session_and_changes_no_byte(prone: Simulated) -> None:
    pipeline = Pipeline(prone.header.feet, trace=True)
    seen = [*pipeline.push(prone.packets), *pipeline.finish()]
    assert as_json(summary(seen)) == as_json(replayed(prone))
    signal = pipeline.signal()
    np.testing.assert_allclose(np.diff(signal["time_s"]), 0.01, atol=1e-9)
    assert signal["time_s"][-1] == pytest.approx(summary(seen).duration_s)
    with pytest.raises(ValueError, match="trace=True"):
        Pipeline(prone.header.feet).signal()
