"""Packets -> samples: once each, in order, exactly counted, and the same however the packets are cut."""

import struct
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.errors import PayloadError
from sensorrep.model import SAMPLE, Foot, Packet, Samples, SensorInfo
from sensorrep.stages.decode import REORDER_WAIT_NS, Decode

INFO = bytes.fromhex("01010100 80969800 e7d09c3b 295c8f3d 1000d007 0400f400 00000100 0f000000")  # 10 ms, 16 g, 2000 dps
FEET = {foot: SensorInfo("diy", info=INFO) for foot in Foot}
EXAMPLES = settings(deadline=None, derandomize=True, max_examples=80)


def packet(counter: int, received_s: float, foot: Foot = Foot.LEFT, samples: int = 1, flags: int = 0) -> Packet:
    """A packet whose clock agrees with its counter: 100 Hz, started at 0."""
    head = struct.pack("<BBHI", 0x11, flags, counter % 65536, counter * 10_000)
    body = b"".join(struct.pack("<6h", (counter + i) % 30000, 0, 2049, 0, 0, 0) for i in range(samples))
    return Packet(round(received_s * 1e9), foot, "data", head + body)


def run(decode: Decode, packets: Sequence[Packet], cuts: Sequence[int] = ()) -> Samples:
    bounds = [0, *sorted(cuts), len(packets)]
    blocks = [block for a, b in pairwise(bounds) for block in decode.push(packets[a:b])]
    return Samples(np.concatenate([np.zeros(0, SAMPLE), *blocks, *decode.finish()]))


def tallies(decode: Decode) -> list[dict[Foot, int]]:
    return [decode.samples, decode.lost, decode.duplicates, decode.late, decode.malformed, decode.saturated]


def counters(samples: Samples, foot: Foot = Foot.LEFT) -> list[int]:
    return [int(c) for c in samples["counter"][samples["foot"] == foot]]


def test_packets_in_order_come_out_as_they_came() -> None:
    decode = Decode(FEET)
    samples = run(decode, [packet(4 * (k // 2), 1 + 0.04 * k, Foot(k % 2), 4) for k in range(6)])
    assert samples["foot"].tolist() == [0] * 4 + [1] * 4 + [0] * 4 + [1] * 4 + [0] * 4 + [1] * 4
    assert counters(samples, Foot.LEFT) == counters(samples, Foot.RIGHT) == list(range(12))
    assert decode.samples == {Foot.LEFT: 12, Foot.RIGHT: 12}


def test_an_overtaken_packet_finds_its_place() -> None:
    decode = Decode(FEET)
    samples = run(decode, [packet(c, 1 + 0.01 * i) for i, c in enumerate([0, 1, 3, 4, 2, 5])])
    assert counters(samples) == [0, 1, 2, 3, 4, 5]
    assert (decode.lost[Foot.LEFT], decode.late[Foot.LEFT]) == (0, 0)
    np.testing.assert_allclose(samples["acc_m_s2"][:, 0], np.arange(6) * 0.0047856453, rtol=1e-6)


def test_a_hole_is_held_open_for_the_wait_and_no_longer() -> None:
    wait_s = REORDER_WAIT_NS * 1e-9
    decode = Decode(FEET)
    assert [len(b) for b in decode.push([packet(0, 1.0), packet(2, 1.5), packet(3, 1.5 + wait_s)])] == [1]
    assert decode.lost[Foot.LEFT] == 0
    (released,) = decode.push([packet(4, 1.5 + wait_s + 1e-9)])
    assert released["counter"].tolist() == [2, 3, 4]
    assert decode.lost[Foot.LEFT] == 1


def test_the_other_foots_packets_let_time_pass_too() -> None:
    decode = Decode(FEET)
    decode.push([packet(0, 1.0), packet(2, 1.01)])
    (released,) = decode.push([packet(0, 1.5, Foot.RIGHT)])
    assert released["counter"].tolist() == [2, 0]
    assert released["foot"].tolist() == [0, 1]


def test_what_comes_after_its_hole_was_closed_is_dropped_and_counted() -> None:
    decode = Decode(FEET)
    samples = run(decode, [packet(0, 1.0), packet(2, 1.01), packet(3, 1.3), packet(1, 1.31), packet(4, 1.32)])
    assert counters(samples) == [0, 2, 3, 4]
    assert (decode.lost[Foot.LEFT], decode.late[Foot.LEFT], decode.duplicates[Foot.LEFT]) == (1, 1, 0)


def test_every_notification_twice_is_every_sample_once() -> None:
    packets = [packet(4 * k, 1 + 0.04 * k, samples=4) for k in range(50)]
    decode = Decode(FEET)
    samples = run(decode, [p for p in packets for _ in range(2)])
    assert counters(samples) == list(range(200))
    assert decode.duplicates[Foot.LEFT] == 200
    assert decode.lost[Foot.LEFT] == decode.late[Foot.LEFT] == 0


def test_the_counters_wrap_in_mid_stream_loses_nothing() -> None:
    packets = [packet(65000 + 4 * k, 1 + 0.04 * k, samples=4) for k in range(300)]
    packets[130:140] = packets[139:129:-1]
    decode = Decode(FEET)
    samples = run(decode, packets)
    assert counters(samples) == list(range(65000, 66200))
    assert (decode.lost[Foot.LEFT], decode.late[Foot.LEFT]) == (0, 0)


def test_a_new_epoch_lets_out_what_waited_and_counts_its_holes() -> None:
    decode = Decode(FEET)
    packets = [packet(c, 1 + 0.01 * i) for i, c in enumerate([5000, 5001, 5003])]
    samples = run(decode, [*packets, packet(0, 1.08, flags=4), packet(1, 1.09)])
    assert counters(samples) == [5000, 5001, 5003, 0, 1]
    assert samples["epoch"].tolist() == [0, 0, 0, 1, 1]
    assert decode.lost[Foot.LEFT] == 1


def test_a_foot_that_nobody_announced_and_bytes_that_say_nothing_are_malformed() -> None:
    decode = Decode({Foot.LEFT: FEET[Foot.LEFT]})
    bad = Packet(10**9, Foot.LEFT, "data", b"\x11\0")
    samples = run(decode, [packet(0, 1), packet(0, 1, Foot.RIGHT), bad, packet(1, 1.01)])
    assert counters(samples) == [0, 1]
    assert decode.malformed == {Foot.LEFT: 1, Foot.RIGHT: 1}


def test_saturated_samples_are_counted() -> None:
    loud = struct.pack("<BBHI6h", 0x11, 1, 1, 10_000, 0, 0, 2049, 32767, 0, 0)
    decode = Decode(FEET)
    run(decode, [packet(0, 1), Packet(1_010_000_000, Foot.LEFT, "data", loud)])
    assert decode.saturated == {Foot.LEFT: 1, Foot.RIGHT: 0}


def test_info_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(PayloadError):
        Decode({Foot.LEFT: SensorInfo("diy", info=b"\x01\x02")})


def test_no_packets_give_no_blocks() -> None:
    decode = Decode(FEET)
    assert decode.push([]) == decode.finish() == []


@st.composite
def bad_links(draw: st.DrawFn) -> list[Packet]:
    """Two feet, packets of 1 to 3 samples, with loss, duplicates, overtaking, ties of arrival, and a reboot."""
    packets = []
    for foot in Foot:
        counter = draw(st.sampled_from([0, 65500]))
        for _ in range(draw(st.integers(0, 40))):
            samples = draw(st.sampled_from([1, 1, 3]))
            delay_s = draw(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.02, 0.15, 0.3, 0.5]))
            for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 1, 2]))):
                packets.append((counter * 0.01 - counter // 10**5 * 900 + delay_s, counter, samples, foot))
                delay_s += draw(st.sampled_from([0.0, 0.02, 0.4]))
            counter += samples
            if draw(st.integers(0, 30)) == 0:
                counter += 10**5  # a reboot: the packet below starts at 0 again
    return [
        packet(counter % 10**5, round(arrival_s, 2), foot, samples, flags=4 * (counter > 10**5 and counter % 10**5 < 3))
        for arrival_s, counter, samples, foot in sorted(packets, key=lambda p: p[0])
    ]


@EXAMPLES
@given(bad_links(), st.lists(st.integers(0, 150), max_size=6))
def test_any_cutting_of_the_packets_gives_the_same_samples_and_tallies(packets: list[Packet], cuts: list[int]) -> None:
    whole = Decode(FEET)
    expected = run(whole, packets)
    for edges in ([c for c in cuts if c < len(packets)], list(range(len(packets)))):
        decode = Decode(FEET)
        np.testing.assert_array_equal(run(decode, packets, edges), expected)
        assert tallies(decode) == tallies(whole)


@EXAMPLES
@given(bad_links())
def test_each_number_comes_out_once_in_order_and_all_are_accounted_for(packets: list[Packet]) -> None:
    decode = Decode(FEET)
    samples = run(decode, packets)
    arrived = dict.fromkeys(Foot, 0)
    for p in packets:
        arrived[p.foot] += (len(p.payload) - 8) // 12
    for foot in Foot:
        mine = samples[samples["foot"] == foot]
        for epoch in np.unique(mine["epoch"]):
            steps = np.diff(mine["counter"][mine["epoch"] == epoch])
            assert (steps > 0).all()
        assert (np.diff(mine["epoch"]) >= 0).all()
        holes = np.diff(mine["counter"])[np.diff(mine["epoch"]) == 0] - 1
        assert decode.lost[foot] == holes.sum()
        assert decode.samples[foot] == len(mine)
        assert decode.samples[foot] + decode.duplicates[foot] + decode.late[foot] == arrived[foot]


@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 25), st.sampled_from([0.0, 0.01, 0.05, 0.19, 0.21])), max_size=40))
def test_it_agrees_with_the_rule_applied_to_one_packet_after_the_other(arrivals: list[tuple[int, float]]) -> None:
    now_ns = 10**9
    packets = []
    for counter, step_s in arrivals:
        now_ns += round(step_s * 1e9)
        packets.append(packet(counter, now_ns * 1e-9))
    decode = Decode(FEET)
    samples = run(decode, packets)

    out: list[int] = []
    held: dict[int, int] = {}  # counter -> arrival
    closed: set[int] = set()
    late = duplicates = 0
    for p in [*packets, Packet(2**62, Foot.LEFT, "end", b"")]:
        while held:  # close the lowest hole, and let out what it held back
            lowest = min(held)
            if out and lowest > out[-1] + 1 and p.received_ns <= min(held.values()) + REORDER_WAIT_NS:
                break
            closed.update(range(out[-1] + 1 if out else lowest, lowest))
            out.append(lowest)
            del held[lowest]
        if p.channel == "end":
            break
        counter = struct.unpack_from("<H", p.payload, 2)[0]
        if counter in closed or (out and counter < out[0]):
            late += 1
        elif counter in out or counter in held:
            duplicates += 1
        else:
            held[counter] = p.received_ns
            while held and (not out or min(held) == out[-1] + 1):
                out.append(min(held))
                del held[out[-1]]
    assert counters(samples) == out
    assert decode.lost[Foot.LEFT] == len(closed)
    assert decode.late[Foot.LEFT] + decode.duplicates[Foot.LEFT] == late + duplicates
