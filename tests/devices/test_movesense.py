"""Movesense messages: a real capture, joined parts, times between stamps, loss, restarts, and the start-up bytes."""

import struct
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensorrep.devices import Await, Subscribe, Write, movesense
from sensorrep.devices.movesense import CHANNELS, Decoder, parse_imu6, parse_status, recognises
from sensorrep.devices.wire import Renewed
from sensorrep.errors import PayloadError, RadioError, RadioReason
from sensorrep.model import Packet
from tests.devices.driving import CUTS, decoded, drive, packets, plausible, refused, same_however_cut, streams

# sensein/movesense-py@800da2a tests/fixtures/validation/fixture.json: /Meas/IMU6/52 without its header
IMU6 = bytes.fromhex(
    "aca10200 94b578bf399b8840cdb20d41 55ff7cbf6a60884092c70c41 82627cbfa2e988405da00c41 8bf871bf71248940c38c0c41"
    "48e17abf713daabf3333b3be c3f568bf713daabf3e0ad7be ae4721bff628bcbf3e0ad7be ae4721bf3333b3bf3e0ad7be"
)
SAMPLES = [struct.unpack_from("<3f", IMU6, 4 + 12 * i) + struct.unpack_from("<3f", IMU6, 52 + 12 * i) for i in range(4)]
DATA, PART2 = b"\x02\x63", b"\x03\x63"
OK = b"\x01\x63\xc8\x00"
AT_52 = partial(Decoder, b"\x34\0")
AT_104 = partial(Decoder, b"\x68\0")
PERIOD_NS = 1e9 / 104


def message(stamp_ms: int, samples: int = 8) -> bytes:
    """A message of the captured samples, in turn."""
    rows = [SAMPLES[i % 4] for i in range(samples)]
    values = [x for row in rows for x in row[:3]] + [x for row in rows for x in row[3:]]
    return struct.pack(f"<I{len(values)}f", stamp_ms % 2**32, *values)


def stream(stamps_ms: list[int], samples: int = 8, late_ms: int = 20) -> list[Packet]:
    """Messages in one packet each, which arrive `late_ms` after their first sample."""
    return [
        packets("responses", [DATA + message(stamp, samples)], begin_ns=(stamp - stamps_ms[0] + late_ms) * 1_000_000)[0]
        for stamp in stamps_ms
    ]


def test_a_real_message_says_what_its_source_says() -> None:
    stamp_ms, acc, gyr = parse_imu6(IMU6)
    assert stamp_ms == 172460
    assert acc[0] == pytest.approx((-0.9715206623, 4.2689480782, 8.8561525345), abs=1e-6)
    assert acc[3] == pytest.approx((-0.9451987147, 4.2856984138, 8.7843656540), abs=1e-6)
    assert gyr[0] == pytest.approx((-0.98, -1.33, -0.35), abs=1e-6)
    assert gyr[2] == pytest.approx((-0.63, -1.47, -0.42), abs=1e-6)
    samples, malformed = decoded(AT_52(), packets("responses", [OK, DATA + IMU6], begin_ns=5))
    assert (len(samples), malformed) == (4, 0)
    assert np.array_equal(samples["acc_m_s2"], acc)
    assert np.degrees(samples["gyr_rad_s"]) == pytest.approx(gyr.astype(float))
    assert samples["device_ns"].tolist() == [172_460_000_000 + round(i * 1e9 / 52) for i in range(4)]
    assert samples["counter"].tolist() == [0, 1, 2, 3]
    assert (samples["received_ns"] == 5).all()


def test_a_message_in_two_parts_is_joined_and_received_with_its_last_part() -> None:
    """At 104 Hz a message has 198 bytes and the first notification holds 158 of them."""
    whole = message(1000)
    parts = packets("responses", [DATA + whole[:156], PART2 + whole[156:]], 3_000_000)
    samples, malformed = decoded(AT_104(), parts)
    assert (len(samples), malformed) == (8, 0)
    assert np.array_equal(samples["acc_m_s2"], parse_imu6(whole).acc_m_s2)
    assert (samples["received_ns"] == 3_000_000).all()


def test_a_first_part_that_looks_whole_waits_for_the_second() -> None:
    """100 of 196 bytes are also a message of four samples; read so they would mix accelerations into the rates."""
    first, second = message(1000), message(1077)
    cut = [DATA + first[:100], PART2 + first[100:], DATA + second[:100], PART2 + second[100:]]
    samples, malformed = decoded(AT_104(), packets("responses", cut, 1_000_000))
    assert (len(samples), malformed) == (16, 0)
    lost, malformed = decoded(AT_104(), packets("responses", [*cut[:3], *cut[2:]], 1_000_000))
    assert (len(lost), malformed) == (16, 1)


def test_messages_shorter_than_expected_are_read_when_the_next_one_comes() -> None:
    sent = stream([0, 38, 77, 115], samples=4)
    samples, malformed = decoded(AT_104(), sent)
    assert (len(samples), malformed) == (12, 0)
    assert samples["counter"].tolist() == list(range(12))
    assert samples["received_ns"][::4].tolist() == [packet.received_ns for packet in sent[1:]]


def test_a_second_part_without_a_first_is_malformed() -> None:
    samples, malformed = decoded(AT_104(), packets("responses", [PART2 + message(0)[156:], DATA + message(77)]))
    assert (len(samples), malformed) == (8, 1)


def test_times_follow_the_stamps_and_the_true_rate() -> None:
    """A sensor 2 % slow: after the first message the period is its own; stamps are whole milliseconds."""
    true_ns = 1.02 * PERIOD_NS
    stamps = [50_000 + int(8 * k * true_ns / 1e6) for k in range(40)]
    samples, _ = decoded(AT_104(), stream(stamps))
    truth = 50_000_000_000 + np.arange(320) * true_ns
    error_ns = samples["device_ns"][8:] - truth[8:]
    assert np.abs(error_ns).max() < 2.0e6
    assert (np.diff(samples["device_ns"]) > 0).all()
    assert samples["counter"].tolist() == list(range(320))


def test_lost_messages_are_a_jump_of_the_counter() -> None:
    stamps = [77 * k for k in range(30)]
    del stamps[5:9], stamps[12]
    samples, malformed = decoded(AT_104(), stream(stamps))
    assert malformed == 0
    assert samples["counter"][::8].tolist() == [8 * (stamp // 77) for stamp in stamps]


def test_a_repeated_message_repeats_its_counters_and_one_out_of_order_steps_back() -> None:
    samples, _ = decoded(AT_104(), stream([0, 77, 77, 231, 154, 308]))
    assert samples["counter"][::8].tolist() == [0, 8, 8, 24, 16, 32]
    assert not samples["epoch"].any()


def test_the_clock_wraps_after_49_days() -> None:
    stamps = [2**32 - 100 + 77 * k for k in range(4)]
    samples, _ = decoded(AT_104(), stream(stamps))
    assert samples["device_ns"][::8].tolist() == [stamp * 1_000_000 for stamp in stamps]
    assert not samples["epoch"].any()


def test_a_rebooted_sensor_starts_a_new_epoch() -> None:
    before = stream([80_000, 80_077])
    after = [packet._replace(received_ns=packet.received_ns + 10**10) for packet in stream([3000, 3077])]
    samples, _ = decoded(AT_104(), before + after)
    assert samples["epoch"][::8].tolist() == [0, 0, 1, 1]
    assert samples["device_ns"][16] == 3_000_000_000
    assert samples["counter"].tolist() == list(range(32))


def test_samples_near_full_scale_are_flagged() -> None:
    rows = struct.pack("<I24f", 0, *[0.0, 0.0, 78.2], *[0.0] * 9, *[0.0] * 9, *[-2010.0, 0.0, 0.0])
    samples, _ = decoded(AT_52(), packets("responses", [DATA + rows]))
    assert samples["saturated"].tolist() == [True, False, False, True]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30, 167.0])
def test_numbers_that_no_sensor_measures_are_malformed(value: float) -> None:
    bad = IMU6[:4] + struct.pack("<f", value) + IMU6[8:]
    assert refused(parse_imu6, bad)
    samples, malformed = decoded(AT_52(), packets("responses", [DATA + bad, DATA + IMU6]))
    assert (len(samples), malformed) == (4, 1)


def test_every_truncation_is_refused_or_a_shorter_message() -> None:
    """What is left may have the length of fewer samples; GSP itself never cuts without a second part."""
    for length in range(len(IMU6)):
        if length in (28, 52, 76):
            assert len(parse_imu6(IMU6[:length]).acc_m_s2) == (length - 4) // 24
        else:
            assert refused(parse_imu6, IMU6[:length])
        samples, _ = decoded(AT_52(), packets("responses", [DATA + IMU6[:length]]))
        assert not len(samples)


def test_answers_and_other_references() -> None:
    other = [OK, b"\x01\x64\xc8\x00\x50", b"\x02\x64" + IMU6, b"\x01", b"", b"\x63"]
    samples, malformed = decoded(AT_52(), packets("responses", other))
    assert (len(samples), malformed) == (0, 4)
    assert parse_status(OK) == 200
    assert all(refused(parse_status, OK[:length]) for length in range(4))
    assert refused(parse_status, DATA + IMU6)


@pytest.mark.parametrize(("rate_hz", "rate"), [(50, 52), (100, 104), (104, 104), (400, 104)])
def test_start_subscribes_with_the_documented_bytes(rate_hz: float, rate: int) -> None:
    actions, info = drive(movesense.start(rate_hz), OK)
    assert actions == [
        Subscribe("responses"),
        Write("command", b"\x01\x63/Meas/IMU6/" + str(rate).encode() + b"\0", True),
        Await("responses", b"\x01\x63"),
    ]
    assert int.from_bytes(info, "little") == rate
    Decoder(info)


def test_start_at_52_hz_is_the_maker_s_example() -> None:
    actions, _ = drive(movesense.start(52), OK)
    assert actions[1] == Write("command", bytes.fromhex("01632f4d6561732f494d55362f353200"), True)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(429, RadioReason.REFUSED), (404, RadioReason.WRONG_FIRMWARE), (0, RadioReason.WRONG_FIRMWARE)],
)
def test_a_refusal_says_what_to_do(status: int, reason: RadioReason) -> None:
    with pytest.raises(RadioError, match=str(status)) as refusal:
        drive(movesense.start(100), b"\x01\x63" + status.to_bytes(2, "little"))
    assert refusal.value.reason is reason
    with pytest.raises(PayloadError):
        drive(movesense.start(100), b"\x01\x63\xc8")


def test_stop_unsubscribes() -> None:
    assert drive(movesense.stop())[0] == [Write("command", b"\x02\x63", True)]


@pytest.mark.parametrize("info", [b"\x34", b"\0\0", b"\x33\0", b"\x34\0\0"])
def test_an_unknown_rate_is_refused(info: bytes) -> None:
    with pytest.raises(PayloadError, match="rate"):
        Decoder(info)


def test_recognises_its_own_name_and_no_others() -> None:
    assert recognises("Movesense 174630000192", ["0000fdf3-0000-1000-8000-00805f9b34fb"])
    others = [
        "WT901BLE67",
        "Xsens DOT",
        "Movella DOT",
        "MetaWear",
        "Polar Sense 12345678",
        "Thingy",
        "REP-L-0001",
        None,
    ]
    assert not any(recognises(name, ["0000180d-0000-1000-8000-00805f9b34fb"]) for name in others)


MESSAGES = st.builds(
    lambda stamp, samples, cut: (DATA + message(stamp, samples))[:cut],
    st.one_of(st.integers(0, 2000), st.integers(0, 2**32 - 1)),
    st.integers(1, 9),
    st.sampled_from([158, 300]),
)
PAYLOADS = st.one_of(
    MESSAGES,
    st.sampled_from([PART2 + message(0)[156:], OK, DATA + IMU6]),
    st.binary(max_size=60),
    st.binary(max_size=120).map(lambda content: DATA + content),
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.sampled_from([AT_52, AT_104]), streams(list(CHANNELS), PAYLOADS), CUTS)
def test_any_bytes_give_samples_however_cut(new: Callable[[], Renewed], stream: list[Packet], sizes: list[int]) -> None:
    samples, _ = decoded(new(), stream)
    assert plausible(samples)
    assert (np.diff(samples["epoch"]) >= 0).all()
    assert same_however_cut(new, stream, sizes)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.sets(st.integers(0, 60), min_size=1), st.sets(st.integers(0, 60)), CUTS)
def test_losses_and_neighbours_out_of_order_keep_their_counters_however_cut(
    kept: set[int], swapped: set[int], sizes: list[int]
) -> None:
    order = sorted(kept)
    for i in sorted(swapped):
        if i + 1 < len(order) and order[i + 1] - order[i] < 8:
            order[i], order[i + 1] = order[i + 1], order[i]
    sent = [packet._replace(received_ns=i) for i, packet in enumerate(stream([77 * k for k in order]))]
    samples, malformed = decoded(AT_104(), sent)
    assert malformed == 0
    assert samples["counter"][::8].tolist() == [8 * (k - order[0]) for k in order]
    assert same_however_cut(AT_104, sent, sizes)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.binary(max_size=130))
def test_any_bytes_are_parsed_or_refused(payload: bytes) -> None:
    refused(parse_imu6, payload)
    refused(parse_status, payload)
