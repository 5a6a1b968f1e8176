import struct
from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sensorrep.model import FloatArray, Foot, Packet
from sensorrep.sources.synthetic import (
    CHEAP,
    Link,
    Outage,
    Rest,
    Scenario,
    Sensor,
    Set,
    Simulated,
    Walk,
    simulate,
    typical,
)
from sensorrep.sources.synthetic.body import GRID_HZ
from sensorrep.sources.synthetic.sensor import info, interpolate
from sensorrep.sources.synthetic.session import MARGIN_S, act

EXACT = Sensor(
    rate_error=0.004,
    gyr_bias_dps=0.0,
    gyr_walk_dps=0.0,
    gyr_noise_dps=0.0,
    acc_bias_m_s2=0.0,
    acc_noise_m_s2=0.0,
    scale_error=0.0,
    boot_s=100.0,
    clock_ppm=0.0,
)
SHORT = Scenario("prone", (Set(2),), left=EXACT, right=EXACT, lies_ready=True)
LONG = Scenario("prone", (Rest(80.0, "still"),), lies_ready=True)


class Heard(NamedTuple):
    """One packet, taken apart by the profile's text alone."""

    received_s: float
    flags: int
    counter: int
    clock_us: int
    readings: FloatArray


def parse(packet: Packet) -> Heard:
    kind, flags, counter, clock_us = struct.unpack_from("<BBHI", packet.payload)
    assert kind == 0x11
    readings = np.array(list(struct.iter_unpack("<6h", packet.payload[8:])), dtype=np.float64)
    return Heard(packet.received_ns * 1e-9, flags, counter, clock_us, readings)


def heard(simulated: Simulated, foot: Foot = Foot.LEFT) -> list[Heard]:
    return [parse(packet) for packet in simulated.packets if packet.foot is foot]


def counters(simulated: Simulated, foot: Foot = Foot.LEFT) -> list[int]:
    return [packet.counter for packet in heard(simulated, foot)]


def test_info_of_a_usual_board_is_the_profile_s_own_example() -> None:
    example = "01010100 19b89200 e7d09c3b 295c8f3d 1000 d007 04 00 f400 00000100 0f000000"
    assert info(Sensor(rate_hz=104.0), Foot.LEFT) == bytes.fromhex(example)
    assert info(Sensor(), Foot.RIGHT)[2] == 2


@pytest.mark.parametrize("rate_hz", [25.0, 100.0, 200.0])
def test_packets_hold_the_true_motion_within_rounding(rate_hz: float) -> None:
    scenario = replace(SHORT, left=replace(EXACT, rate_hz=rate_hz), right=replace(EXACT, rate_hz=rate_hz))
    body_rng, straps_rng = np.random.default_rng(3).spawn(5)[:2]
    _, motion = act(scenario, body_rng, straps_rng)
    simulated = simulate(scenario, 3)
    for foot in Foot:
        acc_lsb, gyr_lsb = struct.unpack_from("<ff", simulated.header.feet[foot].info, 8)
        packets = heard(simulated, foot)
        readings = np.concatenate([packet.readings for packet in packets])
        first_s = packets[0].clock_us * 1e-6 - 100.0 + MARGIN_S  # the clock was 100 s old at the recording's begin
        time_s = first_s + np.arange(len(readings)) / (rate_hz * 1.004)
        acc = interpolate(motion.acc_m_s2[foot], motion.time_s[0], time_s).T
        gyr_deg = np.rad2deg(interpolate(motion.gyr_rad_s[foot], motion.time_s[0], time_s)).T
        # half a step, and 20 us of interrupt latency on a movement that changes
        assert_allclose(readings[:, :3] * acc_lsb, acc, atol=0.5 * acc_lsb + 1e-3)
        assert_allclose(readings[:, 3:] * gyr_lsb, gyr_deg, atol=0.5 * gyr_lsb + 1e-2)
        assert np.abs(gyr_deg).max() > 5.0


def test_interpolation_between_grid_points_is_exact_for_cubics() -> None:
    grid_s = 5.0 + np.arange(50) / GRID_HZ
    time_s = np.linspace(5.01, 5.11, 33)

    def cubic(x: FloatArray) -> FloatArray:
        return np.stack([x**3 - 40.0 * x, 2.0 * x**2 + 1.0])

    assert_allclose(interpolate(cubic(grid_s), 5.0, time_s), cubic(time_s), rtol=1e-12)


def test_a_seed_gives_the_same_session_to_the_bit_and_another_seed_another() -> None:
    scenario = typical(
        "table-top", sets=1, reps=3, link=Link(loss=0.02, reorder=0.02, duplicate=0.02, stalls_per_min=2)
    )
    first, second, other = simulate(scenario, 11), simulate(scenario, 11), simulate(scenario, 12)
    assert first.packets == second.packets
    assert first.header == second.header
    assert first.truth.as_json() == second.truth.as_json()
    assert first.packets != other.packets


def test_faults_of_radio_and_sensor_leave_all_else_as_it_was() -> None:
    plain, lossy = simulate(SHORT, 5), simulate(replace(SHORT, link=Link(loss=0.1), right=CHEAP), 5)
    kept = {packet.payload for packet in lossy.packets if packet.foot is Foot.LEFT}
    assert kept < {packet.payload for packet in plain.packets if packet.foot is Foot.LEFT}


def test_packets_come_in_order_of_arrival_after_their_last_sample() -> None:
    simulated = simulate(LONG, 2)
    received = [packet.received_ns for packet in simulated.packets]
    assert received == sorted(received)
    packets = heard(simulated)
    device_s = np.unwrap([packet.clock_us * 1e-6 for packet in packets], period=2**32 * 1e-6)
    delay_s = np.array([packet.received_s for packet in packets]) - device_s
    delay_s -= delay_s.min()
    assert delay_s.max() < 0.2
    assert np.median(delay_s) > 0.003  # connection events are not sample times


def test_time_zero_is_the_first_sample_that_arrived() -> None:
    late = replace(SHORT, outages=tuple(Outage(foot, 0.0, 1.0, "away") for foot in Foot))
    shift_s = simulate(SHORT, 9).truth.sets[0].start_s - simulate(late, 9).truth.sets[0].start_s
    assert 0.9 < shift_s < 1.0


def test_counter_and_clock_wrap() -> None:
    sensor = replace(EXACT, first_counter=65_530, boot_s=2**32 * 1e-6 - 1.0)
    packets = heard(simulate(replace(SHORT, left=sensor), 1))
    number = [packet.counter for packet in packets]
    clock_us = [packet.clock_us for packet in packets]
    assert number[:3] == [65_530, 65_534, 2]
    assert clock_us[0] > 2**32 - 1_000_000
    assert clock_us[-1] < 10**8
    assert set(np.diff(number) % 65_536) == {4}
    assert_allclose(np.diff(clock_us) % 2**32, 4e4 / 1.004, atol=25.0)


@given(rate_error=st.floats(-0.02, 0.02), ppm=st.floats(-100.0, 100.0), rate_hz=st.sampled_from([25.0, 104.0, 200.0]))
@settings(deadline=None, max_examples=8, derandomize=True)
def test_oscillator_and_clock_are_off_by_what_was_asked(rate_error: float, ppm: float, rate_hz: float) -> None:
    sensor = Sensor(rate_hz=rate_hz, rate_error=rate_error, clock_ppm=ppm, boot_s=5.0)
    simulated = simulate(replace(LONG, left=sensor, right=None), 3)
    packets = heard(simulated)
    device_s = 1e-6 * (packets[-1].clock_us - packets[0].clock_us)
    samples = packets[-1].counter - packets[0].counter
    assert_allclose(samples / device_s, rate_hz * (1.0 + rate_error) / (1.0 + 1e-6 * ppm), rtol=1e-6)
    assert_allclose(device_s / (packets[-1].received_s - packets[0].received_s), 1.0 + 1e-6 * ppm, atol=6e-4)


@pytest.mark.parametrize("samples", [1, 4, 19])
def test_packets_have_the_size_that_info_tells(samples: int) -> None:
    simulated = simulate(replace(SHORT, left=Sensor(samples_per_packet=samples)), 1)
    assert {len(packet.payload) for packet in simulated.packets if packet.foot is Foot.LEFT} == {8 + 12 * samples}
    assert simulated.header.feet[Foot.LEFT].info[20] == samples


def test_loss_and_duplicates_come_at_the_rate_asked_for() -> None:
    number = Counter(counters(simulate(replace(LONG, link=Link(loss=0.1, duplicate=0.05)), 4)))
    sent = max(number) // 4 + 1
    assert 0.07 < 1.0 - len(number) / sent < 0.13
    assert 0.03 < sum(count == 2 for count in number.values()) / len(number) < 0.07


def test_a_clean_link_loses_doubles_and_swaps_nothing_and_a_bad_one_swaps() -> None:
    assert set(np.diff(counters(simulate(LONG, 4)))) == {4}
    swapped = np.diff(counters(simulate(replace(LONG, link=Link(reorder=0.05)), 4)))
    assert 0.02 < np.mean(swapped < 0) < 0.08
    assert sorted(counters(simulate(replace(LONG, link=Link(reorder=0.05)), 4))) == counters(simulate(LONG, 4))


def test_a_stall_holds_packets_back_and_gives_them_all_at_once() -> None:
    packets = heard(simulate(replace(LONG, outages=(Outage(Foot.LEFT, 20.0, 1.5, "stall"),)), 4))
    received_s = np.array([packet.received_s for packet in packets])
    pause = int(np.argmax(np.diff(received_s)))
    assert 1.3 < received_s[pause + 1] - received_s[pause] < 1.6
    assert received_s[pause + 35] - received_s[pause + 1] < 0.05
    assert set(np.diff([packet.counter for packet in packets])) == {4}


def test_random_stalls_come_as_often_as_asked() -> None:
    packets = heard(simulate(replace(LONG, link=Link(stalls_per_min=4.0)), 4))
    pauses = np.diff([packet.received_s for packet in packets]) > 0.8
    assert 3 <= pauses.sum() <= 14


@pytest.mark.parametrize("interval_s", [0.015, 0.03, 0.04875])
def test_packets_arrive_only_at_connection_events(interval_s: float) -> None:
    link = Link(interval_s, jitter_s=0.0)
    received_s = np.array([packet.received_s for packet in heard(simulate(replace(LONG, link=link), 4))])
    event = (received_s - received_s[0]) / interval_s
    assert_allclose(event, np.rint(event), atol=0.02)


def test_a_foot_that_is_away_misses_its_samples_and_counts_on() -> None:
    missing = np.diff(counters(simulate(replace(LONG, outages=(Outage(Foot.LEFT, 20.0, 5.0, "away"),)), 4)))
    assert np.sum(missing != 4) == 1
    assert_allclose(missing.max(), 500.0, rtol=0.03)
    assert set(np.diff(counters(simulate(replace(LONG, outages=(Outage(Foot.LEFT, 20.0, 5.0),)), 4), Foot.RIGHT))) == {
        4
    }


def test_a_dead_sensor_s_clock_goes_on_and_it_says_that_samples_were_lost() -> None:
    packets = heard(simulate(replace(LONG, outages=(Outage(Foot.LEFT, 20.0, 5.0, "dead"),), left=EXACT), 4))
    flagged = [at for at, packet in enumerate(packets) if packet.flags & 2]
    assert len(flagged) == 1
    clock_us = [packet.clock_us for packet in packets[flagged[0] - 1 : flagged[0] + 1]]
    assert 4.9e6 < clock_us[1] - clock_us[0] < 5.2e6
    assert packets[flagged[0]].counter - packets[flagged[0] - 1].counter < 8


def test_a_reboot_starts_counter_and_clock_anew() -> None:
    packets = heard(simulate(replace(LONG, outages=(Outage(Foot.LEFT, 20.0, 3.0, "reboot"),), left=EXACT), 4))
    starts = [at for at, packet in enumerate(packets) if packet.flags & 4]
    assert len(starts) == 2
    assert starts[0] == 0
    again = packets[starts[1]]
    assert again.counter == 0
    assert again.clock_us < 3_000_000
    assert again.received_s - packets[starts[1] - 1].received_s > 2.9


def test_a_small_range_saturates_and_says_so() -> None:
    walking = Scenario("prone", (Walk(8),), left=Sensor(acc_range_g=2, gyr_range_dps=250), lies_ready=False)
    packets = heard(simulate(walking, 1))
    full = [bool(np.isin(packet.readings, (-32768, 32767)).any()) for packet in packets]
    assert [bool(packet.flags & 1) for packet in packets] == full
    assert 3 < sum(full) < len(full)


def still_gyr_dps(sensor: Sensor, seed: int) -> FloatArray:
    lsb = struct.unpack_from("<f", info(sensor, Foot.LEFT), 12)[0]
    packets = heard(simulate(replace(LONG, left=sensor, right=None, end_s=15.0), seed))
    rate_dps: FloatArray = np.concatenate([packet.readings[:, 3:] for packet in packets]) * lsb
    return rate_dps


def test_noise_and_bias_are_those_of_the_sensor() -> None:
    good = still_gyr_dps(Sensor(), 1)
    fast_dps = np.std(np.diff(good, axis=0), axis=0) / np.sqrt(2.0)
    assert_allclose(fast_dps, 0.06, atol=0.02)  # 0.008 per root hertz over 50 Hz
    bias = np.array([still_gyr_dps(CHEAP, seed).mean(axis=0) for seed in range(8)])
    assert 3.0 < np.std(bias) < 7.5


def test_a_foot_without_a_sensor_is_silent() -> None:
    one = simulate(replace(SHORT, right=None), 1)
    assert set(one.header.feet) == {Foot.LEFT}
    assert {packet.foot for packet in one.packets} == {Foot.LEFT}
    assert one.header.movement == "one-leg"
    rep = one.truth.sets[0].reps[0]
    assert_allclose(rep.opening_deg, rep.range_deg[0], atol=0.01)


def test_the_header_says_that_it_is_simulated_and_by_which_sensors() -> None:
    header = simulate(SHORT, 1).header
    assert header.simulated
    assert [(foot, header.feet[foot].device, header.feet[foot].name[:6]) for foot in Foot] == [
        (Foot.LEFT, "diy", "REP-L-"),
        (Foot.RIGHT, "diy", "REP-R-"),
    ]
