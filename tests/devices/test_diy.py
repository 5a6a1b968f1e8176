"""Ankle IMU profile v1: bytes -> samples, and the scripts that start and stop a sensor."""

import contextlib
import struct
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.devices import Action, Await, Mtu, Read, Script, Subscribe, Write, device, diy
from sensorrep.errors import PayloadError, RadioError
from sensorrep.model import Foot, Packet, Samples

# From firmware_notes/diy.md, section 'Test vectors'.
INFO = bytes.fromhex("01010100 19b89200 e7d09c3b 295c8f3d 1000d007 0400f400 00000100 0f000000")
FIRST = bytes.fromhex("11040000 40420f00 0000000001086400 38ff2c01")
WRAP = bytes.fromhex(
    "1101feff 00ffffff 0100ffff0208000000000000 0200feff03080a00f6ff1400 0300fdff0408ff7f00801e00",
)
AFTER_WRAP = bytes.fromhex("11000100 ad6f0000 0400fcff0508000000000000")
PERIOD_NS = 9_615_385
EXAMPLES = settings(deadline=None, derandomize=True, max_examples=60)


def data(t_us: int, counter: int, samples: int = 4, flags: int = 0, value: int = 0) -> bytes:
    head = struct.pack("<BBHI", 0x11, flags, counter % 2**16, t_us % 2**32)
    return head + struct.pack("<6h", value, 0, 2049, 0, 0, 0) * samples


def packet(payload: bytes, received_s: float = 0.0, channel: str = "data") -> Packet:
    return Packet(round(received_s * 1e9), Foot.LEFT, channel, payload)


def stream(first: int, packets: int, period_us: float = 9615.385, start_us: int = 0, samples: int = 4) -> list[Packet]:
    """Packets that arrive 30 ms after their last sample, the first one flagged as such."""
    out = []
    for k in range(packets):
        t_us = start_us + round(k * samples * period_us)
        flags = 4 if k == 0 else 0
        payload = data(t_us, first + k * samples, samples, flags)
        out.append(packet(payload, 100 + (t_us - start_us) * 1e-6 + samples * period_us * 1e-6 + 0.03))
    return out


def decode(packets: Sequence[Packet]) -> Samples:
    return diy.Decoder(INFO).push(packets)


def test_the_first_published_packet_gives_the_published_numbers() -> None:
    samples = decode([packet(FIRST)])
    assert samples["device_ns"].tolist() == [1_000_000_000]
    assert samples["counter"].tolist() == [0]
    np.testing.assert_allclose(samples["acc_m_s2"], [[0, 0, 9.805787]], atol=1e-5)
    np.testing.assert_allclose(np.rad2deg(samples["gyr_rad_s"]), [[7, -14, 21]], atol=1e-5)
    assert not samples["saturated"].any()


def test_counter_and_clock_go_on_over_their_wraps_as_published() -> None:
    samples = decode([packet(WRAP), packet(AFTER_WRAP)])
    assert samples["counter"].tolist() == [65534, 65535, 65536, 65537]
    assert samples["device_ns"][[0, 3]].tolist() == [4294967040_000, (4294967040 + 28845) * 1000]
    assert samples["saturated"].tolist() == [False, False, True, False]
    assert samples["epoch"].tolist() == [0, 0, 0, 0]
    raw = np.rint(samples["acc_m_s2"] / 0.0047856453)
    assert raw.tolist() == [[1, -1, 2050], [2, -2, 2051], [3, -3, 2052], [4, -4, 2053]]


def test_published_info_gives_the_published_settings() -> None:
    info = diy.parse_info(INFO)
    assert list(info) == pytest.approx([1, 1, 0, PERIOD_NS, 0.0047856453, 0.07, 16, 2000, 4, 244, 65536, 15])
    assert info.configurable


@pytest.mark.parametrize(
    "payload",
    [
        *(INFO[:n] for n in range(32)),
        INFO + b"\0",
        b"\x02" + INFO[1:],
        INFO[:4] + bytes(4) + INFO[8:],
        INFO[:8] + struct.pack("<f", 0.000488) + INFO[12:],  # g instead of m/s2
        INFO[:12] + struct.pack("<f", 0.00122) + INFO[16:],  # rad/s instead of deg/s
        INFO[:12] + struct.pack("<f", float("nan")) + INFO[16:],
    ],
)
def test_info_that_is_cut_or_contradicts_itself_is_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        diy.parse_info(payload)


@pytest.mark.parametrize(
    "payload",
    [*(WRAP[:n] for n in range(len(WRAP)) if n not in {20, 32}), b"\x21" + FIRST[1:], FIRST + b"\0", bytes(248)],
)
def test_a_payload_of_another_kind_or_length_is_refused_and_counted(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        diy.parse_data(payload)
    decoder = diy.Decoder(INFO)
    samples = decoder.push([packet(WRAP), packet(payload), packet(AFTER_WRAP)])
    assert decoder.malformed == 1
    assert samples["counter"].tolist() == [65534, 65535, 65536, 65537]


@EXAMPLES
@given(st.binary(max_size=300))
def test_any_bytes_give_samples_or_a_payload_error(payload: bytes) -> None:
    decoder = diy.Decoder(INFO)
    samples = decoder.push([packet(payload), packet(payload, channel="info"), packet(payload, channel="control")])
    assert np.isfinite(samples["acc_m_s2"]).all()
    for parse in (diy.parse_data, diy.parse_info):
        with contextlib.suppress(PayloadError):
            parse(payload)


def test_a_configuration_that_info_has_not_confirmed_is_refused_until_it_has() -> None:
    renewed = INFO[:3] + b"\x11" + INFO[4:8] + struct.pack("<f", 0.0023928) + INFO[12:16] + b"\x08" + INFO[17:]
    decoder = diy.Decoder(INFO)
    packets = [
        packet(data(0, 0, 1, value=1000), 0.0),
        packet(data(10_000, 1, 1, flags=0x10, value=1000), 0.01),
        packet(renewed, 0.02, "info"),
        packet(data(20_000, 2, 1, flags=0x10, value=1000), 0.03),
        packet(data(30_000, 3, 1, value=1000), 0.04),
    ]
    samples = decoder.push(packets)
    assert decoder.malformed == 2
    assert samples["counter"].tolist() == [0, 2]
    np.testing.assert_allclose(samples["acc_m_s2"][:, 0], [4.7856453, 2.3928], rtol=1e-6)


def test_without_info_nothing_is_decoded_until_an_info_packet_comes() -> None:
    decoder = diy.Decoder(b"")
    samples = decoder.push([packet(FIRST), packet(INFO, channel="info"), packet(FIRST)])
    assert (len(samples), decoder.malformed) == (1, 1)


def test_a_nonsense_info_packet_is_counted_and_the_old_info_stays() -> None:
    decoder = diy.Decoder(INFO)
    samples = decoder.push([packet(b"\x01", channel="info"), packet(FIRST), packet(b"", channel="fitness")])
    assert (len(samples), decoder.malformed) == (1, 2)


def test_samples_in_a_packet_follow_the_sensors_true_rate() -> None:
    true_us = 9615.385 * 1.02
    samples = decode(stream(0, 500, true_us))
    error_ns = samples["device_ns"] - np.rint(np.arange(2000) * true_us * 1000)
    assert np.abs(error_ns[:4]).max() < 3 * 0.02 * PERIOD_NS + 1000  # the first packet knows Info's period only
    assert np.abs(error_ns[4:]).max() <= 1500


def test_one_hour_and_a_half_has_every_number_and_time_once_over_all_wraps() -> None:
    packets = stream(65000, 5400 * 26, start_us=2**32 - 1_000_000)
    samples = decode(packets)
    n = 5400 * 26 * 4
    np.testing.assert_array_equal(samples["counter"], 65000 + np.arange(n))
    assert (samples["epoch"] == 0).all()
    np.testing.assert_allclose(np.diff(samples["device_ns"]), 9615385, atol=1500)


@EXAMPLES
@given(st.permutations(range(40)), st.integers(0, 2**16), st.integers(0, 2**32))
def test_packets_out_of_order_are_no_wrap_and_no_new_epoch(order: list[int], first: int, start_us: int) -> None:
    packets = stream(first, 40, start_us=start_us)
    straight = decode(packets)
    arrivals = sorted(packet.received_ns for packet in packets)
    mixed = [packets[i]._replace(received_ns=at) for i, at in zip(order, arrivals, strict=True)]
    samples = decode(mixed)
    assert (samples["epoch"] == 0).all()
    shift = 65536 * round((int(samples["counter"].min()) - int(straight["counter"][0])) / 65536)
    np.testing.assert_array_equal(np.sort(samples["counter"]) - shift, straight["counter"])


@pytest.mark.parametrize("silence_s", [1.0, 400.0, 700.0, 3000.0, 9000.0])
def test_a_long_silence_counts_its_loss_exactly(silence_s: float) -> None:
    true_us = 9615.385 * 1.03
    packets = stream(60000, round(silence_s * 26) + 50, true_us)
    samples = decode([*packets[:20], *packets[-20:]])
    assert samples["counter"][-1] == 60000 + len(packets) * 4 - 1
    assert samples["device_ns"][-1] == pytest.approx((len(packets) * 4 - 1) * true_us * 1000, abs=2000)
    assert samples["epoch"].max() == 0


def test_a_reboot_begins_a_new_epoch_with_the_numbers_as_sent() -> None:
    before, after = stream(5000, 50, start_us=900_000_000), stream(0, 3, start_us=3_000_000)
    after = [p._replace(received_ns=p.received_ns + 10_000_000_000) for p in after]
    samples = decode([*before, *after])
    assert samples["epoch"].tolist() == [0] * 200 + [1] * 12
    assert samples["counter"][200:].tolist() == list(range(12))
    assert samples["device_ns"][200] == 3_000_000_000


def test_a_reboot_is_seen_without_its_first_packet() -> None:
    before, after = stream(5000, 50, start_us=900_000_000), stream(0, 4, start_us=3_000_000)
    after = [p._replace(received_ns=p.received_ns + 10_000_000_000) for p in after]
    assert decode([*before, *after[1:]])["epoch"].tolist() == [0] * 200 + [1] * 12


def test_a_counter_that_starts_anew_on_a_running_clock_is_a_new_epoch() -> None:
    before = stream(30000, 50, start_us=900_000_000)
    after = [packet(data(905_000_000 + k * 38461, k * 4), 105.07 + k * 0.038) for k in range(3)]
    assert decode([*before, *after])["epoch"].tolist() == [0] * 200 + [1] * 12


def test_a_repeated_or_overtaken_first_packet_begins_no_epoch() -> None:
    p = stream(0, 4)
    assert decode([p[0], p[0], p[1], p[0], p[2]])["epoch"].max() == 0
    assert decode([p[1], p[0], p[2], p[3]])["epoch"].max() == 0


def test_a_hole_that_the_sensor_could_not_count_is_no_new_epoch() -> None:
    packets = stream(0, 10)
    late = [packet(data(5_000_000 + k * 38461, 40 + 4 * k, flags=2), 105.1 + k * 0.038) for k in range(3)]
    samples = decode([*packets, *late])
    assert samples["epoch"].max() == 0
    assert samples["counter"].tolist() == list(range(52))
    assert samples["device_ns"][40] == 5_000_000_000


@EXAMPLES
@given(st.lists(st.integers(0, 48), max_size=8))
def test_any_cutting_of_the_packets_gives_the_same_samples(cuts: list[int]) -> None:
    packets = stream(65400, 25, samples=4) + [
        packet(p.payload, p.received_ns * 1e-9 + 20) for p in stream(0, 20, 9700.0, 2**32 - 200_000, samples=1)
    ]
    packets[3], packets[5] = packets[5]._replace(received_ns=packets[3].received_ns), packets[3]
    packets[10:10] = [packet(b"\x11\0", 101.0), packet(INFO, 101.0, "info"), packets[9]]
    packets[30:30] = [packet(data(0, 0, flags=0x50), 140.0)]
    whole = diy.Decoder(INFO)
    expected = whole.push(packets)
    for edges in (sorted(cuts), list(range(len(packets) + 1))):
        decoder = diy.Decoder(INFO)
        bounds = [0, *edges, len(packets)]
        parts = [decoder.push(packets[a:b]) for a, b in pairwise(bounds)]
        np.testing.assert_array_equal(np.concatenate(parts), expected)
        assert decoder.malformed == whole.malformed == 2


def play(script: Script, answers: Sequence[bytes]) -> tuple[list[Action], bytes]:
    """All actions of a script that is sent these answers, and what it returns."""
    actions = [next(script)]
    for answer in answers:
        try:
            actions.append(script.send(answer))
        except StopIteration as end:
            return actions, end.value
    raise AssertionError("the script wants more answers")


WIDE = (247).to_bytes(2, "little")
"""A link's MTU, as a script is told it."""


class TestScripts:
    def test_start_configures_a_stopped_sensor_and_returns_the_info_that_then_holds(self) -> None:
        renewed = INFO[:3] + b"\x01" + INFO[4:]
        script = diy.start(104.0)
        assert next(script) == Read("info")
        assert script.send(INFO) == Subscribe("control")
        assert script.send(b"") == Write("control", b"\x02")
        assert script.send(b"") == Await("control", b"\x82")
        assert script.send(b"\x82\0") == Mtu()
        assert script.send(WIDE) == Write("control", struct.pack("<BHBHB", 3, 104, 8, 1000, 4))
        assert script.send(b"") == Await("control", b"\x83")
        assert script.send(b"\x83\0") == Read("info")
        assert script.send(renewed) == Subscribe("data")
        assert script.send(b"") == Write("control", b"\x01\x04")
        assert script.send(b"") == Await("control", b"\x81")
        with pytest.raises(StopIteration) as end:
            script.send(b"\x81\0")
        assert end.value.value == renewed

    def test_start_leaves_the_settings_of_a_sensor_that_cannot_change_them(self) -> None:
        fixed = INFO[:28] + bytes(4)
        answers = [fixed, b"", b"", b"\x82\0", WIDE, b"", b"", b"\x81\0"]
        actions, info = play(diy.start(52.0), answers)
        assert info == fixed
        assert [a for a in actions if isinstance(a, Write)] == [Write("control", b"\2"), Write("control", b"\1\2")]

    @pytest.mark.parametrize(("mtu", "samples"), [(23, 1), (34, 1), (35, 2), (58, 3), (59, 4), (517, 4)])
    def test_start_asks_for_as_many_samples_a_packet_as_the_link_carries(self, mtu: int, samples: int) -> None:
        answers = [INFO, b"", b"", b"\x82\0", mtu.to_bytes(2, "little"), b"", b"\x83\0", INFO, b"", b"", b"\x81\0"]
        actions, _ = play(diy.start(100.0), answers)
        assert [one.payload[-1] for one in actions if isinstance(one, Write)] == [2, samples, samples]
        assert len(data(0, 0, samples)) <= mtu - 3

    def test_a_sensor_that_refuses_to_start_is_a_radio_error(self) -> None:
        answers = [INFO, b"", b"", b"\x82\0", WIDE, b"", b"\x83\x01", INFO, b"", b"", b"\x81\x03"]
        with pytest.raises(RadioError, match="refused to start"):
            play(diy.start(104.0), answers)

    def test_stop_says_stop(self) -> None:
        assert list(diy.stop()) == [Write("control", b"\x02")]

    def test_it_recognises_its_service_and_its_names(self) -> None:
        assert diy.recognises(None, [diy.SERVICE.upper()])
        assert diy.recognises("REP-L-12ab", [])
        assert not diy.recognises(None, [])
        assert not diy.recognises("WT901BLE67", ["0000180f-0000-1000-8000-00805f9b34fb"])

    def test_it_is_one_of_the_models(self) -> None:
        assert device("diy").MODEL == "diy"
        assert len(data(0, 0, 1)) + 3 == device("diy").MIN_MTU


class TestClockPing:
    def test_the_offset_is_that_of_the_middle_of_the_exchange(self) -> None:
        """Sent at 10.000 s, 4 ms out, 1 ms in the sensor, 4 ms back; the sensor's clock is 5 s ahead."""
        answer = bytes([0x86, 0]) + struct.pack("<III", 77, 15_004_000, 15_005_000)
        ping = diy.parse_ping(answer, 10_000_000_000, 10_009_000_000)
        assert ping == diy.Ping(77, 5_000_000, 8000.0)

    def test_it_holds_over_a_wrap_of_the_sensors_clock(self) -> None:
        answer = bytes([0x86, 0]) + struct.pack("<III", 1, 2**32 - 400, 600)
        assert diy.parse_ping(answer, 0, 2_000_000) == diy.Ping(1, (2**32 + 100 - 1000) % 2**32, 1000.0)

    def test_the_request_carries_the_token(self) -> None:
        assert diy.ping(0x01020304) == b"\x06\x04\x03\x02\x01"

    @pytest.mark.parametrize("payload", [b"", b"\x86\0", b"\x86\x01" + bytes(12), b"\x81\0" + bytes(12)])
    def test_anything_else_is_refused(self, payload: bytes) -> None:
        with pytest.raises(PayloadError):
            diy.parse_ping(payload, 0, 0)
